import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { localUrl } from '../../base/index.ts'
import { checkPorts, startedAs } from './ports.ts'

test.each([
  [{}, 'rekey dev'],
  [{ npm_lifecycle_event: 'start', npm_lifecycle_script: 'exec node bin/rekey.cjs dev' }, 'npm start --'],
  [{ npm_lifecycle_event: 'idp', npm_lifecycle_script: 'rekey dev --no-app' }, 'npm run idp --'],
  [{ npm_lifecycle_event: 'rekey', npm_lifecycle_script: 'node bin/rekey.cjs' }, 'npm run rekey -- dev'],
  [{ npm_lifecycle_event: 'npx', npm_lifecycle_script: 'rekey' }, 'npx rekey-engine dev'],
  [
    { npm_lifecycle_event: 'start', npm_lifecycle_script: 'rekey dev', npm_config_user_agent: 'yarn/4.0' },
    'yarn start',
  ],
])('%j was started as %j', (env, command) => {
  expect(startedAs(env)).toBe(command)
})

test('a port that is taken on one of both loopbacks is taken, and a free one is offered', async () => {
  const server = createServer().listen(0, '::1')
  onTestFinished(() => void server.close())
  await new Promise((done) => server.once('listening', done))
  const { port } = server.address() as { port: number }
  await expect(
    checkPorts(
      [
        { port, flag: '--port' },
        { port: 0, flag: '--app-port' },
      ],
      'rekey dev',
    ),
  ).rejects.toThrow(
    new RegExp(
      `^port ${port} is in use: stop the process there, or choose another port: rekey dev --port \\d+`,
    ),
  )
  await expect(checkPorts([{ port: 0, flag: '--port' }], 'rekey dev')).resolves.toBeUndefined()
})

test('an address at port 80 is as a browser writes it (N-p9)', () => {
  expect([localUrl(80), localUrl(9000)]).toEqual(['http://localhost', 'http://localhost:9000'])
})
