// What the apps in a browser share: the same words for every client.
export const settings = JSON.parse(document.querySelector('#settings').textContent)
const root = document.querySelector('#app')

function button(name, act) {
  const one = document.createElement('button')
  one.textContent = name
  one.addEventListener('click', () => Promise.resolve(act()).catch(showFailure))
  return one
}
export const showSignedOut = (signIn) => root.replaceChildren(button('Sign in', signIn))
export const showSignedIn = (name, { refresh, signOut }) =>
  root.replaceChildren(`Hello ${name} `, button('Refresh', refresh), button('Sign out', signOut))
export const showFailure = (error) => root.replaceChildren(`Failed: ${error?.stack ?? error}`)
