/** The address of a server on this machine, as a browser writes it: port 80 is not part of it (RFC 9110, 4.2.3). */
export const localUrl = (port: number): string => `http://localhost${port === 80 ? '' : `:${port}`}`
