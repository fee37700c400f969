import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { colourFrom, coloursOf, contrast } from '../../src/brand/colour.ts'
import { reencodePng } from '../../src/brand/png.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { newHostedBrowser } from '../support/hosted.ts'
import { pngChunk, pngHeader, pngSignature, redPicture } from '../support/png.ts'
import { authorizeUrl } from '../support/redirects.ts'
import { redirectUri } from '../wire/oauth-app.ts'

// A82: the name, the logo, the colours and the links of a brand, as script, as a redirect, or as something of others that is loaded.

const hidden = '<script>alert(1)</script>'

describe('a logo', () => {
  test('A82: is made anew of its pixels: no text, no profile and nothing behind its end is served', async () => {
    const file = redPicture(
      [pngChunk('tEXt', Buffer.from(`Comment\0${hidden}`)), pngChunk('eXIf', Buffer.from(hidden))],
      hidden,
    )
    const made = await reencodePng(file)
    expect(made.toString('latin1')).not.toContain('script')
    expect([...made.toString('latin1').matchAll(/IHDR|tEXt|eXIf|IDAT|IEND/g)].map(([name]) => name)).toEqual([
      'IHDR',
      'IDAT',
      'IEND',
    ])
    expect(await reencodePng(made)).toEqual(made)
  })

  const broken = redPicture()
  broken[broken.length - 20] = (broken[broken.length - 20] ?? 0) ^ 1
  test.each([
    ['a vector graphic', Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${hidden}</svg>`), 'is no PNG'],
    ['one that is damaged', broken, 'is damaged'],
    ['one that is cut', redPicture().subarray(0, 60), 'ends too early'],
    [
      'one of too many pixels',
      Buffer.concat([pngSignature, pngHeader(4000, 4000), pngChunk('IEND', Buffer.alloc(0))]),
      'pixels each way',
    ],
    [
      'an interlaced one',
      Buffer.concat([pngSignature, pngHeader(2, 2, 1), pngChunk('IEND', Buffer.alloc(0))]),
      'interlaced',
    ],
    [
      'one that unpacks to more',
      Buffer.concat([
        pngSignature,
        pngHeader(2, 2),
        pngChunk('IDAT', deflateSync(Buffer.alloc(9e6))),
        pngChunk('IEND', Buffer.alloc(0)),
      ]),
      'does not fit',
    ],
    ['a large one', Buffer.concat([redPicture(), Buffer.alloc(300_000)]), 'larger than'],
  ])('A82: is refused: %s', async (_, file, reason) => {
    await expect(reencodePng(file)).rejects.toThrow(reason)
  })

  // A picture of dots, as printers draw grey.
  const row = 1025
  const dots = Buffer.alloc(row * 1024)
  let noise = 1
  for (let at = 0; at < dots.length; at++) {
    noise = (noise * 48271) % 2147483647
    dots[at] = at % row === 0 ? 0 : (noise >> 16) & 1
  }
  const size = Buffer.alloc(13)
  size.writeUInt32BE(1024, 0)
  size.writeUInt32BE(1024, 4)
  size[8] = 8
  test.each([
    [
      'of dots',
      Buffer.concat([
        ...[
          pngSignature,
          pngChunk('IHDR', size),
          pngChunk('IDAT', deflateSync(dots)),
          pngChunk('IEND', Buffer.alloc(0)),
        ],
      ]),
    ],
    ['in pieces', redPicture(Array.from({ length: 20_000 }, () => pngChunk('teXt', Buffer.alloc(0))))],
  ])('A45: stops no other work for long: a picture %s', async (_, file) => {
    expect(file.length).toBeLessThan(256 * 1024)
    let longest = 0
    let last = performance.now()
    const beats = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 5)
    const began = performance.now()
    await reencodePng(file)
    clearInterval(beats)
    expect(Math.max(longest, performance.now() - last)).toBeLessThan(1000)
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})

describe('a colour', () => {
  test.each(['red', '#12345', 'url(https://evil.example)', '#fff;}body{background:url(x)', '#ffffff\n'])(
    'A82: is no other text: %s',
    (text) => expect(colourFrom(text)).toBeUndefined(),
  )

  test.each(['#fff', '#000000', '#ffe100', '#3a4fd0', '#00ff88', '#808080', '#111b88'])(
    'can be read on every background of both modes: %s',
    (text) => {
      const [light = '', dark = ''] = coloursOf(colourFrom(text) ?? [0, 0, 0]).split('@media')
      const at = (rules: string, name: string) =>
        colourFrom(new RegExp(`--${name}:(#[0-9a-f]{6})`).exec(rules)?.[1] ?? '') ?? [0, 0, 0]
      const of = (hex: string) => colourFrom(hex) ?? [0, 0, 0]
      for (const [rules, grounds] of [
        [light, ['#ffffff', '#eef0f6']],
        [dark, ['#161923', '#0d0f16']],
      ] as const) {
        for (const ground of [...grounds.map(of), at(rules, 'tint')])
          expect(contrast(at(rules, 'accent'), ground)).toBeGreaterThanOrEqual(4.49)
        for (const button of ['accent', 'accent-strong'])
          expect(contrast(at(rules, 'on-accent'), at(rules, button))).toBeGreaterThanOrEqual(4.49)
      }
    },
  )

  test('stays as it is where it can be read', () => {
    expect(coloursOf([58, 79, 208])).toContain('--accent:#3a4fd0')
  })
})

describe('in the pages', () => {
  let idp: Kit
  const markup = '"><script>alert(1)</script>'

  beforeAll(async () => {
    const logo = join(await mkdtemp(join(tmpdir(), 'rekey-brand-')), 'logo.png')
    await writeFile(logo, redPicture([pngChunk('tEXt', Buffer.from(hidden))]))
    idp = await startEngine({
      settings: {
        brand: { name: 'Harbour', primaryColor: '#0b7a4b', links: { help: 'mailto:help@example.com' } },
      },
      clients: [
        {
          ...{ id: 'shop', label: 'Shop', applicationType: 'browser', redirectUris: [redirectUri] },
          grantTypes: ['authorization_code'],
          brand: { name: markup, logo, links: { privacy: 'https://shop.example/privacy?"><b>' } },
        },
      ],
    })
  })
  afterAll(() => idp.close())

  test('A82: an app has its own look, the rest is of the installation, and all of it is text', async () => {
    const plain = await newHostedBrowser(idp).opens('/signin/forgot-password')
    expect(plain.text).toContain('<span class="brand-name">Harbour</span>')
    expect(plain.text).toContain('href="mailto:help@example.com"')
    expect(plain.headers.get('content-security-policy')).toContain('img-src data:;')

    const page = await newHostedBrowser(idp).opens(
      authorizeUrl(idp.issuer, { id: 'shop' }, { scope: 'openid' }),
    )
    expect(page.text).not.toContain('<script')
    expect(page.text).not.toContain('<b>')
    expect(page.text).toContain('&quot;&gt;&lt;script&gt;')
    expect(page.text).toContain('href="mailto:help@example.com"')
    expect(page.headers.get('content-security-policy')).toContain("img-src 'self' data:;")
    // Nothing is loaded but what the engine itself serves.
    const loaded = [...page.text.matchAll(/ (?:src|href)="([^"]+)"/g)]
      .map(([, address = '']) => address)
      .filter((address) => address.includes('/assets/'))
    expect(loaded).toHaveLength(3)
    for (const address of loaded) {
      expect(address.startsWith(`${idp.engineUrl}/assets/`)).toBe(true)
      const file = await fetch(address)
      expect(file.status).toBe(200)
      expect(file.headers.get('x-content-type-options')).toBe('nosniff')
      expect(await file.text()).not.toContain('script')
    }
  })

  test.each([
    [{ primaryColor: 'red' }, 'brand.primaryColor'],
    [{ links: { help: 'javascript:alert(1)' } }, 'brand.links.help'],
    [{ links: { terms: 'http://shop.example/terms' } }, 'brand.links.terms'],
    [{ links: { privacy: 'https://user@shop.example/' } }, 'brand.links.privacy'],
    [{ links: { privacy: 'data:text/html,x' } }, 'brand.links.privacy'],
    [{ name: 'two\nlines' }, 'brand.name'],
    [{ logo: '/no/such/file.png' }, 'brand.logo'],
  ])('A82: a configuration with %j is refused', async (brand, option) => {
    await expect(startEngine({ settings: { brand } })).rejects.toThrow(option)
  })
})
