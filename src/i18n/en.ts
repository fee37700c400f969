/**
 * English: the catalogue that all other languages follow. `${names}` are replaced with values when a sentence is used;
 * their order may differ between languages, their spelling may not.
 */
export const en = {
  language: 'en',
  /** `machine-drafted` until a native speaker has reviewed and signed it. */
  review: 'signed' as 'signed' | 'machine-drafted',

  /** The details of a request, in mails and on the pages of the engine. */
  context: {
    title: 'Where this came from',
    account: 'Account',
    app: 'Application',
    browser: 'Browser',
    system: 'System',
    address: 'IP address',
    when: 'When',
    moment: '${request.date}, ${request.time}',
  },

  /** The sentences of mails; a template refers to them as `${words.ForgotPassword.title}`. */
  mail: {
    common: {
      greeting: 'Hi ${user.profile.firstName},',
      greetingNoName: 'Hi,',
      // Programs that read codes from mails search for the text up to the colon, here and in each `codeOnly`.
      codeInstead: 'Enter a code instead:',
      neverTell:
        'Never tell anyone this code. Anyone who asks you for it, by phone, chat or mail, is trying to get into your account.',
      copyLink: 'If the button does not work, open this address:',
      openLink: 'Open this address:',
      lifetimeBoth: 'The link and the code are good for one use within ${lifetime}.',
      lifetimeLink: 'The link is good for one use within ${lifetime}.',
      lifetimeCode: 'The code is good for one use within ${lifetime}.',
      footer: '${org.name} sent you this because it concerns your account.',
    },
    notice: {
      byAdministrator:
        'An administrator of ${org.name} did this. If you expected it, there is nothing more to do.',
      wasYou: 'If it was you, there is nothing more to do.',
      notYouTitle: 'If you did not expect this',
      password:
        'Set a new password at once: go to the sign-in page yourself, not by a link in a mail, and choose “Forgot your password?”.',
      tell: 'Tell the people who run ${org.name} at once.',
    },
    ForgotPassword: {
      subject: 'Reset your password',
      title: 'Reset your password',
      intro: 'We received a request to reset your password.',
      button: 'Reset password',
      codeOnly: 'On the page where you asked for this, enter this code:',
      notYou: 'If it was not you, do nothing: your password stays as it is.',
    },
    EmailChallenge: {
      subject: 'Confirm that it is you',
      title: 'Confirm that it is you',
      intro: 'We received a request to sign in to your account.',
      button: 'Yes, it is me',
      codeOnly: 'On the page where you were asked for it, enter this code:',
      notYou: 'If it was not you, do nothing with this mail. If it happens again, change your password.',
    },
    SelfServiceUnlock: {
      subject: 'Unlock your account',
      title: 'Unlock your account',
      intro: 'We received a request to unlock your account.',
      button: 'Unlock account',
      codeOnly: 'On the page where you asked for this, enter this code:',
      notYou: 'If it was not you, do nothing: your account stays locked.',
    },
    RegistrationEmailVerification: {
      subject: 'Confirm your address',
      title: 'Confirm your address',
      intro: 'We received a request to make an account with this address at ${org.name}.',
      button: 'Confirm address',
      codeOnly: 'On the page where you signed up, enter this code:',
      notYou: 'If it was not you, do nothing: without this code no account is made.',
    },
    RegistrationTaken: {
      subject: 'You already have an account',
      title: 'You already have an account',
      intro:
        'We received a request to make a new account with this address at ${org.name}. You already have one, so nothing was made or changed.',
      how: 'If it was you: go to the sign-in page and sign in with this address. If you have no password, or have forgotten it, choose “Forgot your password?” there.',
      notYou: 'If it was not you, there is nothing to do.',
    },
    Welcome: {
      subject: 'Welcome to ${org.name}',
      title: 'Welcome',
      intro: 'Your account at ${org.name} is ready. You sign in with ${user.profile.login}.',
      notYou: 'If you did not make this account, tell the people who run ${org.name}.',
    },
    PasswordResetByAdmin: {
      subject: 'Reset your password',
      title: 'Reset your password',
      intro: 'An administrator of ${org.name} asks you to set a new password. Your old one no longer works.',
      button: 'Set a new password',
      notYou: 'If you did not expect this, ask the people who run ${org.name} before you go on.',
    },
    UserActivation: {
      subject: 'Welcome to ${org.name}',
      title: 'Welcome',
      intro: 'An account was made for you at ${org.name}. Choose a password to use it.',
      button: 'Choose a password',
      notYou: 'If you did not expect this, do nothing: without a password the account cannot be used.',
    },
    PasswordChanged: {
      subject: 'Your password was changed',
      title: 'Your password was changed',
      intro: 'The password of your account was changed.',
      wasYou: 'If it was you, there is nothing more to do.',
      notYouTitle: 'If it was not you',
      notYouReset:
        'Set a new password at once: go to the sign-in page yourself, not by a link in a mail, and choose “Forgot your password?”.',
      notYouMailbox:
        'Change the password of your mailbox too: anyone who can read your mail could do this again.',
      notYouTell: 'Then tell the people who run ${org.name}.',
    },
    PasswordExpired: {
      subject: 'Your password has to be replaced',
      title: 'Your password has to be replaced',
      intro:
        'The password of your account no longer signs you in. Set a new one the next time you sign in, or by “Forgot your password?” on the sign-in page.',
    },
    EmailChanged: {
      subject: 'Your email address was changed',
      title: 'Your email address was changed',
      intro: 'The email address of your account was changed.',
      newEmail: 'New address',
      mailsGo:
        'Mails about your account, and codes that reset its password, go to the new address from now on.',
    },
    LoginChanged: {
      subject: 'Your username was changed',
      title: 'Your username was changed',
      intro: 'The name that you sign in with was changed.',
      newLogin: 'New username',
    },
    AuthenticatorEnrolled: {
      subject: 'A security method was set up or changed',
      title: 'A security method was set up or changed',
      intro: 'A security method was set up or changed for your account. It can prove that it is you.',
      method: 'Security method',
    },
    AuthenticatorReset: {
      subject: 'A security method was removed',
      title: 'A security method was removed',
      intro: 'A security method was removed from your account. It no longer proves that it is you.',
    },
    AccountUnlocked: {
      subject: 'Your account was unlocked',
      title: 'Your account was unlocked',
      intro:
        'Your account, which was locked after too many wrong passwords, was unlocked. Your password is the same as before.',
    },
    PendingEmailChange: {
      subject: 'Confirm your new address',
      title: 'Confirm your new address',
      intro: 'We received a request to use this address for an account at ${org.name}.',
      codeOnly: 'On the page where you asked for it, enter this code:',
      notYou: 'If it was not you, do nothing: without the code nothing changes.',
    },
    AccountChangeWaiting: {
      subject: 'A change of your account is waiting',
      title: 'A change of your account is waiting',
      intro:
        'A browser that is signed in to your account asked for a change: ${change}. It was not confirmed with a security method that you had before, so it waits.',
      when: 'It will be made on',
      newEmail: 'New address',
      method: 'Security method',
      button: 'Stop the change',
      wasYou: 'If it was you, there is nothing more to do.',
      notYou: 'If it was not you, stop it now, and set a new password.',
    },
  },

  /** The page that stops a change that a user has asked for. */
  account: {
    email: 'a new email address',
    removes: 'the removal of a security method',
    stopTitle: 'Stop this change',
    stopIntro:
      'A change of your account is waiting: ${change}. It will be made on ${date} unless you stop it.',
    stop: 'Stop the change',
    stopped: 'The change is stopped',
    stoppedNext:
      'Your account stays as it was. If you did not ask for the change, set a new password now: the request came from a browser that was signed in to your account.',
    nothing: 'Nothing to stop',
    nothingNext:
      'The change was made, was stopped before, or this link is not complete. If you did not expect it, tell the people who run ${org}.',
  },

  /** Text messages and calls. Programs that read a code from a text search for the words before it. */
  text: {
    code: 'Your verification code is ${code}.',
    keep: 'It is from ${org.name} and good for ${lifetime}. Share it with no one.',
    call: 'Hello. Your verification code for ${org.name} is ${digits}.',
    callAgain: 'Once more: ${digits}. Share it with no one. Goodbye.',
  },

  /** The page that a mailed link opens if the app has no page for it. */
  link: {
    /** What the owner of the mailbox is offered, where another request than the own one sent the mail. */
    /** In the browser that began it: the code is taken over by a button. */
    here: {
      text: 'You began this in this browser. Go on here, and nothing has to be typed in.',
      button: 'Continue here',
      back: 'Go on where you were',
    },
    /** Where the browser has the session of another user. */
    otherUser: 'You are signed in here as ${user}. This link is for ${other}.',
    own: {
      offer: 'This is my account: set a new password here',
      title: 'Set a new password here?',
      text: 'If the account of this address is yours, you can set a new password in this browser. The request that sent this mail ends, wherever it came from, and learns nothing of it.',
      confirm: 'Set a new password here',
    },
    title: 'Verify with your email',
    yourCode: 'Your code',
    enterCode: {
      authentication: 'Enter this code on the sign-in page you started.',
      recovery: 'Enter this code on the password reset page you started.',
      unlock: 'Enter this code on the account unlock page you started.',
      enrollment: 'Enter this code on the sign-up page you started.',
    },
    requestTitle: 'Where the code was requested',
    notYou: 'If you did not ask for it, close this page.',
    neverTell: 'Never tell anyone this code.',
    returnToTab: 'That worked. Return to the tab or window where you started.',
    closeWindow: 'You can close this one.',
    transferred: 'You went on in a new tab.',
    expired: 'This email link has expired. To get a new one, return to the screen where you asked for it.',
    stale: 'This email link is out of date. Return to the screen where you asked for it.',
    failed:
      'This email link could not be used: it was used before, it is not complete, or the attempt it belongs to is over. Return to the screen where you asked for it.',
    oktaVerify:
      'This page cannot set up Okta Verify: only a service of Okta itself can. Go back to the page where you scanned the code and choose another security method.',
    notWorking: 'This link does not work',
    backTo: 'Go to ${app}',
  },

  /** The page at the end of a sign-out, and the one where it cannot be carried out. */
  signOut: {
    ask: 'Sign out?',
    confirm: 'Sign out',
    signedInAs: 'You are signed in as ${user}.',
    stay: 'Stay signed in',
    again: 'That was not a form of this page. Please confirm once more.',
    title: 'Signed out',
    done: 'You are signed out.',
    close: 'You can close this page.',
    failedTitle: 'Signing out did not work',
    failed: 'The application sent a request that cannot be carried out.',
    failedNext:
      'You may still be signed in. Go back to the application and sign out there once more, or close all windows of this browser on a computer that others use.',
  },

  /** The page that asks a signed-in user whether to go on to an app with a scheme of its own. */
  goOn: {
    title: 'Go on to ${app}?',
    text: 'The address of the app begins with ${scheme} and is opened by a program of this device. Go on only if you have opened the app yourself.',
    confirm: 'Go on',
  },

  /** The error pages of the engine. */
  error: {
    title: 'Something went wrong',
    unexpected: 'That did not work. Please try again in a moment.',
    notFound: 'There is no page at this address.',
    reference: 'If you report this, give the reference ${errorId}.',
    endedTitle: 'This sign-in is over',
    ended: 'It was used already, has ended, or began in another browser. You can sign in again.',
    again: 'To the sign-in page',
  },
}
