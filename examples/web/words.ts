/**
 * All texts of the pages. To add a language, add a catalogue of this shape to `catalogues`; the `Accept-Language` header
 * of the browser selects one.
 */
const english = {
  lang: 'en',
  appName: 'Sample Web App',
  next: 'Next',
  errorInTitle: 'Error',
  date: new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }),
  shortDate: new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }),

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
    facts: {
      sub: 'User id',
      name: 'Name',
      given_name: 'First name',
      family_name: 'Last name',
      preferred_username: 'Username',
      email: 'Email',
      email_verified: 'Email verified',
      locale: 'Language',
      zoneinfo: 'Time zone',
      updated_at: 'Last changed',
    } as Readonly<Record<string, string>>,
    yes: 'Yes',
    no: 'No',
  },

  identify: {
    title: 'Sign In',
    username: 'Username',
    password: 'Password',
    forgot: 'Forgot your password?',
    signUp: 'Sign up',
    signedInAlready: 'You are signed in already. Another sign-in takes the place of this one.',
    backHome: 'Stay signed in',
    noUsername: 'Enter your username.',
    noPassword: 'Enter your password.',
  },

  recovery: {
    title: 'Reset password',
    lead: 'Enter your username or email address to choose a new password.',
    username: 'Username or email',
    noUsername: 'Enter your username or email address.',
    notOffered: 'Passwords cannot be reset here. Contact your administrator.',
    backToSignIn: 'Back to sign in',
  },

  select: {
    title: 'Choose an authenticator',
    lead: 'Choose how to verify your identity.',
    legend: 'Authenticators',
    hints: {
      okta_email: 'Get a code and a link by mail',
      okta_password: 'Enter your password',
      google_otp: 'Enter the code from your app',
    } as Readonly<Record<string, string>>,
    noChoice: 'Choose one of the options.',
  },

  verification: {
    title: 'Get a code',
    lead: 'Choose how to receive the code.',
    legend: 'Methods',
  },

  challenge: {
    title: 'Check your mail',
    sentTo: (address: string) =>
      `If there is an account, a mail with a code and a link was sent to ${address}.`,
    sent: 'If there is an account, a mail with a code and a link was sent.',
    lifetime: (span: string | undefined) =>
      span === undefined
        ? 'The code works for a few minutes; the mail says how long.'
        : `The code works once, within ${span}.`,
    code: 'Enter code',
    noCode: 'Enter the code from the mail.',
    again: 'Send again',
    againHint: 'No mail? You can send it again after 30 seconds.',
    againIn: (seconds: number) => `You can request another mail in ${seconds} seconds.`,
    wrongOrOld: 'This code is not correct. Check it; if it is too old, send a new one.',
    sentAgain: 'A new mail was sent. The earlier code and link no longer work.',
    usedLink: 'I used the link in the mail',
    notYet: 'The link has not been used in this browser yet.',
    inbox: 'Development: open the inbox',
    appTitle: 'Enter the code from your app',
    fromApp: (app: string) => `Open ${app} and enter the code that it shows for this account.`,
    anyApp: 'your authenticator app',
    noAppCode: 'Enter the code from your app.',
    passwordTitle: 'Enter your password',
    password: 'Password',
    noPassword: 'Enter your password.',
  },

  enroll: {
    selectTitle: 'Set up an authenticator',
    selectLead: 'Choose what to sign in with from now on, besides your password.',
    legend: 'Authenticators',
    hints: {
      okta_email: 'Get a code and a link by mail',
      google_otp: 'Get codes from an app on your phone',
    } as Readonly<Record<string, string>>,
    title: (name: string) => `Set up ${name}`,
    passwordTitle: 'Choose a password',
    anyName: 'your authenticator',
    scan: 'Scan the QR code with your authenticator app. Then enter the code that the app shows.',
    qrCode: 'QR code for your authenticator app',
    noScan: 'If you cannot scan it, enter this key in the app:',
    sent: 'Enter the code that was sent to you.',
    code: 'Enter code',
    noCode: 'Enter the code.',
    skip: 'Not now',
  },

  reset: {
    title: 'Reset password',
    forUser: (name: string) => `For ${name}`,
    password: 'New password',
    confirm: 'Re-enter new password',
    rules: 'Your new password needs:',
    revokeSessions: 'Sign me out of all other devices',
    noPassword: 'Enter a new password.',
    mismatch: 'Passwords do not match.',
    met: 'Met: ',
    notMet: 'Not met: ',
    unmet: (rules: readonly string[]) => `Not met: ${rules.join('; ')}`,
    oneOf: (reasons: readonly string[]) => `Choose another password: ${reasons.join(', or ')}.`,
    minLength: (count: number) => `At least ${count} characters`,
    minLowerCase: 'A lowercase letter',
    minUpperCase: 'An uppercase letter',
    minNumber: 'A number',
    minSymbol: 'A symbol',
    excludeUsername: 'No parts of your username',
    excludeFirstName: 'Not your first name',
    excludeLastName: 'Not your last name',
    history: (count: number) =>
      count === 1 ? 'Not your current password' : `None of your last ${count} passwords`,
    hasUsername: 'it contains a part of your username',
    hasFirstName: 'it contains your first name',
    hasLastName: 'it contains your last name',
    wasUsed: (count: number) =>
      count === 1 ? 'it is your current password' : `it is one of your last ${count} passwords`,
  },

  reenroll: {
    title: 'Choose a new password',
    lead: 'Your password has expired. Choose a new one to continue.',
  },

  otherBrowser: {
    title: 'Your code',
    lead: 'Enter this code in the browser in which you requested it.',
    warning: 'Never tell anyone this code.',
    warningMore: 'Our staff will never ask for it. If you did not request it, close this page.',
    askedFrom: 'The code was requested from',
    app: 'App',
    browser: 'Browser',
    system: 'System',
    address: 'Address',
    when: 'When',
    unknown: 'unknown',
    noContext: 'This app does not know where this code was requested.',
    shownTitle: 'The code was shown once',
    shown: 'Open the link in the mail again to see the code.',
  },

  register: {
    title: 'Sign up',
    closed: 'Sign-up is closed.',
    closedMore: 'Ask the people who run this app for an account.',
    open: 'Sign-up is open on this server, but this sample app has no pages for it.',
    backToSignIn: 'Back to sign in',
  },

  tokenLink: {
    title: 'This link does not work',
    recovery:
      'It has expired or was used before. You can reset your password yourself, or ask the people who sent the link for another.',
    activation:
      'It has expired or was used before. If you have chosen a password, sign in with it; otherwise ask the people who sent the link for another.',
  },

  showPassword: { show: 'Show', hide: 'Hide' },

  stopped: {
    title: 'This attempt has ended',
    noPageTitle: 'This app cannot go on',
    doneTitle: 'Done',
    startAgain: 'Start again',
    tryAgain: 'Try again',
    expired: 'The attempt has expired or was finished in another tab. Please start again.',
    tooManyWrong: 'Too many wrong answers: this attempt is closed. You can start again at once.',
    tooMany: 'Too many attempts. Wait a few minutes before you try again.',
    unknownStep: (name: string) =>
      `The server requires the step “${name}”, for which this sample app has no page.`,
  },

  problem: {
    title: 'This did not work',
    notFoundTitle: 'There is no such page',
    notFound: 'Check the address.',
    badRequest: 'This address works only as a step of a sign-in. Start with one of these pages.',
    staleForm: 'This page was open for too long, or belongs to another sign-in. Nothing was sent.',
    refused: 'The sign-in service refused the request.',
    unreachable: 'The sign-in service does not respond correctly. Please try again in a moment.',
    unexpected: 'Something went wrong on our side.',
    reference: 'Reference',
    home: 'Go to the home page',
  },

  /** Texts for message keys of the server. All other messages are shown with the text of the server. */
  messages: {
    'errors.E0000004': 'Unable to sign in. Check your username and password.',
    'api.authn.error.PASSCODE_INVALID': 'This code is not correct. Check it and try again.',
    'idx.session.expired': 'The attempt has expired or was finished in another tab. Please start again.',
    tooManyRequests: 'Too many attempts. Wait a few minutes before you try again.',
    'oie.tooManyRequests': 'Too many attempts. Wait a few minutes before you try again.',
    'password.common': 'This password is on a list of commonly used ones. Choose another.',
  } as Readonly<Record<string, string>>,
}

export type Words = typeof english

const catalogues: readonly Words[] = [english]

/** The catalogue for the preferred language of the browser. `choose` is `request.acceptsLanguages` of Express. */
export function wordsFor(choose: (languages: string[]) => string | false): Words {
  const lang = choose(catalogues.map((catalogue) => catalogue.lang))
  return catalogues.find((catalogue) => catalogue.lang === lang) ?? english
}
