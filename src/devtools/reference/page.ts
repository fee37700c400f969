import { type Html, html } from '../../base/index.ts'
import { toolPage } from '../pages/index.ts'
import { type Document, type Member, membersOf, type Operation, resolved, typeOf } from './document.ts'

const descriptions = {
  engine: { label: 'Engine', address: '/docs/engine' },
  control: { label: 'Control API', address: '/docs/control' },
} as const

/** The page of an API: all operations in groups, with parameters, bodies and an example. */
export function referencePage(which: keyof typeof descriptions, document: Document, source: string): Html {
  const base = document.servers?.[0]?.url ?? ''
  return toolPage({
    tab: 'API',
    title: `${document.info.title} · API`,
    skip: ['operations', 'Skip to the operations'],
    body: html`<main class="page" id="operations" tabindex="-1">
    <div class="page-head"><h2>${document.info.title}</h2>
      <nav class="switch" aria-label="Which API">${Object.entries(descriptions).map(
        ([name, { label, address }]) =>
          html`<a class="choice" href="${address}"${name === which && html` aria-current="page"`}>${label}</a>`,
      )}</nav></div>
    <p class="quiet">${document.info.description} Address: <code>${base}</code>. The same for machines: <a href="${source}">${source}</a>.</p>
    ${[...groupsOf(document)].map(
      ([group, operations]) => html`<h3>${group}</h3>
    ${operations.map((operation) => operationOf(document, base, operation))}`,
    )}
  </main>`,
  })
}

/** Text with names in backticks, as in Markdown. */
const marked = (text: string): readonly Html[] =>
  text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))

interface Named {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

/** The operations by tag, else by the first segment of the path. */
function groupsOf(document: Document): ReadonlyMap<string, readonly Named[]> {
  const all = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(
      ([method, operation]): Named => ({ method: method.toUpperCase(), path, operation }),
    ),
  )
  return Map.groupBy(all, ({ operation, path }) => operation.tags?.[0] ?? path.split('/')[1] ?? '')
}

function operationOf(document: Document, base: string, { method, path, operation }: Named): Html {
  const { summary = '', description, parameters = [], requestBody, responses = {} } = operation
  const [mediaType, body] = Object.entries(requestBody?.content ?? {})[0] ?? []
  return html`<details class="operation">
    <summary><span class="method">${method}</span><code>${path}</code><span class="quiet">${marked(summary)}</span></summary>
    <div class="operation-body">
      ${description !== undefined && html`<p>${marked(description)}</p>`}
      ${table(
        'Parameters',
        parameters.map(({ name, in: place, required, schema = {} }) => ({
          name: `${name} (${place})`,
          type: typeOf(document, schema),
          isRequired: required === true,
          description: schema.description ?? '',
        })),
      )}
      ${body?.schema !== undefined && table(`Body (${mediaType})`, membersOf(document, body.schema))}
      ${Object.entries(responses)
        .filter(([status]) => status.startsWith('2') || status.startsWith('3'))
        .map(([status, response]) => {
          const schema = Object.values(response.content ?? {})[0]?.schema
          const title = `Answer ${status}${schema === undefined ? '' : `: ${typeOf(document, schema)}`}`
          return html`<h4>${title}</h4>${response.description !== undefined && html`<p class="quiet">${response.description}</p>`}
          ${schema !== undefined && table('', membersOf(document, resolved(document, schema)))}`
        })}
      <h4>Example</h4>
      <pre class="mail-text" tabindex="0" role="region" aria-label="Example of ${method} ${path}">${example(base, { method, path, operation }, mediaType)}</pre>
    </div>
  </details>`
}

const table = (title: string, members: readonly Member[]): Html | false =>
  members.length > 0 &&
  html`${title !== '' && html`<h4>${title}</h4>`}
  <div class="scroll" tabindex="0" role="region" aria-label="${title || 'Members of the answer'}"><table><thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
  <tbody>${members.map(
    ({ name, type, isRequired, description }) =>
      html`<tr><td><code>${name}</code>${isRequired && html` <span class="quiet">required</span>`}</td><td>${type}</td><td>${marked(description)}</td></tr>`,
  )}</tbody></table></div>`

/** A call as a command line. The token stands for the one that `rekey dev` prints. */
function example(base: string, { method, path, operation }: Named, mediaType: string | undefined): string {
  const needsToken = path.startsWith('/api/v1')
  return [
    `curl${method === 'GET' ? '' : ` -X ${method}`} '${base}${path}'`,
    ...(needsToken ? [`  -H 'Authorization: SSWS TOKEN'`] : []),
    ...(mediaType === undefined || operation.requestBody === undefined
      ? []
      : [`  -H 'Content-Type: ${mediaType}'`, `  -d '${mediaType.endsWith('json') ? '{…}' : '…'}'`]),
  ].join(' \\\n')
}
