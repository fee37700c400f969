import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { testCertificate } from './smtp-server.ts'

const daemons = ['/usr/lib/postfix/sbin', '/usr/libexec/postfix'].find((folder) =>
  existsSync(join(folder, 'master')),
)

/** Why no Postfix can be started here; undefined where it can. */
export const noPostfix =
  daemons === undefined
    ? 'Postfix is not installed'
    : userInfo().uid !== 0
      ? 'Postfix is started by root alone'
      : undefined

export interface Postfix {
  /** `smtp://127.0.0.1:PORT`; it asks for STARTTLS before anything else where `tls` is set. */
  readonly url: string
  /** The messages in the mailbox of mary@example.com. */
  received(): Promise<readonly string[]>
  log(): Promise<string>
  stop(): Promise<void>
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Starts a Postfix with a configuration, a queue and mailboxes of its own below the temporary folder. */
export async function startPostfix(settings: Readonly<Record<string, string>> = {}): Promise<Postfix> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'rekey-postfix-'))
  await chmod(folder, 0o755)
  const at = (name: string) => join(folder, name)
  const passwd = await readFile('/etc/passwd', 'utf8')
  const [, uid = '0', gid = '0'] = /^postfix:[^:]*:(\d+):(\d+)/m.exec(passwd) ?? []
  const own = (name: string) => chown(at(name), Number(uid), Number(gid))
  for (const name of ['etc', 'spool', 'data', 'mailboxes']) await mkdir(at(name))
  await own('data')
  await own('mailboxes')
  await writeFile(at('key.pem'), testCertificate.key, { mode: 0o600 })
  await writeFile(at('cert.pem'), testCertificate.cert)
  await writeFile(at('etc/users'), 'mary@example.com mary/\n')
  const main: Readonly<Record<string, string>> = {
    compatibility_level: '3.6',
    queue_directory: at('spool'),
    data_directory: at('data'),
    daemon_directory: daemons ?? '',
    command_directory: '/usr/sbin',
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    myhostname: 'mail.test',
    mydestination: '',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    mynetworks: '',
    maillog_file: at('spool/log'),
    maillog_file_prefixes: folder,
    virtual_mailbox_domains: 'example.com',
    virtual_mailbox_maps: `texthash:${at('etc/users')}`,
    virtual_mailbox_base: at('mailboxes'),
    virtual_minimum_uid: '1',
    virtual_uid_maps: `static:${uid}`,
    virtual_gid_maps: `static:${gid}`,
    smtpd_relay_restrictions: 'reject_unauth_destination',
    smtpd_helo_required: 'yes',
    smtpd_helo_restrictions: 'reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname',
    smtpd_tls_cert_file: at('cert.pem'),
    smtpd_tls_key_file: at('key.pem'),
    smtpd_tls_security_level: 'encrypt',
    ...settings,
  }
  await writeFile(
    at('etc/main.cf'),
    Object.entries(main)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join(''),
  )
  const service = (name: string, type: string, priv: string, wake: string, most: string, command: string) =>
    `${name} ${type} ${priv} - n ${wake} ${most} ${command}\n`
  await writeFile(
    at('etc/master.cf'),
    [
      service(`127.0.0.1:${port}`, 'inet', 'n', '-', '-', 'smtpd'),
      service('cleanup', 'unix', 'n', '-', '0', 'cleanup'),
      service('qmgr', 'unix', 'n', '300', '1', 'qmgr'),
      service('tlsmgr', 'unix', '-', '1000?', '1', 'tlsmgr'),
      service('rewrite', 'unix', '-', '-', '-', 'trivial-rewrite'),
      service('bounce', 'unix', '-', '-', '0', 'bounce'),
      service('defer', 'unix', '-', '-', '0', 'bounce'),
      service('trace', 'unix', '-', '-', '0', 'bounce'),
      service('verify', 'unix', '-', '-', '1', 'verify'),
      service('error', 'unix', '-', '-', '-', 'error'),
      service('retry', 'unix', '-', '-', '-', 'error'),
      // Writes as the owner of the mailbox, so it begins as root.
      'virtual unix - n n - - virtual\n',
      service('anvil', 'unix', '-', '-', '1', 'anvil'),
      service('proxymap', 'unix', '-', '-', '-', 'proxymap'),
      service('postlog', 'unix-dgram', 'n', '-', '1', 'postlogd'),
    ].join(''),
  )
  await run('/usr/sbin/postfix', ['-c', at('etc'), 'check'])
  const master = spawn(join(daemons ?? '', 'master'), ['-c', at('etc'), '-d'], { stdio: 'ignore' })
  await listening(master, port)
  return {
    url: `smtp://127.0.0.1:${port}`,
    async received() {
      const inbox = at('mailboxes/mary/new')
      if (!existsSync(inbox)) return []
      return Promise.all((await readdir(inbox)).map((name) => readFile(join(inbox, name), 'utf8')))
    },
    log: () => readFile(at('spool/log'), 'utf8').catch(() => ''),
    async stop() {
      const ended = once(master, 'exit')
      master.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'ignore' })
  await once(child, 'exit')
}

async function listening(master: ChildProcess, port: number): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt++) {
    if (master.exitCode !== null) throw new Error(`Postfix ended with ${master.exitCode}`)
    const socket = createConnection({ port, host: '127.0.0.1' })
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (isOpen) return
    await pause(50)
  }
  throw new Error('Postfix does not listen')
}
