import { beginLapsed, intents, onOffer, type Stage, type Step, stages } from '../../src/flow/index.ts'
import { exploreAll, type Move, movesFrom, type State, stateOf, steps } from '../../test/support/walks.ts'
import { columns, generatedFrom, table } from './table.ts'

/** Why a step is not always there at a stage where it sometimes is. */
const conditions: Readonly<Record<string, string>> = {
  recover:
    'on the first page of a password-first sign-in and on a password challenge, never in a recovery; hidden where no policy allows recovery, and answered with 403 there',
  'unlock-account':
    'where some password policy lets users unlock their own accounts, to every name alike; in no recovery',
  'select-enroll-profile':
    'where the app’s profile enrollment policy lets visitors make accounts; accepted once more at the form, where it changes nothing',
  skip: 'where nothing of what is asked to be enrolled is required, and the app demands no more than was proven',
  resend: 'where the challenge can be sent again: by mail, not for a password or an authenticator app',
  poll: 'shown where the challenge can be met elsewhere, by mail; accepted at every stage, costs nothing, answers where the transaction is',
}

const asked: Readonly<Record<Stage, string>> = {
  identify: 'the username, on the first page; with the password where the policy says so',
  'identify-recovery': 'the username of the account whose password was forgotten',
  'identify-unlock': 'the username of the locked account, together with the authenticator that proves it',
  'enroll-profile': 'who the new user is: the fields of the app’s profile enrollment policy',
  'request-activation': 'another activation mail, where the link of the one before has expired',
  select:
    'which authenticator to prove; in a sign-in the only choice is opened at once where that sends nothing: an app, a question, a passkey',
  'verify-data':
    'what must be known before a code is sent: the method, where an authenticator has several or a setting says so',
  verify: 'the answer to the open challenge',
  reset: 'a new password, at the end of a recovery',
  'select-enroll':
    'which authenticator to enrol, where a policy of the type MFA_ENROLL says so, or a new user has none yet',
  'enroll-data': 'what must be known before the first code is sent: a phone number',
  enroll: 'the first code, which confirms the enrolment and counts as a proof in this transaction',
  reenroll: 'a new password in place of one that has expired',
  'reenroll-warning': 'a new password in place of one that expires soon; it may be skipped',
  'enroll-profile-update':
    'attributes that the profile enrollment policy requires and the user does not have, where it says so',
  consent:
    'whether the app may have what it asks for, on the engine’s own pages alone: where the app’s `consent_method` and a scope ask for it',
  recovered: 'nothing: the recovery is done and signs no user in',
  unlocked: 'nothing: the account is open again; no session begins',
  granted: 'nothing: an interaction code is issued',
  closed: 'nothing: the transaction is over',
}

/** Where a transaction rests. It passes `recovered`, `unlocked` and `granted` on its way to `closed`. */
const restingStages = stages.filter((stage) => !['recovered', 'unlocked', 'granted'].includes(stage))

/** What becomes of a step at a stage, over everything that can be reached there. */
function markOf(step: Step, at: readonly State[]): string {
  const accepted = at.filter(({ view }) => onOffer([step], view).length > 0)
  const shown = accepted.filter(({ view }) => step.rendered?.(view) ?? true)
  if (accepted.length === 0) return '.'
  if (shown.length === 0 || accepted.some(({ view }) => view.stage === 'closed')) return 'accepted'
  return shown.length === at.length ? 'x' : 'x?'
}

function stepTable(states: readonly State[]): string {
  const byStage = Map.groupBy(states, ({ view }) => view.stage)
  const marks = steps.map((step) => restingStages.map((stage) => markOf(step, byStage.get(stage) ?? [])))
  for (const [index, { name }] of steps.entries()) {
    if (marks[index]?.includes('x?') && conditions[name] === undefined)
      throw new Error(`scripts/documents/flow.ts: say when ${name} is on offer`)
  }
  return columns([
    ['step', 'path', ...restingStages],
    ...steps.map(({ name, path }, index) => [name, path, ...(marks[index] ?? [])]),
  ])
}

/** Where each step leads, from each stage. */
function leads(moves: readonly Move[]): string {
  // A refusal that stays where it is says nothing, and so does a poll.
  const leading = moves.filter(
    ({ from, leadsTo, refusal, step }) =>
      step.name !== 'poll' && (refusal === undefined || leadsTo !== from.view.stage),
  )
  const rows = steps.flatMap((step) =>
    restingStages.flatMap((stage) => {
      const found = leading.filter((move) => move.step === step && move.from.view.stage === stage)
      const next = stages.filter((to) => found.some(({ leadsTo }) => leadsTo === to))
      return next.length === 0 ? [] : [[`\`${step.name}\``, stage, next.join(', ')]]
    }),
  )
  return table(['step', 'at', 'leads to'], rows)
}

