/**
 * Captchas: whether a human has answered a form, by a provider that is asked over its verify URL (hCaptcha, reCAPTCHA,
 * Turnstile). Owns the use of a token, once and on all nodes, the budgets of verification and what follows where the provider
 * is away. Which step asks for one stands in `idx`.
 */
export {
  type Captcha,
  type CaptchaOutcome,
  type CaptchaSite,
  type CaptchaVerdict,
  captchaOutcomes,
  captchaProblem,
  createCaptcha,
} from './captcha.ts'
export { type CaptchaOptions, captchaOptions, isTestSecret, verifyUrls } from './options.ts'
