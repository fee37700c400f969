import {
  type Explanation,
  explain,
  explainStray,
  type FlowReader,
  plain,
  type Recorder,
} from '../inspector/index.ts'

/** A call of an app that was refused outside of any page: what a developer must see where the engine was started. */
export interface RefusedCall {
  /** Of the transaction, or of the exchange where there is none: the page of the inspector is `/flows/ID`. */
  readonly id: string
  readonly cause: Explanation['cause']
  /** Why, as one sentence. */
  readonly sentence: string
  readonly advice: string | undefined
}

/** Calls `report` for each call that is refused before a transaction exists, and for each that gets no tokens. */
export function reportRefusals(
  recorder: Recorder,
  flows: FlowReader,
  report: (refused: RefusedCall) => void,
): void {
  const explanationOf = async (id: string): Promise<Explanation | undefined> => {
    if (recorder.strays().some((stray) => stray.id === id)) {
      const stray = (await flows.strays(recorder.strays().length)).find(({ exchange }) => exchange.id === id)
      // A call of the API has its reason in its own answer, which its caller reads: scripts try much that is refused.
      return stray && stray.exchange.endpoint !== 'api' ? explainStray(stray) : undefined
    }
    const last = recorder.of(id).at(-1)
    if (last?.endpoint !== 'token' || last.status < 400) return undefined
    const facts = await flows.get(id)
    return facts && explain(facts)
  }
  recorder.subscribe((change) => {
    if (change === 'cleared') return
    explanationOf(change.id)
      .then((explanation) => {
        if (explanation === undefined) return
        const { cause, sentence, advice } = explanation
        report({ id: change.id, cause, sentence: plain(sentence), advice })
      })
      // The engine ends while the facts are read.
      .catch(() => {})
  })
}
