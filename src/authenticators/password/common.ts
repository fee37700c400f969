/** Passwords that everybody tries first. The list is heavy, so it is loaded when it is first asked for. */
let list: Promise<ReadonlySet<string>> | undefined

async function load(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(Object.values(dictionary).flat().map(String))
}

/** Whether a password, in whatever case, stands in the list of common ones. */
export async function isCommonPassword(password: string): Promise<boolean> {
  list ??= load()
  return (await list).has(password.toLowerCase())
}
