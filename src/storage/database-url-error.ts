/**
 * The address of a database cannot be used. The message is the end of a sentence that begins with the name of the option;
 * it contains nothing of the address, which may hold a password.
 */
export class DatabaseUrlError extends Error {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.name = 'DatabaseUrlError'
  }
}
