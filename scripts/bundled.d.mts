export const bundled: ReadonlySet<string>
