import { useOktaAuth } from '@okta/okta-react'
import { useState } from 'react'
import { useNavigate } from 'react-router-dom'

const labels = {
  identify: 'Email',
  'challenge-authenticator': 'Code',
  'reset-authenticator': 'New password',
}

export function Recover() {
  const { oktaAuth } = useOktaAuth()
  const navigate = useNavigate()
  const [step, setStep] = useState('identify')
  const [message, setMessage] = useState('')

  async function submit(event) {
    event.preventDefault()
    const value = new FormData(event.target).get('answer')
    event.target.reset()
    const { idx } = oktaAuth
    const transaction = await {
      identify: () => idx.recoverPassword({ username: value, authenticators: ['okta_email'] }),
      'challenge-authenticator': () => idx.proceed({ verificationCode: value }),
      'reset-authenticator': () => idx.proceed({ password: value }),
    }[step]()
    setMessage(transaction.messages?.map((one) => one.message).join(' ') ?? '')
    if (transaction.nextStep) setStep(transaction.nextStep.name)
    if (transaction.status !== 'SUCCESS') return
    oktaAuth.tokenManager.setTokens(transaction.tokens)
    navigate('/')
  }

  return (
    <form onSubmit={submit}>
      <label>
        {labels[step]} <input name="answer" type={step === 'reset-authenticator' ? 'password' : 'text'} />
      </label>
      <button type="submit">Next</button>
      <p role="status">{message}</p>
    </form>
  )
}
