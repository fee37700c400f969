import { captchaProblem } from '../captcha/index.ts'
import type { Config, Finding } from '../config/index.ts'

/** Whether the provider of the captcha answers and knows the keys. Asked now, with a token that no provider takes. */
export async function captchaOf(config: Config): Promise<readonly Finding[]> {
  const { type, forms } = config.captcha
  const finding = {
    id: 'captcha',
    standard: 'Operation',
    asks: 'the provider of the captcha answers and knows the keys, wherever a form asks for one',
  } as const
  if (type === undefined || forms.length === 0) {
    const why =
      type === undefined
        ? 'no captcha is configured (captcha.type): budgets alone hold robots down'
        : 'captcha.forms is empty: no form asks for one'
    return [{ ...finding, result: 'not applicable', why }]
  }
  const problem = await captchaProblem(config.captcha)
  return [
    problem === undefined
      ? { ...finding, result: 'met', why: `${type} answers; it is asked for by: ${forms.join(', ')}` }
      : {
          ...finding,
          result: 'deviates',
          why: `captcha: ${problem}: sign-up is closed, and recoveries begin within limits.withoutCaptcha… alone`,
        },
  ]
}
