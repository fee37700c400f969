import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { load } from '../clients/load.ts'
import { clientsFolder } from './clients.ts'
import { freePort } from './programs.ts'

/** What an app knows of the engine. */
export interface AppSettings {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
}

export interface RunningApp {
  readonly url: string
  close(): Promise<void>
}

/** Registers the app once its address is known. */
export type Register = (url: string) => Promise<AppSettings>

async function listen(
  listener: (url: string) => Promise<RequestListener>,
  host = 'localhost',
): Promise<RunningApp> {
  let handle: RequestListener = (_, response) => void response.writeHead(503).end()
  const server = createServer((request, response) => handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const url = `http://${host}:${(server.address() as AddressInfo).port}`
  handle = await listener(url)
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type CreateApp = (settings: AppSettings & { readonly url: string }) => Promise<RequestListener>

/** An app on a server in this process: a file of `test/clients/apps`. */
export const startServerApp = (file: string, register: Register): Promise<RunningApp> =>
  listen(async (url) => {
    const { createApp } = (await load(`./${file}`)) as { readonly createApp: CreateApp }
    return createApp({ ...(await register(url)), url })
  })

interface Esbuild {
  build(options: object): Promise<{ readonly outputFiles: readonly { readonly text: string }[] }>
}

/**
 * An app in the browser: a file of `test/clients/pages` with its packages, on a page of its own at every address.
 * @param options.alias a package that it gets for one that it names
 */
export async function startPageApp(
  file: string,
  register: Register,
  {
    host,
    alias = {},
  }: { readonly host?: string; readonly alias?: Readonly<Record<string, string>> | undefined } = {},
): Promise<RunningApp> {
  const { build } = (await load('esbuild')) as Esbuild
  const built = await build({
    entryPoints: [join(clientsFolder, file)],
    ...{ bundle: true, write: false, format: 'esm', jsx: 'automatic', logLevel: 'silent' },
    ...{ alias, absWorkingDir: clientsFolder },
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
  })
  const script = built.outputFiles[0]?.text ?? ''
  return listen(async (url) => {
    const { issuer, clientId } = await register(url)
    const page = `<!doctype html><html lang="en"><title>An app</title><div id="app"></div><script type="application/json" id="settings">${JSON.stringify({ issuer, clientId })}</script><script type="module" src="/app.js"></script>`
    return ({ url: path = '' }, response) => {
      const isScript = path === '/app.js'
      response.writeHead(path === '/favicon.ico' ? 404 : 200, {
        'content-type': isScript ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8',
      })
      response.end(isScript ? script : page)
    }
  }, host)
}

/** Ends a process and waits for its end. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

async function startProcess(
  command: readonly [string, ...string[]],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<ChildProcess> {
  const [program, ...parameters] = command
  const child = spawn(program, parameters, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = once(createInterface({ input: child.stdout }), 'line')
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`${program} ended: ${code}`)))
  await Promise.race([line, ended])
  ended.catch(() => undefined)
  return child
}

/** `examples/redirect`, as it is. Its one package is that of `test/clients`, so it runs from a folder there. */
export async function startExample(register: Register): Promise<RunningApp> {
  const folder = mkdtempSync(join(clientsFolder, 'tmp-redirect-'))
  const url = `http://localhost:${await freePort()}`
  const { issuer, clientId } = await register(url)
  for (const file of ['server.js', 'sign-in.js', 'package.json']) {
    cpSync(join(import.meta.dirname, '../../examples/redirect', file), join(folder, file))
  }
  const env = { ISSUER: issuer, CLIENT_ID: clientId, PORT: new URL(url).port }
  const child = await startProcess([process.execPath, 'server.js'], { cwd: folder, env })
  return {
    url,
    async close() {
      await end(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const python = '/usr/bin/python3'
const apache = '/usr/sbin/apache2'
const modules = '/usr/lib/apache2/modules'

/** Why an app of Debian cannot run here; undefined where it can. */
export function missingDebian(app: string): string | undefined {
  if (app === 'apps/authlib_app.py') {
    const found = spawnSync(python, ['-c', 'import authlib, requests']).status === 0
    return found ? undefined : 'apt-get install python3-authlib python3-requests'
  }
  if (app !== 'apache') return undefined
  const found = existsSync(apache) && existsSync(join(modules, 'mod_auth_openidc.so'))
  return found ? undefined : 'apt-get install apache2 libapache2-mod-auth-openidc'
}

/** The version of an installed package of Debian. */
export const debianVersion = (name: string): string =>
  spawnSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' }).stdout

/** The app on Authlib, in a Python of Debian. */
export async function startAuthlib(register: Register): Promise<RunningApp> {
  const url = `http://localhost:${await freePort()}`
  const { issuer, clientId, clientSecret } = await register(url)
  const env = {
    ...{ ISSUER: issuer, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, URL: url },
    AUTHLIB_INSECURE_TRANSPORT: '1',
  }
  const child = await startProcess([python, 'authlib_app.py'], { cwd: join(clientsFolder, 'apps'), env })
  return { url, close: () => end(child) }
}

const loaded = [
  'mpm_event',
  'authn_core',
  'authz_core',
  'authz_user',
  'alias',
  'mime',
  'include',
  'auth_openidc',
]

/** Apache with mod_auth_openidc: one page, which the module protects at /sign-in and shows to all at /. */
export async function startApache(register: Register): Promise<RunningApp> {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-apache-'))
  const port = await freePort()
  const url = `http://localhost:${port}`
  const { issuer, clientId, clientSecret } = await register(url)
  const page = `<!doctype html><html lang="en"><title>An app</title><p>
<!--#if expr="-n reqenv('OIDC_CLAIM_name')" -->
Hello <!--#echo var="OIDC_CLAIM_name" -->
<form action="/callback"><input type="hidden" name="refresh" value="${url}/sign-in"><input type="hidden" name="access_token" value="<!--#echo var="OIDC_access_token" -->"><button>Refresh</button></form>
<form action="/callback"><input type="hidden" name="logout" value="${url}/"><button>Sign out</button></form>
<!--#else --><a href="/sign-in">Sign in</a><!--#endif -->
`
  const isRoot = process.getuid?.() === 0
  const settings = `
ServerRoot ${folder}
ServerName localhost
Listen 127.0.0.1:${port}
Listen [::1]:${port}
PidFile ${folder}/pid
ErrorLog ${folder}/errors.log
LogLevel auth_openidc:debug
Mutex file:${folder}
DefaultRuntimeDir ${folder}
${loaded.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
${isRoot ? 'User www-data\nGroup www-data' : ''}
TypesConfig /dev/null
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
Alias /sign-in ${folder}/page.shtml
AliasMatch ^/$ ${folder}/page.shtml
<Directory ${folder}>
  Options +Includes
</Directory>
OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID ${clientId}
OIDCClientSecret ${clientSecret}
OIDCRedirectURI ${url}/callback
OIDCCryptoPassphrase only-for-tests
OIDCScope "openid profile offline_access"
OIDCResponseMode form_post
OIDCPKCEMethod S256
OIDCProviderTokenEndpointAuth client_secret_basic
<LocationMatch "^/(sign-in|callback)?$">
  AuthType openid-connect
  Require valid-user
</LocationMatch>
<LocationMatch "^/$">
  OIDCUnAuthAction pass
</LocationMatch>
`
  writeFileSync(join(folder, 'page.shtml'), page)
  writeFileSync(join(folder, 'apache.conf'), settings)
  if (isRoot) chownSync(folder, Number(spawnSync('id', ['-u', 'www-data']).stdout), -1)
  const child = spawn(apache, ['-f', join(folder, 'apache.conf'), '-DFOREGROUND'], { stdio: 'inherit' })
  for (let tries = 0; tries < 200; tries += 1) {
    const isUp = await fetch(url).then(
      () => true,
      () => false,
    )
    if (isUp || child.exitCode !== null) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    url,
    async close() {
      await end(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
