import { expect, test } from 'vitest'
import { fc } from '../../test/support/draws.ts'
import { escapeHtml, html, raw } from './html.ts'

test('a value is escaped in text and in attributes', () => {
  const name = `<script>alert("1")</script> & 'co'`

  expect(html`<p title="${name}">${name}</p>`.markup).toBe(
    '<p title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;co&#39;">&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;co&#39;</p>',
  )
})

test('nested markup is kept, lists are joined, and null, undefined and false are empty', () => {
  const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`)

  expect(html`<ul>${items}</ul>${null}${undefined}${false}${0}${raw('<br>')}`.markup).toBe(
    '<ul><li>a</li><li>&lt;b&gt;</li></ul>0<br>',
  )
})

test('no text can open a tag, an attribute or an entity', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", 'a', '\u2028', '\uFF1C') }),
      (text) => {
        const escaped = escapeHtml(text)
        expect(escaped).not.toMatch(/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/)
        const back = escaped
          .replaceAll('&lt;', '<')
          .replaceAll('&gt;', '>')
          .replaceAll('&quot;', '"')
          .replaceAll('&#39;', "'")
          .replaceAll('&amp;', '&')
        expect(back).toBe(text)
      },
    ),
  )
})

test('an object of the shape of markup is markup: who builds one is responsible for it', () => {
  // A value from JSON is never passed to a template; the types refuse it.
  expect(html`${{ markup: '<b>' }}`.markup).toBe('<b>')
})
