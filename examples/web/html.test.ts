import { expect, test } from 'vitest'
import { html } from './html.ts'

test('values are escaped, in text and in attributes', () => {
  expect(html`<p title="${`"'`}">${'<b>&'}</p>`.markup).toBe('<p title="&quot;&#39;">&lt;b&gt;&amp;</p>')
})

test('nested markup is not escaped, lists are joined, and absent parts are empty', () => {
  const items = ['a', '<'].map((item) => html`<li>${item}</li>`)
  expect(html`<ul>${items}${false}${undefined}${0}</ul>`.markup).toBe('<ul><li>a</li><li>&lt;</li>0</ul>')
})
