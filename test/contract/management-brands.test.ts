import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Settings } from '../../src/config/index.ts'
import { type Kit, type KitOptions, startEngine } from '../../src/testing/index.ts'
import { hasClients, requireClient } from '../support/clients.ts'
import { type Api, apiOf } from '../support/management.ts'
import { pngSize, redPicture } from '../support/png.ts'

const brandPath = '/brands/bndDefault'
const themePath = `${brandPath}/themes/theDefault`

let folder: string
let database: string
let logo: Buffer
const running: Kit[] = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekey-brands-'))
  logo = redPicture()
})
beforeEach(async () => {
  database = `sqlite:${join(await mkdtemp(join(folder, 'one-')), 'rekey.db')}`
})
afterEach(async () => {
  for (const kit of running.splice(0)) await kit.close()
})

/** A node on the database of this test. */
async function node(
  brand?: Settings['brand'],
  clients: KitOptions['clients'] = [],
): Promise<{ idp: Kit; api: Api }> {
  const idp = await startEngine({
    database,
    clients,
    settings: { org: { name: 'Org' }, ...(brand && { brand }) },
  })
  running.push(idp)
  return { idp, api: apiOf(idp) }
}
const frontOf = async ({ engineUrl }: Kit): Promise<string> =>
  (await fetch(`${engineUrl}/signin`, { headers: { accept: 'text/html' } })).text()
const nameOn = (page: string) => /<span class="brand-name">([^<]*)</.exec(page)?.[1]
const upload = (idp: Kit, content: Buffer, type = 'image/png') =>
  fetch(`${idp.engineUrl}/api/v1${themePath}/logo`, {
    method: 'POST',
    headers: { authorization: `SSWS ${idp.apiToken}`, 'content-type': type },
    body: new Uint8Array(content),
  })

