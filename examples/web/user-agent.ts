// The first match counts: the user agents of Edge and Opera contain Chrome, and that of Chrome contains Safari.
const browsers: readonly (readonly [RegExp, string])[] = [
  [/\b(Edg|EdgA|EdgiOS)\//, 'Edge'],
  [/\b(OPR|Opera)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]

const systems: readonly (readonly [RegExp, string])[] = [
  [/\bWindows\b/, 'Windows'],
  [/\b(iPhone|iPad|iPod)\b/, 'iOS'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
]

const find = (userAgent: string, patterns: typeof browsers) =>
  patterns.find(([pattern]) => pattern.test(userAgent))?.[1]

/** The names of the browser and the system in a `User-Agent` header. */
export const describeUserAgent = (userAgent: string) => ({
  browser: find(userAgent, browsers),
  system: find(userAgent, systems),
})
