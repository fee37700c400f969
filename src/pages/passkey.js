// @ts-check
// Has the browser make or use a passkey, and sends what it answers with the form of the page. The only script of these pages.
// Binary members come from the server in base64url, and go back so.

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
const bytesOf = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))

/** @param {ArrayBuffer} buffer */
const textOf = (buffer) =>
  btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/** @typedef {{ id: string, transports?: AuthenticatorTransport[] }} Known */
/** @typedef {{ data: any, known: Known[] }} Options */

/** @param {Known[]} known @returns {PublicKeyCredentialDescriptor[]} */
const descriptorsOf = (known) =>
  known.map(({ id, transports }) => ({
    type: 'public-key',
    id: bytesOf(id),
    ...(transports && { transports }),
  }))

/** @param {Options} options @returns {Promise<Record<string, string>>} */
async function make({ data, known }) {
  const { rp, user, challenge, pubKeyCredParams, attestation, authenticatorSelection, hints } = data
  const publicKey = {
    rp,
    user: { ...user, id: bytesOf(user.id) },
    challenge: bytesOf(challenge),
    pubKeyCredParams,
    ...(attestation && { attestation }),
    ...(authenticatorSelection && { authenticatorSelection }),
    ...(hints && { hints }),
    excludeCredentials: descriptorsOf(known),
  }
  const credential = /** @type {PublicKeyCredential} */ (await navigator.credentials.create({ publicKey }))
  const response = /** @type {AuthenticatorAttestationResponse} */ (credential.response)
  return {
    clientData: textOf(response.clientDataJSON),
    attestation: textOf(response.attestationObject),
    transports: JSON.stringify(response.getTransports?.() ?? []),
  }
}

/**
 * @param {Options} options
 * @param {CredentialRequestOptions} how
 * @returns {Promise<Record<string, string>>}
 */
async function use({ data, known }, how = {}) {
  const { challenge, rpId, userVerification } = data
  const publicKey = {
    challenge: bytesOf(challenge),
    allowCredentials: descriptorsOf(known),
    ...(rpId && { rpId }),
    ...(userVerification && { userVerification }),
  }
  const credential = /** @type {PublicKeyCredential} */ (
    await navigator.credentials.get({ ...how, publicKey })
  )
  const response = /** @type {AuthenticatorAssertionResponse} */ (credential.response)
  return {
    clientData: textOf(response.clientDataJSON),
    authenticatorData: textOf(response.authenticatorData),
    signatureData: textOf(response.signature),
    userHandle: response.userHandle ? textOf(response.userHandle) : '',
  }
}

/** @param {HTMLFormElement} form @param {Record<string, string>} answer */
function send(form, answer) {
  for (const [name, value] of Object.entries(answer)) {
    const field = form.querySelector(`input[name="credentials.${name}"]`)
    if (field instanceof HTMLInputElement) field.value = value
  }
  form.submit()
}

// A browser has one request at a time: that of a button takes the place of the one that waits behind the name.
const waits = new AbortController()

/** @param {HTMLFormElement} form */
async function waitBehindName(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return
  const how = { mediation: /** @type {const} */ ('conditional'), signal: waits.signal }
  // Aborted or refused: the visitor goes on with the name.
  await use(JSON.parse(form.dataset.options ?? '{}'), how).then(
    (answer) => send(form, answer),
    () => {},
  )
}

/** @param {HTMLFormElement} form */
function askByButton(form) {
  const button = form.querySelector('button')
  const status = form.querySelector('[data-status]')
  if (!button || !status) return
  const { passkey, options = '{}', waiting = '', refused = '', known = '' } = form.dataset
  button.hidden = false
  form.querySelector('[data-without]')?.remove()
  if (button.classList.contains('primary')) button.focus()

  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    waits.abort()
    button.disabled = true
    status.textContent = waiting
    try {
      send(form, await (passkey === 'create' ? make : use)(JSON.parse(options)))
    } catch (error) {
      // The device has one of this account already, or nothing was chosen: browsers reveal no more.
      status.textContent =
        error instanceof DOMException && error.name === 'InvalidStateError' ? known : refused
      button.disabled = false
      button.focus()
    }
  })
}

if (window.PublicKeyCredential !== undefined) {
  for (const form of document.querySelectorAll('form')) {
    if (form.dataset.passkey === 'autofill') waitBehindName(form)
    else if (form.dataset.passkey) askByButton(form)
  }
}

export {}
