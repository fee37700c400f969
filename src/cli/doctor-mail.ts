import type { Config, Finding } from '../config/index.ts'
import { mailTransportOf } from '../engine/index.ts'

/** Whether the mail server takes mails over a connection that is encrypted (RFC 8314). Asked now; nothing is sent. */
export async function mailOf(config: Config): Promise<readonly Finding[]> {
  const { mail } = config
  if (mail.url === undefined || !mail.deliver) return []
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
  if (problem !== undefined) return [{ ...finding, result: 'deviates', why: `mail.url: ${problem}` }]
  if (mail.insecurePlainSmtp) {
    const why =
      'mail.insecurePlainSmtp allows codes and the password of the mail server to be sent without TLS'
    return [{ ...finding, result: 'deviates', why }]
  }
  return [{ ...finding, result: 'met', why: 'the mail server answers, over TLS or on this machine' }]
}
