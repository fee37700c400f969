import { onOffer, type Stage, type Step, stages, type View } from '../../src/flow/index.ts'
import { steps } from '../../src/idx/index.ts'
import { explore, policies } from '../../test/support/walks.ts'
import { columns, generatedFrom, table } from './table.ts'

/** Why a step is not always there at a stage where it sometimes is. */
const conditions: Readonly<Record<string, string>> = {
  recover:
    'on the first page of a password-first sign-in and on a password challenge, never in a recovery; hidden where no policy allows recovery, and answered with 403 there',
  resend: 'where the challenge can be sent again: by mail, not for a password',
  poll: 'shown where the challenge can be met elsewhere, by mail; accepted at every stage, costs nothing, answers where the transaction stands',
}

const asked: Readonly<Record<Stage, string>> = {
  identify: 'who it is, on the first page; with the password where the policy says so',
  'identify-recovery': 'whose password was forgotten',
  select: 'by which authenticator it is to be proven',
  verify: 'the answer to the open challenge',
  reset: 'a new password, at the end of a recovery',
  reenroll: 'a new password in place of one that has expired',
  granted: 'nothing: an interaction code is issued',
  closed: 'nothing: the conversation is over',
}

const explored = policies.map(explore)
const viewsAt = (stage: Stage): readonly View[] =>
  explored.flatMap(({ views }) => views.filter((view) => view.stage === stage))

/** What becomes of a step at a stage, over everything that can be reached there. */
function markOf(step: Step, stage: Stage): string {
  const views = viewsAt(stage)
  const accepted = views.filter((view) => onOffer([step], view).length > 0)
  const shown = accepted.filter((view) => step.rendered?.(view) ?? true)
  const over = stage === 'granted' || stage === 'closed'
  if (accepted.length === 0) return '.'
  if (shown.length === 0 || over) return 'accepted'
  return shown.length === views.length ? 'x' : 'x?'
}

function stepTable(): string {
  const marks = steps.map((step) => stages.map((stage) => markOf(step, stage)))
  const conditional = steps.filter((_, index) => marks[index]?.includes('x?'))
  for (const { name } of conditional) {
    if (conditions[name] === undefined)
      throw new Error(`scripts/documents/flow.ts: say when ${name} is on offer`)
  }
  return columns([
    ['step', 'path', ...stages],
    ...steps.map(({ name, path }, index) => [name, path, ...(marks[index] ?? [])]),
  ])
}

/** Where each step can lead, from each stage. */
function leads(): string {
  const found = explored.flatMap(({ moves }) => moves)
  const rows = steps.flatMap((step) =>
    stages.flatMap((stage) => {
      const moves = found.filter((move) => move.step === step && move.from.stage === stage)
      const next = stages.filter((to) => moves.some((move) => move.to.stage === to))
      return next.length === 0 ? [] : [[`\`${step.name}\``, stage, next.join(', ')]]
    }),
  )
  return table(['step', 'at', 'leads to'], rows)
}

export const flowPage = (): string => `${generatedFrom('the step table in src/idx/steps')}

# The flow

A conversation is a set of facts (\`src/flow/progress.ts\`). One function, \`stageOf\` (\`src/flow/stage.ts\`), tells from the
facts and the policy what is asked next. What a visitor can do at a stage stands in one table, \`src/idx/steps\`: a response
renders exactly the steps on offer, and a submission is accepted by exactly these. A step never names the next step.

## The steps

Paths are below \`/idp/idx/\`. \`x\`: shown and accepted. \`x?\`: shown and accepted on a condition, see below. \`accepted\`: not
shown, but answered. \`.\`: answered with 400 and the form that stands; at \`granted\` and \`closed\` with 401.

\`\`\`
${stepTable()}
\`\`\`

${Object.entries(conditions)
  .map(([name, when]) => `- \`${name}\`: ${when}.`)
  .join('\n')}

## The stages

${table(
  ['stage', 'what is asked'],
  stages.map((stage) => [`\`${stage}\``, asked[stage]]),
)}

## Where a step leads

Found by walking every way through every policy that decides about steps. A refused answer leads back to the same stage and
is left out, unless it was the fifth wrong one, which closes the conversation.

${leads()}
`
