import { expect, test } from './idp.ts'

test('a visitor recovers a password', async ({ page, idp, appUrl }) => {
  await page.goto(appUrl)
  await page.getByLabel('Email').fill(idp.person.login)
  await page.getByRole('button').click()

  const mail = await idp.outbox.waitFor({ to: idp.person.login })
  await page.getByLabel('Code').fill(mail.code ?? '')
  await page.getByRole('button').click()

  await page.getByLabel('New password').fill('Lighthouse-Biscuit-77')
  await page.getByRole('button').click()
  await expect(page.getByRole('status')).toHaveText(`Signed in as ${idp.person.login}`)
})

test('a wrong code is reported, and the right one still works', async ({ page, idp, appUrl }) => {
  await page.goto(appUrl)
  await page.getByLabel('Email').fill(idp.person.login)
  await page.getByRole('button').click()
  const mail = await idp.outbox.waitFor({ to: idp.person.login })

  await page.getByLabel('Code').fill(mail.code === '000000' ? '111111' : '000000')
  await page.getByRole('button').click()
  await expect(page.getByRole('status')).toHaveText('Invalid code. Try again.')

  await page.getByLabel('Code').fill(mail.code ?? '')
  await page.getByRole('button').click()
  await expect(page.getByLabel('New password')).toBeVisible()
})