/** Which budgets an answer is charged to, in which order: those of the answer that is charged to the most. */
function charges(moves: readonly Move[]): string {
  const most = new Map<string, Move>()
  for (const move of moves) {
    const { challenge } = (move.step.path === 'challenge' ? move.to : move.from).progress
    const row = `\`${move.step.name}\`|${challenge?.authenticator ?? 'okta_password'}`
    if (move.charges.length > (most.get(row)?.charges.length ?? 0)) most.set(row, move)
  }
  const rows = [...most].filter(([row]) => !row.endsWith('example_phone'))
  return table(
    ['step', 'authenticator', 'budgets'],
    rows
      .map(([row, move]) => [...row.split('|'), [...new Set(move.charges)].join(', ')])
      .toSorted(([one = ''], [other = '']) => placeOf(one) - placeOf(other)),
  )
}

const placeOf = (name: string): number => steps.findIndex((step) => `\`${step.name}\`` === name)

const intentsTable = (): string =>
  table(
    ['intent', 'begins at', 'a new password', 'enrolments'],
    Object.entries(intents).map(([name, { firstStage, replaces, unlocks, enrols }]) => [
      `\`${name}\``,
      `\`${firstStage}\``,
      unlocks
        ? 'never: the old one is good again'
        : replaces === undefined
          ? 'only in place of one that has expired'
          : 'is what it is for',
      enrols
        ? 'where a policy asks for them'
        : `never; the SDK cannot show enrolment during ${withArticle(name)}`,
    ]),
  )

/** An activation by a link that has expired, which leads to no other stage. */
async function lapsedActivation(explored: readonly { readonly states: readonly State[] }[]) {
  const [known] = explored.flatMap((one) => one.states)
  if (known === undefined) throw new Error('scripts/documents/flow.ts: nothing was explored')
  const { id: userId, profile } = known.person
  const state = stateOf({ ...known, progress: beginLapsed({ identifier: profile.login, userId }) })
  return { state, moves: await movesFrom(state) }
}

export async function flowPage(): Promise<string> {
  const explored = await exploreAll()
  const { state: lapsed, moves: ofLapsed } = await lapsedActivation(explored)
  const states = [...explored.flatMap((one) => one.states), lapsed]
  const moves = [...explored.flatMap((one) => one.moves), ...ofLapsed]
  return `${generatedFrom('the step table in src/idx/steps')}

# The flow

A transaction is a set of facts (\`src/flow/progress.ts\`): what it is for, who the user claims to be, what was proven, what
is being asked. What a user can do at a stage stands in one table, \`src/idx/steps\`: a response renders exactly the steps on
offer, and a submission is accepted by exactly these. A step never names the next step.

## Intents, and what decides

What a transaction is for is its intent, a row of \`src/flow/intents.ts\`: which stage comes first, which authenticators may
prove it, how much is enough, what must then be done, and what refuses it. One function, \`decide\` (\`src/flow/stage.ts\`),
reads the facts, the intent and the situation (policies, status, assignment, enrollments) and decides the next question, or
why the sign-in is refused. Before the first proof it knows only what is the same for every username. From the first proof
on the user's own policy counts: first it may refuse, then it asks for proofs until the demand of the app is met, then for a
new password in place of one that has expired, then for enrolments.

${intentsTable()}

## The steps

Paths are below \`/idp/idx/\`. \`x\`: shown and accepted. \`x?\`: shown and accepted on a condition, see below. \`accepted\`: not
shown, but answered. \`.\`: answered with 400 and the form that stands; at \`closed\` with 401.

\`\`\`
${stepTable(states)}
\`\`\`

${Object.entries(conditions)
  .map(([name, when]) => `- \`${name}\`: ${when}.`)
  .join('\n')}

\`verify-data\` and \`enroll-data\` are stages of authenticators that ask for more than a choice. No built-in one does yet; the
test that generates this page adds one.

## The stages

${table(
  ['stage', 'what is asked'],
  stages.map((stage) => [`\`${stage}\``, asked[stage]]),
)}

## Where a step leads

Found by giving every answer to every form, under every policy and for every kind of user that decides about steps. A refused
answer leads back to the same stage and is left out, unless it was the fifth wrong one, which closes the transaction.
\`granted\` and \`recovered\` end it at once.

${leads(moves)}

## The order of guards

Each guard of a submission is asked before the next one costs or reveals anything:

1. **Request limits**: by address, client, state handle and username as typed. 429.
2. **On offer**: a step that the stage does not offer is answered with 400 and the form that stands.
3. **Source**: wrong answers of any kind, about any user, by where they come from. 429, before a hash is computed.
4. **Name**: wrong passwords by username as typed. Spent, an answer is wrong without being compared.
5. **Account**: wrong answers by account. Spent, a right answer is wrong, too, and nothing shows it.
6. **Lockout**: wrong passwords in a row, where the policy locks accounts.
7. **Access**: only after a right answer do the status, the app's policy and the assignment refuse.
8. **Policy**: what is demanded besides, by \`decide\`.

Budgets that an answer is charged to, in their order, the longest list that an answer leads to. A right answer is
refused if a budget is already spent, but uses nothing of it.

${charges(moves.filter(({ from }) => from.world.spent === undefined))}
`
}

const withArticle = (name: string): string => `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`
