// @ts-check
// Has the browser make or use a passkey, and sends what it says with the form of the page. The same as `OktaAuth.webauthn` does:
// binary members come from the server in base64url, and go back so.

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
const bytesOf = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))

/** @param {ArrayBuffer} buffer */
const textOf = (buffer) =>
  btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/**
 * @typedef {{ id: string, transports?: AuthenticatorTransport[] }} Known
 * @typedef {PublicKeyCredentialCreationOptions & { challenge: string, user: { id: string } }} ActivationData
 * @typedef {PublicKeyCredentialRequestOptions & { challenge: string }} ChallengeData
 */

/** @param {Known[]} known @returns {PublicKeyCredentialDescriptor[]} */
const descriptorsOf = (known) =>
  known.map(({ id, transports }) => ({
    type: 'public-key',
    id: bytesOf(id),
    ...(transports && { transports }),
  }))

/** @param {{ data: any, known: Known[] }} options @returns {Promise<Record<string, string>>} */
async function make({ data, known }) {
  /** @type {ActivationData} */
  const { rp, user, challenge, pubKeyCredParams, attestation, authenticatorSelection } = data
  const credential = /** @type {PublicKeyCredential} */ (
    await navigator.credentials.create({
      publicKey: {
        rp,
        user: { ...user, id: bytesOf(user.id) },
        challenge: bytesOf(challenge),
        pubKeyCredParams,
        ...(attestation && { attestation }),
        ...(authenticatorSelection && { authenticatorSelection }),
        excludeCredentials: descriptorsOf(known),
      },
    })
  )
  const response = /** @type {AuthenticatorAttestationResponse} */ (credential.response)
  return {
    clientData: textOf(response.clientDataJSON),
    attestation: textOf(response.attestationObject),
    transports: JSON.stringify(response.getTransports?.() ?? []),
  }
}

/** @param {{ data: any, known: Known[] }} options @returns {Promise<Record<string, string>>} */
async function use({ data, known }) {
  /** @type {ChallengeData} */
  const { challenge, rpId, userVerification } = data
  const credential = /** @type {PublicKeyCredential} */ (
    await navigator.credentials.get({
      publicKey: {
        challenge: bytesOf(challenge),
        allowCredentials: descriptorsOf(known),
        ...(rpId && { rpId }),
        ...(userVerification && { userVerification }),
      },
    })
  )
  const response = /** @type {AuthenticatorAssertionResponse} */ (credential.response)
  return {
    clientData: textOf(response.clientDataJSON),
    authenticatorData: textOf(response.authenticatorData),
    signatureData: textOf(response.signature),
  }
}

const passkeyForm = /** @type {HTMLFormElement | null} */ (document.querySelector('form[data-passkey]'))
const askButton = passkeyForm?.querySelector('button')
const askStatus = passkeyForm?.querySelector('[data-status]')

if (passkeyForm && askButton && askStatus && window.PublicKeyCredential !== undefined) {
  const { passkey, options = '', waiting = '', refused = '', known = '' } = passkeyForm.dataset
  askButton.hidden = false
  passkeyForm.querySelector('[data-without]')?.remove()
  askButton.focus()

  passkeyForm.addEventListener('submit', async (event) => {
    event.preventDefault()
    askButton.disabled = true
    askStatus.textContent = waiting
    try {
      const ask = passkey === 'create' ? make : use
      for (const [name, value] of Object.entries(await ask(JSON.parse(options)))) {
        const field = passkeyForm.querySelector(`input[name="${name}"]`)
        if (field instanceof HTMLInputElement) field.value = value
      }
      passkeyForm.submit()
    } catch (error) {
      // The device has one of this account already, or nothing was chosen: browsers say no more.
      askStatus.textContent =
        error instanceof DOMException && error.name === 'InvalidStateError' ? known : refused
      askButton.disabled = false
      askButton.focus()
    }
  })
}
