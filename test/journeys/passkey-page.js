// Runs in the page of an app: what an app does with Okta's SDK and its helper for passkeys.
globalThis.passkeyPage = (() => {
  const { OktaAuth } = globalThis
  const begun = ({ person, ...options }) => ({ idx: new OktaAuth(options).idx, person })
  const resultOf = ({ status, tokens, messages }) => ({
    status,
    amr: tokens?.idToken.claims.amr,
    messages: messages?.map(({ message }) => message),
  })

  /** Signs in with a password, up to the page that makes or asks for a passkey. */
  async function atThePasskey(settings) {
    const { idx, person } = begun(settings)
    await idx.authenticate(person)
    const { nextStep } = await idx.proceed({ authenticator: 'webauthn' })
    return {
      idx,
      data: nextStep.authenticator.contextualData,
      enrollments: nextStep.authenticatorEnrollments,
    }
  }

  return {
    async enrols(settings) {
      const { idx, data, enrollments } = await atThePasskey(settings)
      const options = OktaAuth.webauthn.buildCredentialCreationOptions(data.activationData, enrollments)
      const credential = await navigator.credentials.create(options)
      return resultOf(await idx.proceed(OktaAuth.webauthn.getAttestation(credential)))
    },

    async verifies(settings) {
      const { idx, data, enrollments } = await atThePasskey(settings)
      const options = OktaAuth.webauthn.buildCredentialRequestOptions(data.challengeData, enrollments)
      const credential = await navigator.credentials.get(options)
      return resultOf(await idx.proceed(OktaAuth.webauthn.getAssertion(credential)))
    },

    async signsInWithoutAName(settings) {
      const { idx } = begun(settings)
      const { context } = await idx.start()
      const { challengeData } = context.webauthnAutofillUIChallenge.value
      const { publicKey } = OktaAuth.webauthn.buildCredentialRequestOptions(challengeData, [])
      const credential = await navigator.credentials.get({
        publicKey: { ...publicKey, allowCredentials: [] },
      })
      const userHandle = btoa(String.fromCharCode(...new Uint8Array(credential.response.userHandle)))
      const credentials = { ...OktaAuth.webauthn.getAssertion(credential), userHandle }
      return resultOf(await idx.proceed({ step: 'launch-passkeys-authenticator', credentials }))
    },
  }
})()
