import type { Config, Finding } from '../config/index.ts'
import { mailTransportOf } from '../engine/index.ts'

/** What the mail server answered; no `problem`: it was not asked. */
interface AskedMail {
  readonly findings: readonly Finding[]
  readonly problem?: { readonly why: string | undefined }
}

/** Whether the mail server takes mails over a connection that is encrypted (RFC 8314). Asked now; nothing is sent. */
export async function mailOf(config: Config): Promise<AskedMail> {
  const { mail } = config
  if (mail.url === undefined || !mail.deliver) return { findings: [] }
  const finding = {
    id: '12.3.1',
    standard: 'ASVS 5.0',
    asks: 'mails leave over TLS, to a server that takes them',
  } as const
  const transport = mailTransportOf(config)
  const problem = await transport.verify().then(
    () => undefined,
    (error: Error) => error.message,
  )
  await transport.close()
  if (problem !== undefined) {
    const why = `mail.url: ${problem}`
    return { findings: [{ ...finding, result: 'deviates', why }], problem: { why } }
  }
  const answered = { problem: { why: undefined } }
  if (mail.insecurePlainSmtp) {
    const why =
      'mail.insecurePlainSmtp allows codes and the password of the mail server to be sent without TLS'
    return { findings: [{ ...finding, result: 'deviates', why }], ...answered }
  }
  const why = 'the mail server answers, over TLS or on this machine'
  return { findings: [{ ...finding, result: 'met', why }], ...answered }
}