describe('the brand', () => {
  test('is the look of the pages: there is one, with one theme', async () => {
    const { idp, api } = await node()
    const { list } = await api('GET', '/brands')
    expect(list).toMatchObject([
      { id: 'bndDefault', name: 'Org', isDefault: true, customPrivacyPolicyUrl: null },
    ])
    expect((await api('GET', brandPath)).body).toEqual(list[0])
    expect((await api('GET', '/brands?q=other')).list).toEqual([])
    expect((await api('GET', '/brands/bndOther')).body.errorCode).toBe('E0000007')
    expect((await api('GET', `${brandPath}/themes/theOther`)).body.errorCode).toBe('E0000007')
    const themes = (await api('GET', `${brandPath}/themes`)).list
    expect(themes).toMatchObject([{ id: 'theDefault', primaryColorHex: '#3a4fd0', logo: null }])
    expect((await api('GET', themePath)).body).toEqual(themes[0])
    expect(await frontOf(idp)).not.toContain('/assets/brand-')
  })

  test('is changed on every node at once: name, privacy policy, colour and logo', async () => {
    const { idp, api } = await node()
    const { idp: other } = await node()
    const changed = await api('PUT', brandPath, {
      name: 'Harbour',
      customPrivacyPolicyUrl: 'https://harbour.example/privacy',
      agreeToCustomPrivacyPolicy: true,
    })
    expect(changed.body).toMatchObject({
      name: 'Harbour',
      customPrivacyPolicyUrl: 'https://harbour.example/privacy',
    })
    expect((await api('PUT', themePath, { primaryColorHex: '#0B7A4B' })).body.primaryColorHex).toBe('#0b7a4b')
    const uploaded = await upload(idp, logo)
    expect(uploaded.status).toBe(201)
    const { url } = (await uploaded.json()) as { url: string }
    expect((await api('GET', themePath)).body.logo).toBe(url)

    for (const { engineUrl, ...kit } of [idp, other]) {
      const page = await frontOf({ engineUrl, ...kit } as Kit)
      expect(nameOn(page)).toBe('Harbour')
      expect(page).toContain('href="https://harbour.example/privacy"')
      const [, stylesheet = ''] = /(\/assets\/brand-[^"]+\.css)"/.exec(page) ?? []
      expect(await (await fetch(engineUrl + stylesheet)).text()).toContain('--accent:#0b7a4b')
      const [, picture = ''] = /(\/assets\/brand-[^"]+\.png)"/.exec(page) ?? []
      expect(url).toBe(idp.engineUrl + picture)
      const file = await fetch(engineUrl + picture)
      expect(file.headers.get('content-type')).toBe('image/png')
      expect(pngSize(Buffer.from(await file.arrayBuffer()))).toEqual([2, 2])
    }

    expect((await api('DELETE', `${themePath}/logo`)).status).toBe(204)
    expect(await frontOf(other)).not.toContain('.png')
    await frontOf(idp)
    expect((await fetch(url)).status).toBe(404)
    // Without the member the privacy policy is gone.
    expect((await api('PUT', brandPath, { name: 'Harbour' })).body.customPrivacyPolicyUrl).toBeNull()
    expect(await frontOf(other)).not.toContain('harbour.example')
    const { list } = await api('GET', '/logs?filter=eventType%20eq%20%22system.brand.update%22')
    expect(list).toHaveLength(5)
  })

  test.each([
    [brandPath, { name: '' }, 'name'],
    [brandPath, { name: 'two\nlines' }, 'name'],
    [brandPath, { name: 'A', customPrivacyPolicyUrl: 'https://a.example/' }, 'agreeToCustomPrivacyPolicy'],
    [
      brandPath,
      { name: 'A', customPrivacyPolicyUrl: 'javascript:alert(1)', agreeToCustomPrivacyPolicy: true },
      'customPrivacyPolicyUrl',
    ],
    [themePath, {}, 'primaryColorHex'],
    [themePath, { primaryColorHex: 'red' }, 'primaryColorHex'],
    [themePath, { primaryColorHex: '#fff;}x' }, 'primaryColorHex'],
  ])('A82: PUT %s with %j is refused', async (path, body, member) => {
    const { api } = await node()
    const { status, body: refused } = await api('PUT', path, body)
    expect(status).toBe(400)
    expect(JSON.stringify(refused.errorCauses)).toContain(`${member}: `)
  })

  test('A82: a logo that is no PNG, is too large or stands in no field is refused', async () => {
    const { idp } = await node()
    const vector = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    expect((await upload(idp, vector)).status).toBe(400)
    expect((await upload(idp, Buffer.concat([logo, Buffer.alloc(600_000)]))).status).toBe(413)
    expect((await upload(idp, Buffer.from('no form'), 'multipart/form-data; boundary=x')).status).toBe(400)
    expect((await upload(idp, logo, 'image/svg+xml')).status).toBe(415)
    const form = new FormData()
    form.set('other', new Blob([new Uint8Array(logo)]), 'logo.png')
    const answer = await fetch(`${idp.engineUrl}/api/v1${themePath}/logo`, {
      method: 'POST',
      headers: { authorization: `SSWS ${idp.apiToken}` },
      body: form,
    })
    expect(answer.status).toBe(400)
    expect(await frontOf(idp)).not.toContain('.png')
  })

  test('what the configuration changes is written at the next start, the rest stays as the API has changed it', async () => {
    const file = join(folder, 'logo.png')
    await writeFile(file, logo)
    const first = await node({ primaryColor: '#070', logo: file, links: { help: 'mailto:help@example.com' } })
    expect((await first.api('GET', themePath)).body).toMatchObject({
      primaryColorHex: '#007700',
      logo: expect.stringContaining('/assets/brand-'),
    })
    await first.api('PUT', themePath, { primaryColorHex: '#123456' })
    await first.api('PUT', brandPath, { name: 'By the API' })
    await first.api('DELETE', `${themePath}/logo`)

    // The same configuration: nothing is written.
    const second = await node({
      primaryColor: '#070',
      logo: file,
      links: { help: 'mailto:help@example.com' },
    })
    expect((await second.api('GET', themePath)).body).toMatchObject({
      primaryColorHex: '#123456',
      logo: null,
    })
    expect(nameOn(await frontOf(second.idp))).toBe('By the API')

    // Another colour, and no help any more: these two.
    const third = await node({ primaryColor: '#700', logo: file })
    expect((await third.api('GET', themePath)).body).toMatchObject({ primaryColorHex: '#770000', logo: null })
    expect(await frontOf(third.idp)).not.toContain('help@example.com')
    expect(nameOn(await frontOf(first.idp))).toBe('By the API')
  })

  test('an app of the configuration has what it names, whatever the API says of the rest', async () => {
    const { idp, api } = await node(undefined, [
      {
        ...{ id: 'shop', label: 'Shop', applicationType: 'browser', redirectUris: ['https://shop.example/'] },
        grantTypes: ['authorization_code'],
        brand: { name: 'The shop' },
      },
    ])
    await api('PUT', themePath, { primaryColorHex: '#0b7a4b' })
    await api('PUT', brandPath, { name: 'Harbour' })
    const query = new URLSearchParams({
      ...{ client_id: 'shop', redirect_uri: 'https://shop.example/', response_type: 'code', scope: 'openid' },
      ...{ state: 's', code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
    })
    const begun = await fetch(`${idp.issuer}/v1/authorize?${query}`, { redirect: 'manual' })
    const cookie = begun.headers.getSetCookie().map((one) => one.replace(/;.*/, ''))
    const page = await (
      await fetch(`${idp.engineUrl}/signin`, { headers: { cookie: cookie.join('; ') } })
    ).text()
    expect(nameOn(page)).toBe('The shop')
    expect(page).toMatch(/\/assets\/brand-[^"]+\.css/)
  })

  test.skipIf(!hasClients)('okta-sdk-nodejs reads it, writes it and uploads a logo', async () => {
    const { idp } = await node()
    type Thing = Readonly<Record<string, unknown>> & { readonly id: string }
    type Call = (request?: object) => Promise<Thing & AsyncIterable<Thing>>
    const { Client } = requireClient<{
      Client: new (options: object) => { customizationApi: Readonly<Record<string, Call>> }
    }>('@okta/okta-sdk-nodejs')
    const { customizationApi: okta } = new Client({
      ...{ orgUrl: idp.engineUrl, token: idp.apiToken, testing: { disableHttpsCheck: true } },
    })
    const call = (name: string, request?: object) => {
      const method = okta[name]
      if (method === undefined) throw new Error(`the SDK has no ${name}`)
      return method.call(okta, request)
    }
    const first = async (name: string, request?: object) => {
      for await (const one of await call(name, request)) return one
      throw new Error(`${name}: an empty list`)
    }
    const brand = await first('listBrands')
    const { id: brandId } = brand
    expect(await call('replaceBrand', { brandId, brand: { ...brand, name: 'Harbour' } })).toMatchObject({
      name: 'Harbour',
    })
    const theme = await first('listBrandThemes', { brandId })
    const { id: themeId } = theme
    const changed = { ...theme, primaryColorHex: '#0b7a4b' }
    expect(await call('replaceBrandTheme', { brandId, themeId, theme: changed })).toMatchObject({
      primaryColorHex: '#0b7a4b',
    })
    const file = { data: logo, name: 'logo.png' }
    const { url } = await call('uploadBrandThemeLogo', { brandId, themeId, file })
    expect((await call('getBrandTheme', { brandId, themeId })).logo).toBe(url)
    expect((await fetch(String(url))).status).toBe(200)
    await call('deleteBrandThemeLogo', { brandId, themeId })
    expect((await call('getBrandTheme', { brandId, themeId })).logo).toBeFalsy()
    expect(nameOn(await frontOf(idp))).toBe('Harbour')
  })
})
