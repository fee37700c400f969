// A delivery worker in a process of its own, until it is stopped (SIGTERM) or killed.
import { createLogger, createSecrets, systemClock, systemRandom } from '../../src/base/index.ts'
import { createSmtpTransport, loadTemplates, startDelivery } from '../../src/delivery/index.ts'
import { openStorage } from '../../src/storage/index.ts'

const [url = '', smtpUrl = '', master = ''] = process.argv.slice(2)
const storage = await openStorage({ url })
const transport = createSmtpTransport({
  url: smtpUrl,
  from: { address: 'no-reply@acme.example', name: 'Acme' },
})
const delivery = startDelivery({
  storage,
  secrets: createSecrets([master]),
  random: systemRandom,
  clock: systemClock,
  transport,
  renderer: await loadTemplates(),
  log: createLogger({ level: 'error' }),
})
process.on('SIGTERM', async () => {
  clearInterval(alive)
  await delivery.close()
  await transport.close()
  await storage.close()
})
// The worker itself keeps no process alive.
const alive = setInterval(() => {}, 60_000)
process.stdout.write('ready\n')
