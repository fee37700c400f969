// A process that writes pairs of rows until it is killed and names each pair once its transaction is committed.
import { openStorage } from '../../src/storage/index.ts'

const [url = '', prefix = ''] = process.argv.slice(2)
const storage = await openStorage({ url })

for (let index = 0; ; index++) {
  const key = `${prefix} ${index}`
  await storage.transaction(async (tx) => {
    await tx
      .insertInto('settings')
      .values({ key, value: `${key} partner` })
      .execute()
    await tx
      .insertInto('settings')
      .values({ key: `${key} partner`, value: key })
      .execute()
  })
  process.stdout.write(`${key}\n`)
  // Lets the line leave: node:sqlite answers without ever giving the event loop a turn.
  await new Promise((resolve) => setImmediate(resolve))
}
