/**
 * The packages that dist/ holds a copy of, of exactly the version of the lock: pure JavaScript in hundreds of small files,
 * which a start would find and open one by one, or with tools beside it that a server has no use for. Those whose types
 * the declarations name stay in `dependencies`; the others are development packages. Their licences go into
 * `dist/third-party.md`, and `npm run audit:licences` asks for them as for any other package of production.
 */
export const bundled = new Set([
  'dijkstrajs',
  'jose',
  'kysely',
  'libphonenumber-js',
  'pngjs',
  'qrcode',
  'typebox',
])
