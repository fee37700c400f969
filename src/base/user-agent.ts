// Order matters: most browsers also name the ones that they descend from, so the most specific name comes first.
const browsers: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\bEdgA?\/(\d+)/, 'Edge'],
  [/\bOPR\/(\d+)/, 'Opera'],
  [/\bSamsungBrowser\/(\d+)/, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\/(\d+)/, 'Firefox'],
  [/\b(?:Chrome|CriOS|HeadlessChrome)\/(\d+)/, 'Chrome'],
  [/\bVersion\/(\d+)[\d.]* (?:Mobile\/\w+ )?Safari\//, 'Safari'],
]

const systems: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\b(?:iPhone|iPod)\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
]

/**
 * Browser and operating system for display, from a User-Agent header; empty where it names none of them. Only names from
 * these lists are returned, so that no text of a caller's choice reaches a mail.
 */
export function describeUserAgent(userAgent: string): { readonly browser: string; readonly system: string } {
  const text = userAgent.slice(0, 512)
  const browser = browsers
    .map(([pattern, name]) => ({ name, match: pattern.exec(text) }))
    .find(({ match }) => match)
  return {
    browser: browser ? `${browser.name} ${browser.match?.[1] ?? ''}`.trim() : '',
    system: systems.find(([pattern]) => pattern.test(text))?.[1] ?? '',
  }
}
