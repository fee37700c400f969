/**
 * Every word of the pages. Another language is one more catalogue of this shape, added to `catalogues`; the browser's
 * `Accept-Language` chooses between them.
 */
const english = {
  lang: 'en',
  appName: 'Sample app',
  next: 'Next',
  errorInTitle: 'Error',
  date: new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }),

  home: {
    title: 'Home',
    welcome: 'Welcome',
    signedOut: 'You are signed out.',
    signIn: 'Sign in',
    greeting: (name: string) => `Hello, ${name}`,
    signedIn: 'You are signed in. This is what the app knows about you:',
    signOut: 'Sign out',
    passwordChanged: 'Your password is changed.',
    sessionEnded: 'Your session has ended. Please sign in again.',
  },

  identify: {
    title: 'Sign In',
    username: 'Username',
    password: 'Password',
    forgot: 'Forgot your password?',
    signUp: 'Sign up',
    noUsername: 'Enter your username.',
    noPassword: 'Enter your password.',
  },

  recovery: {
    title: 'Reset password',
    lead: 'Tell us who you are, and you can choose a new password.',
    username: 'Username or email',
    noUsername: 'Enter your username or email address.',
    notOffered: 'Passwords cannot be reset here. Ask whoever runs the server.',
    backToSignIn: 'Back to sign in',
  },

  select: {
    title: 'Choose an authenticator',
    lead: 'Show that it is you in one of these ways.',
    legend: 'Authenticators',
    hints: { okta_email: 'Get a code and a link by mail', okta_password: 'Enter your password' } as Readonly<
      Record<string, string>
    >,
    noChoice: 'Choose one of the options.',
  },

  verification: {
    title: 'Get a code',
    lead: 'How do you want to get it?',
    legend: 'Ways',
  },

  challenge: {
    title: 'Check your mail',
    sentTo: (address: string) =>
      `If there is an account, a mail with a code and a link is on its way to ${address}.`,
    sent: 'If there is an account, a mail with a code and a link is on its way.',
    code: 'Enter code',
    noCode: 'Enter the code from the mail.',
    again: 'Send again',
    againHint: 'No mail? You can have another one 30 seconds after the last.',
    againIn: (seconds: number) => `You can have another mail in ${seconds} seconds.`,
    sentAgain: 'A new mail is on its way. The earlier code and link no longer work.',
    usedLink: 'I used the link in the mail',
    notYet: 'The link has not been used in this browser yet.',
    inbox: 'Development: open the inbox',
    passwordTitle: 'Enter your password',
    password: 'Password',
    noPassword: 'Enter your password.',
  },

  reset: {
    title: 'Reset password',
    password: 'New password',
    confirm: 'Re-enter new password',
    rules: 'Your new password needs:',
    revokeSessions: 'Sign me out of all other devices',
    noPassword: 'Enter a new password.',
    mismatch: 'Passwords do not match',
    met: 'Met: ',
    notMet: 'Not met: ',
    minLength: (count: number) => `At least ${count} characters`,
    minLowerCase: 'A lowercase letter',
    minUpperCase: 'An uppercase letter',
    minNumber: 'A number',
    minSymbol: 'A symbol',
    excludeUsername: 'No parts of your username',
    excludeFirstName: 'Not your first name',
    excludeLastName: 'Not your last name',
    history: (count: number) =>
      count === 1 ? 'Not your present password' : `None of your last ${count} passwords`,
  },

  reenroll: {
    title: 'Choose a new password',
    lead: 'Your password has expired. Choose a new one to go on.',
  },

  otherBrowser: {
    title: 'Your code',
    lead: 'Type this code into the browser in which you asked for it.',
    warning: 'Never tell anyone this code.',
    warningMore: 'Nobody of our staff will ever ask for it. If it was not you who asked, close this page.',
    askedFrom: 'It was asked for from',
    app: 'App',
    browser: 'Browser',
    system: 'System',
    address: 'Address',
    when: 'When',
    unknown: 'unknown',
    noContext: 'This app does not remember who asked for this code. If it was not you, close this page.',
    shownTitle: 'The code was shown once',
    shown: 'Open the link in the mail again to see it once more.',
  },

  register: {
    title: 'Sign up',
    closed: 'Sign-up is closed.',
    closedMore:
      'People cannot create an account by themselves here. Whoever runs the server adds a person with:',
    command: 'npx rekey user add',
    open: 'Sign-up is open on this server, but this sample app has no pages for it.',
    backToSignIn: 'Back to sign in',
  },

  stopped: {
    title: 'This attempt has ended',
    doneTitle: 'Done',
    startAgain: 'Start again',
    tryAgain: 'Try again',
    expired: 'Too much time has passed, or the attempt was finished elsewhere. Please start again.',
    tooMany: 'Too many attempts. Wait a few minutes before you try again.',
    unknownStep: (name: string) => `The server asks for “${name}”, for which this sample app has no page.`,
  },

  problem: {
    title: 'This did not work',
    notFoundTitle: 'There is no such page',
    notFound: 'Perhaps the address is mistyped.',
    badRequest: 'The browser sent something this app cannot read.',
    staleForm: 'This page was open for too long, or in another sign-in. Nothing was sent.',
    refused: 'The sign-in service refused to go on.',
    unreachable: 'The sign-in service does not answer as it should. Please try again in a moment.',
    unexpected: 'Something went wrong on our side.',
    reference: 'Reference',
    home: 'Go to the home page',
  },

  /** Texts for message keys of the server. Every other message is shown in the server's own words. */
  messages: {
    'errors.E0000004': 'Unable to sign in. Check your username and password.',
    'api.authn.error.PASSCODE_INVALID': 'This code is not right. Check it and try again.',
    'idx.session.expired':
      'Too much time has passed, or the attempt was finished elsewhere. Please start again.',
    tooManyRequests: 'Too many attempts. Wait a few minutes before you try again.',
    'oie.tooManyRequests': 'Too many attempts. Wait a few minutes before you try again.',
    'password.common': 'This password is on a list of commonly used ones. Choose another.',
  } as Readonly<Record<string, string>>,
}

export type Words = typeof english

const catalogues: readonly Words[] = [english]

/** The catalogue a person reads best. `choose` is Express' `request.acceptsLanguages`. */
export function wordsFor(choose: (languages: string[]) => string | false): Words {
  const lang = choose(catalogues.map((catalogue) => catalogue.lang))
  return catalogues.find((catalogue) => catalogue.lang === lang) ?? english
}
