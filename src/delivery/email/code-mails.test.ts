import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { builtInText } from './code-mails.ts'
import { templateNames } from './definitions.ts'

const folder = fileURLToPath(new URL('./templates/', import.meta.url))
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

// The bytes that each of them had as a file of its own.
test.each([
  ['ForgotPassword.html', 'f5863b637180f4268ff589c622bdcebfcc27668bf7ba3d14cc652d8791a30c25'],
  ['ForgotPassword.txt', '1f2e7f1f448d4737e9f1fabe95d82fe5fca7335bc51408fdab4f0e0fc572d66d'],
  ['EmailChallenge.html', '7a0df7c3ad4129aed77ad6c41267dff0de1fc49234a22e4c16ecb38f65fdd7fe'],
  ['EmailChallenge.txt', '27c9b1474b06c471d48026ed93b178c4e4a3734a6aeb8899bb02961b14bcc5e5'],
  ['RegistrationEmailVerification.html', '8291b2700ca57b85a2bbaa010a45fd4ae965a9b41017980c595fed361c6ae48a'],
  ['RegistrationEmailVerification.txt', 'a60b89b96c7b31c49fd9ce80c4f06a47c83d887ee68b3633e0d1c1a243f6dde1'],
  ['SelfServiceUnlock.html', '118dd163286aa89219690a7bc9fd128ad584cebf524e025dafc86b181659e45d'],
  ['SelfServiceUnlock.txt', '8ed40e7b93c3b0c3be649fd50b6097f6208c369f988c2b26c1a6646427a12e51'],
])('%s is made of the shared frame, to the byte', async (file, hash) => {
  expect(readdirSync(folder)).not.toContain(file)
  expect(sha256(await builtInText(`${folder}${file}`))).toBe(hash)
})

test('every template has a text, and none has names of the frame', async () => {
  for (const name of templateNames) {
    for (const type of ['html', 'txt']) {
      const text = await builtInText(`${folder}${name}.${type}`)
      expect([name, text]).toEqual([name, expect.stringMatching(/\S/)])
      expect([
        name,
        /words\.mail\.|link-id|\$\{(link|code)\}|#with(out)? (link|code)\n/.exec(text)?.[0],
      ]).toEqual([name, undefined])
    }
  }
})
