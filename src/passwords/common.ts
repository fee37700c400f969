import { folded } from '../policies/index.ts'

/** Passwords that attackers try first. The list is heavy, so it is loaded when it is first asked for. */
let list: Promise<ReadonlySet<string>> | undefined

async function load(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(Object.values(dictionary).flat().map(String))
}

/** Whether a password, in whatever case and width of letters, stands in the list of common ones. */
export async function isCommonPassword(password: string): Promise<boolean> {
  list ??= load()
  return (await list).has(folded(password))
}
