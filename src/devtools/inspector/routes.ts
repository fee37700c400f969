import type { FastifyInstance } from 'fastify'
import { sendPage } from '../../ui/index.ts'
import { openEvents } from '../control/event-stream.ts'
import type { MessageStore } from '../control/messages.ts'
import { notFound } from '../control/requests.ts'
import { mailAddresses } from '../inbox/addresses.ts'
import { type FlowFacts, type FlowReader, nameIn, type StrayFacts } from './facts.ts'
import { harOf } from './har.ts'
import { listedFlow, listedStray, newestFirst } from './list.ts'
import { type FlowsShowing, flowsPage } from './page.ts'
import { flowView, missingFlow, strayView } from './view.ts'

interface FlowsOptions {
  readonly flows: FlowReader
  readonly messages: MessageStore
  /** The public address of the engine. */
  readonly engineUrl: string
  readonly appUrl: () => string | undefined
}

/** The number of listed flows. Bounded, because every request explains all of them. */
const mostListed = 60

export function flowRoutes(app: FastifyInstance, { flows, messages, engineUrl, appUrl }: FlowsOptions): void {
  const showing = async (): Promise<FlowsShowing> => {
    const listed = [
      ...(await flows.list(mostListed)).map(listedFlow),
      ...(await flows.strays(mostListed)).map(listedStray),
    ]
    return { listed: newestFirst(listed).slice(0, mostListed), appUrl: appUrl() }
  }
  const find = async (params: unknown): Promise<{ flow?: FlowFacts; stray?: StrayFacts; id: string }> => {
    const { id } = params as { readonly id: string }
    const flow = id.startsWith('trs') ? await flows.get(id) : undefined
    const stray = (await flows.strays(1000)).find(({ exchange }) => exchange.id === id)
    return { id, ...(flow && { flow }), ...(stray && { stray }) }
  }

  app.get('/flows', async (_, reply) => sendPage(reply, flowsPage(await showing())))

  app.get('/flows/stream', ({ headers: _ }, reply) => {
    reply.hijack()
    const send = openEvents(reply.raw)
    const stops = [
      flows.subscribe((change) =>
        send(change === 'cleared' ? 'cleared' : 'flow', change === 'cleared' ? {} : change),
      ),
      // A mail arrives after the response that queued it.
      messages.subscribe(() => send('flow', {})),
    ]
    reply.raw.once('close', () => {
      for (const stop of stops) stop()
    })
  })

  app.get('/flows/:id', async ({ params }, reply) => {
    const { id, flow, stray } = await find(params)
    const shown = await showing()
    if (flow)
      return sendPage(
        reply,
        flowsPage({
          ...shown,
          open: id,
          title: nameIn(flow) ?? id,
          reader: flowView(flow, mailAddresses(messages)),
        }),
      )
    if (stray)
      return sendPage(
        reply,
        flowsPage({ ...shown, open: id, title: 'No transaction', reader: strayView(stray) }),
      )
    return sendPage(reply.status(404), flowsPage({ ...shown, reader: missingFlow }))
  })

  app.get('/flows/:id/har', async ({ params }, reply) => {
    const { id, flow, stray } = await find(params)
    const exchanges = flow?.exchanges ?? (stray && [stray.exchange])
    if (exchanges === undefined) throw notFound('no transaction has this id')
    return reply
      .type('application/json; charset=utf-8')
      .header('content-disposition', `attachment; filename="${id.replace(/\W/g, '')}.har"`)
      .send(JSON.stringify(harOf(exchanges, engineUrl), null, 2))
  })
}
