import type { Captcha } from '../../captcha/index.ts'
import {
  type Field,
  type Input,
  type Outcome,
  type Step,
  type StepContext,
  textAt,
} from '../../flow/index.ts'

type Form = Parameters<Captcha['guards']>[0]

interface Guarded {
  readonly form: Form
  readonly waivable: boolean
  /** Of steps that share a name, as the form of a new profile and that of a profile to be completed. Absent: all of the name. */
  readonly path?: string
}

/**
 * The steps that may ask for a captcha, by name. Those that go on where its provider is away are the ways of a user who has an
 * account already: shut out would be whom nothing else helps.
 */
const guarded: Readonly<Record<string, Guarded>> = {
  'identify-recovery': { form: 'recovery', waivable: true },
  'select-authenticator-unlock-account': { form: 'unlock', waivable: true },
  'enroll-profile': { form: 'signUp', waivable: false, path: 'enroll/new' },
}

/**
 * The step table where a captcha is configured: the forms that ask for one have a field for it, and nothing of their answer is
 * read before it was verified: no name is looked up, no password hashed, no mail queued. No step knows of it.
 */
export const withCaptcha = (steps: readonly Step[], captcha: Captcha | undefined): readonly Step[] =>
  captcha === undefined
    ? steps
    : steps.map((step) => {
        const { form, waivable = false, path = step.path } = guarded[step.name] ?? {}
        if (form !== undefined && path === step.path && captcha.guards(form))
          return guardedBy(step, captcha, { form, waivable })
        return step.name === 'recover' && captcha.guards('recovery') ? askingAnew(step) : step
      })

function guardedBy(step: Step, captcha: Captcha, by: Pick<Guarded, 'form' | 'waivable'>): Step {
  const { site } = captcha
  const field: Field = {
    name: 'captchaVerify',
    part: 'captcha',
    fields: [
      { name: 'captchaId', required: true, fixed: site.id, hidden: true },
      { name: 'captchaToken', required: true, hidden: true, hint: 'captcha' },
    ],
  }
  const refusals = refusalsOf(captcha, by)
  return {
    ...step,
    fields: (view) => [...step.fields(view), field],
    parts: (context) => ({ ...step.parts?.(context), captcha: { type: 'object', value: { ...site } } }),
    async accept(input, context) {
      const refused = await refusals(input, context)
      return refused ?? step.accept(input, context)
    },
  }
}

function refusalsOf(captcha: Captcha, by: Pick<Guarded, 'form' | 'waivable'>) {
  // A submission whose user has changed meanwhile is checked anew: its token was claimed by itself, and is good.
  const checked = new WeakMap<Input, Promise<Outcome | undefined>>()

  async function check(input: Input, context: StepContext): Promise<Outcome | undefined> {
    const { progress, source, interaction, signal } = context
    const token = textAt(input, 'captchaVerify.captchaToken')
    // One at a time for each transaction: each costs a call.
    if (token) context.claim()
    const verdict = await captcha.check(
      {
        captchaId: textAt(input, 'captchaVerify.captchaId'),
        token,
        source,
        address: interaction.origin.ip,
        ...by,
      },
      signal,
    )
    switch (verdict.outcome) {
      case 'passed':
      case 'waived':
        return undefined
      case 'missing':
        return { progress, refused: { status: 400, key: 'captcha.required' } }
      case 'limited':
        return { progress, refused: { status: 429, key: 'tooManyRequests', retryAt: verdict.retryAt } }
      case 'away':
        return { progress, refused: { status: 503, key: 'captcha.unavailable', retryAt: verdict.retryAt } }
      default:
        return { progress, refused: { status: 400, key: 'captcha.invalid' } }
    }
  }

  return (input: Input, context: StepContext): Promise<Outcome | undefined> => {
    const known = checked.get(input) ?? check(input, context)
    checked.set(input, known)
    return known
  }
}

/**
 * A recovery that begins behind a name asks for the name once more, in the form that has the captcha: without that the
 * identifier-first page would lead around it to as many mails as there are names (A75).
 */
const askingAnew = (step: Step): Step => ({
  ...step,
  async accept(input, context) {
    const outcome = await step.accept(input, context)
    const { subject: _, ...unnamed } = outcome.progress
    const isBegun = outcome.progress.intent === 'recovery' && outcome.progress.proofs.length === 0
    return isBegun ? { ...outcome, progress: unnamed } : outcome
  },
})
