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
  day: new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }),
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
    methods: 'Your sign-in methods',
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
    noAccount: 'No account yet?',
    signUp: 'Sign up',
    unlock: 'Unlock account',
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

  captcha: {
    needsScript: 'Your browser must run JavaScript to show that you are human.',
  },

  select: {
    title: 'Choose an authenticator',
    lead: 'Choose how to verify your identity.',
    legend: 'Authenticators',
    hints: {
      okta_email: 'Get a code and a link by mail',
      okta_password: 'Enter your password',
      google_otp: 'Enter the code from your app',
      phone_number: 'Get a code by text message or call',
      sms: 'Get a code by text message',
      voice: 'Get a code by a call',
      security_question: 'Answer the question that you chose',
      webauthn: 'Use your device, its screen lock or a security key',
      recovery_codes: 'Enter one of the codes that you saved',
      okta_verify: 'Use the app',
    } as Readonly<Record<string, string>>,
    noChoice: 'Choose one of the options.',
    another: 'Choose another method',
  },

  verification: {
    title: 'Get a code',
    lead: 'Choose how to receive the code.',
    leadTo: (address: string) => `The code goes to ${address}.`,
    legend: 'Methods',
    methods: {
      sms: 'Text message',
      voice: 'Call',
      email: 'Email',
    } as Readonly<Record<string, string>>,
    hints: {
      sms: 'The code comes as a text message',
      voice: 'A voice says the code to you',
    } as Readonly<Record<string, string>>,
    send: { sms: 'Text me the code', voice: 'Call me', email: 'Send me a mail' } as Readonly<
      Record<string, string>
    >,
    sendCode: 'Send the code',
  },

  phone: {
    title: 'Set up your phone',
    lead: 'You get a code on this phone to try it, and later to sign in.',
    country: 'Country',
    number: 'Phone number',
    numberHint: 'Or with a plus and the code of its country, such as +44 20 7946 0018.',
    legend: 'How to receive the code',
    send: 'Send the code',
    otherNumber: 'Use another number',
    noNumber: 'Enter your phone number.',
    invalid: 'This is not a valid number for this country.',
  },

  question: {
    title: 'Set up a security question',
    lead: 'Choose a question whose answer only you know.',
    legend: 'The question',
    fromList: 'A question from the list',
    own: 'A question of your own',
    question: 'Security question',
    ownQuestion: 'Your question',
    answer: 'Answer',
    answerHint: 'At least four characters. Upper and lower case count as the same.',
    noQuestion: 'Write your question.',
    noAnswer: 'Enter the answer.',
  },

  passkey: {
    enrollTitle: 'Set up a passkey',
    enrollLead: 'Sign in with the fingerprint, face or PIN of this device, or with a security key.',
    verifyTitle: 'Use your passkey',
    verifyLead: 'Your device asks for your fingerprint, face or PIN, or for your security key.',
    create: 'Create a passkey',
    use: 'Use my passkey',
    waiting: 'Follow the instructions of your browser.',
    refused: 'No passkey was chosen. Try again, or choose another method.',
    known: 'This device has a passkey of your account already. Use another device.',
    without: 'This browser cannot use passkeys, or JavaScript is switched off. Choose another method.',
    none: 'No passkey was chosen. Try again.',
  },

  codes: {
    title: 'Save your recovery codes',
    lead: 'With one of these you get in if you lose your phone. They are shown only now: print them, or copy them to a safe place.',
    copy: 'Copy',
    copied: 'The codes are copied.',
    print: 'Print',
    confirm: 'Enter one of the codes',
    confirmHint: 'It shows that you have saved them. Each code works once, and this one is used by it.',
    noCode: 'Enter one of the codes above.',
  },

  warning: {
    title: 'Your password expires soon',
    lead: (days: number | undefined) =>
      days === undefined
        ? 'Choose a new one now, or do it later.'
        : `It works for ${days === 1 ? 'one more day' : `${days} more days`}. Choose a new one now, or do it later.`,
  },

  unlock: {
    title: 'Unlock your account',
    lead: 'After too many wrong passwords an account is locked. Prove that it is yours to open it.',
    username: 'Username or email',
    notOffered: 'Accounts cannot be unlocked here. Contact your administrator.',
  },

  confirm: {
    title: 'Confirm that it is you',
    lead: 'This changes how you sign in, so please sign in again first.',
    done: 'Thank you. You can go on now.',
  },

  methods: {
    title: 'Your sign-in methods',
    kinds: { webauthn: 'Passkey' } as Readonly<Record<string, string>>,
    add: 'Add a method',
    addButton: 'Add',
    rename: 'Rename',
    remove: 'Remove',
    home: 'Back to the home page',
    back: 'Back to your sign-in methods',
    facts: {
      added: (date: string) => `Added on ${date}`,
      used: (date: string) => `Last used on ${date}`,
      settles: (until: string) => `New, and fully trusted from ${until}`,
      removal: (until: string) => `Will be removed on ${until}. The link in your mail stops it.`,
    },
    nameTitle: 'Name this method',
    nameLead: (what: string) => `A name tells it from others, such as “${what} at work”.`,
    nameLabel: 'Name',
    save: 'Save',
    removeTitle: (name: string) => `Remove ${name}?`,
    removeLead: 'You will no longer be able to sign in with it.',
    lost: 'I have lost it and cannot use it any more',
    lostLead:
      'Then it is removed after a waiting time. You get a mail with a link that stops this, in case it was not you.',
    removeLater: 'Remove it after the waiting time',
    added: 'The method was added.',
    renamed: 'The name is saved.',
    removed: (name: string) => `${name} is removed.`,
    removalWaits: (name: string, until: string) =>
      `${name} will be removed on ${until}. You got a mail with a link that stops it.`,
    notChanged: 'The sign-in service did not change it.',
    notNow: 'The sign-in service does not offer this now.',
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
    codeSentAgain: 'A new code is on its way. The earlier one no longer works.',
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
    textTitle: 'Check your text messages',
    callTitle: 'Answer the call',
    texted: (number: string) => `A text message with a code was sent to ${number}.`,
    called: (number: string) => `A voice says a code in the call to ${number}.`,
    yourPhone: 'your phone',
    noPhoneCode: 'Enter the code that you got on your phone.',
    textAgainHint: 'No text message? You can send it again after 30 seconds.',
    callAgainHint: 'No call? You can ask for another one after 30 seconds.',
    callInstead: 'Call me instead',
    textInstead: 'Text me instead',
    codesTitle: 'Enter a recovery code',
    fromList: 'Enter one of the codes that you saved. Each works once.',
    recoveryCode: 'Recovery code',
    noRecoveryCode: 'Enter one of your recovery codes.',
    questionTitle: 'Answer your question',
    questionLead: 'You chose this question and its answer.',
    answer: 'Answer',
    noAnswer: 'Enter the answer.',
  },

  enroll: {
    selectTitle: 'Set up an authenticator',
    selectLead: 'Choose what to sign in with from now on, besides your password.',
    optionalLead: 'You may add something to sign in with, besides your password. It can wait.',
    requiredSoonTitle: 'Required soon',
    requiredSoonLead: 'You will need this to sign in. Set it up now, or later.',
    remindLater: 'Remind me later',
    until: (date: string) => `It can wait until ${date}.`,
    skipsLeft: (count: number) =>
      count === 1 ? 'It can wait once more.' : `It can wait ${count} more times.`,
    another: 'Set up another method',
    legend: 'Authenticators',
    hints: {
      okta_email: 'Get a code and a link by mail',
      okta_password: 'Choose a password',
      google_otp: 'Get codes from an app on your phone',
      phone_number: 'Get codes by text message or call',
      security_question: 'Answer a question that you choose',
      webauthn: 'Use the fingerprint, face or PIN of your device, or a security key',
      recovery_codes: 'Save codes for the day on which you lose your phone',
      okta_verify: 'Use the app',
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

  signUp: {
    title: 'Sign up',
    lead: 'An account takes a minute.',
    marks: 'Fields marked with * are required.',
    next: 'Create account',
    /** At the end of a sign-in. */
    completion: {
      title: 'Complete your profile',
      lead: 'This is still missing. Then you are signed in.',
      next: 'Continue',
    },
    haveAccount: 'You have an account?',
    signedInAlready: 'You are signed in already. A new account takes the place of this sign-in.',
    choose: 'Choose…',
    read: 'Read the full text',
    newTab: '(opens in a new tab)',
    /** Names of attributes; others go by the label of the server. */
    labels: {
      email: 'Email address',
      passcode: 'Password',
    } as Readonly<Record<string, string>>,
    missing: {
      text: (label: string) => `Fill in “${label}”.`,
      choice: 'Choose one of these.',
      box: 'Tick this box to go on.',
    },
    sentTo: (address: string) => `A mail was sent to ${address}. Enter the code in it, or open its link.`,
    sent: 'A mail was sent to you. Enter the code in it, or open its link.',
    known: 'If there is an account with this address already, the mail says how to sign in.',
    usedLink: 'I opened the link: continue',
    changeAddress: 'Use another address',
    selectLead: 'Choose how to sign in from now on.',
    optionalLead: 'You may add another way to sign in. It can wait.',
    closed: 'Sign-up is closed.',
    closedMore: 'Ask the people who run this app for an account.',
  },

  welcome: {
    title: 'Welcome',
    titleFor: (name: string) => `Welcome, ${name}`,
    lead: 'Your account is ready, and you are signed in.',
    goOn: 'Continue where you left off',
    home: 'Continue',
    methods: 'Add another way to sign in',
  },

  tokenLink: {
    title: 'This link does not work',
    expiredTitle: 'This link has expired',
    expired: 'An activation link is good for a week. You can have a new one sent to your address.',
    sendAgain: 'Send a new link',
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
    'authfactor.challenge.soft_token.invalid_passcode': 'This code is not correct. Check it and try again.',
    'authfactor.challenge.soft_token.used_passcode': 'This code was used before. Wait for the next one.',
    'authfactor.challenge.suspended_factor': 'Too many wrong answers. Choose another method, or wait.',
    'authfactor.webauthn.error.assertion_validation_failure': 'The passkey was not accepted. Try again.',
    'authfactor.webauthn.error.attestation_validation_failure': 'The passkey was not accepted. Try again.',
    'errors.E0000087': 'This answer is not correct. Check it and try again.',
    'errors.E0000109': 'A text message was just sent. Wait 30 seconds before you ask for another.',
    'errors.E0000133': 'You were just called. Wait 30 seconds before you ask for another call.',
    'errors.E0000150': 'Too many text messages. Try again later, or choose another method.',
    'errors.E0000151': 'Too many calls. Try again later, or choose another method.',
    'api.factors.error.sms.invalid_phone': 'This is no phone number. Check it.',
    'phone.number.notServed': 'No codes can be sent to this number. Use another one.',
    'recoveryCode.invalid': 'This is none of your unused codes. Each works once.',
    'captcha.required': 'Show that you are human, then try again.',
    'captcha.invalid': 'It could not be confirmed that you are human. Try again.',
    'captcha.unavailable': 'It cannot be confirmed now that you are human. Try again in a minute.',
    tooManyRequests: 'Too many attempts. Wait a few minutes before you try again.',
    'oie.tooManyRequests': 'Too many attempts. Wait a few minutes before you try again.',
    'registration.error.invalidLoginEmail': 'This is not an email address. Check it.',
    'registration.error.notUniqueWithinOrg':
      'There is an account with this already. Sign in, or use another.',
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
