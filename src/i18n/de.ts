import type { Words } from './words.ts'

/** German, addressing the reader formally. */
export const de: Words = {
  language: 'de',
  review: 'machine-drafted',

  context: {
    title: 'Woher die Anfrage kam',
    account: 'Konto',
    app: 'Anwendung',
    browser: 'Browser',
    system: 'System',
    address: 'IP-Adresse',
    when: 'Zeitpunkt',
    moment: '${request.date}, ${request.time}',
  },

  mail: {
    common: {
      greeting: 'Guten Tag ${user.profile.firstName},',
      greetingNoName: 'Guten Tag,',
      codeInstead: 'Oder diesen Code eingeben:',
      neverTell:
        'Geben Sie diesen Code niemandem weiter. Wer Sie am Telefon, im Chat oder per E-Mail danach fragt, will in Ihr Konto eindringen.',
      copyLink: 'Falls die Schaltfläche nicht funktioniert, öffnen Sie diese Adresse:',
      openLink: 'Öffnen Sie diese Adresse:',
      lifetimeBoth: 'Link und Code gelten einmal und höchstens ${lifetime} lang.',
      lifetimeLink: 'Der Link gilt einmal und höchstens ${lifetime} lang.',
      lifetimeCode: 'Der Code gilt einmal und höchstens ${lifetime} lang.',
      footer: '${org.name} hat Ihnen diese Nachricht geschickt, weil sie Ihr Konto betrifft.',
    },
    notice: {
      byAdministrator:
        'Das war die Verwaltung von ${org.name}. Wenn Sie damit gerechnet haben, ist nichts weiter zu tun.',
      wasYou: 'Wenn Sie das waren, ist nichts weiter zu tun.',
      notYouTitle: 'Wenn Sie das nicht erwartet haben',
      password:
        'Setzen Sie sofort ein neues Passwort: Gehen Sie selbst zur Anmeldeseite, nicht über einen Link in einer E-Mail, und wählen Sie „Passwort vergessen?“.',
      tell: 'Sagen Sie den Betreibern von ${org.name} sofort Bescheid.',
    },
    ForgotPassword: {
      subject: 'Setzen Sie Ihr Passwort zurück',
      title: 'Passwort zurücksetzen',
      intro: 'Jemand, hoffentlich Sie selbst, möchte Ihr Passwort zurücksetzen.',
      button: 'Passwort zurücksetzen',
      codeOnly: 'Geben Sie diesen Code auf der Seite ein, auf der Sie angefragt haben:',
      notYou: 'Wenn Sie das nicht waren, tun Sie nichts: Ihr Passwort bleibt, wie es ist.',
    },
    EmailChallenge: {
      subject: 'Bestätigen Sie, dass Sie es sind',
      title: 'Bestätigen Sie, dass Sie es sind',
      intro: 'Jemand, hoffentlich Sie selbst, meldet sich gerade bei Ihrem Konto an.',
      button: 'Ja, das bin ich',
      codeOnly: 'Geben Sie diesen Code auf der Seite ein, die danach fragt:',
      notYou:
        'Wenn Sie das nicht sind, tun Sie mit dieser Nachricht nichts. Geschieht es noch einmal, ändern Sie Ihr Passwort.',
    },
    SelfServiceUnlock: {
      subject: 'Entsperren Sie Ihr Konto',
      title: 'Konto entsperren',
      intro: 'Jemand, hoffentlich Sie selbst, möchte Ihr Konto entsperren.',
      button: 'Konto entsperren',
      codeOnly: 'Geben Sie diesen Code auf der Seite ein, auf der Sie angefragt haben:',
      notYou: 'Wenn Sie das nicht waren, tun Sie nichts: Ihr Konto bleibt gesperrt.',
    },
    RegistrationEmailVerification: {
      subject: 'Bestätigen Sie Ihre Adresse',
      title: 'Adresse bestätigen',
      intro: 'Mit dieser Adresse soll bei ${org.name} ein Konto angelegt werden.',
      button: 'Adresse bestätigen',
      codeOnly: 'Geben Sie diesen Code auf der Seite ein, auf der Sie sich registriert haben:',
      notYou: 'Wenn Sie das nicht waren, tun Sie nichts: Ohne diesen Code wird kein Konto angelegt.',
    },
    RegistrationTaken: {
      subject: 'Sie haben schon ein Konto',
      title: 'Sie haben schon ein Konto',
      intro:
        'Mit dieser Adresse sollte bei ${org.name} ein neues Konto angelegt werden. Sie haben schon eines; es wurde nichts angelegt und nichts geändert.',
      how: 'Wenn Sie das waren: Gehen Sie auf die Anmeldeseite und melden Sie sich mit dieser Adresse an. Wenn Sie kein Passwort haben oder es vergessen haben, wählen Sie dort „Passwort vergessen?“.',
      notYou: 'Wenn Sie das nicht waren, ist nichts zu tun.',
    },
    Welcome: {
      subject: 'Willkommen bei ${org.name}',
      title: 'Willkommen',
      intro: 'Ihr Konto bei ${org.name} ist bereit. Sie melden sich mit ${user.profile.login} an.',
      notYou: 'Wenn Sie dieses Konto nicht angelegt haben, sagen Sie es den Betreibern von ${org.name}.',
    },
    PasswordResetByAdmin: {
      subject: 'Setzen Sie Ihr Passwort zurück',
      title: 'Passwort zurücksetzen',
      intro:
        'Die Betreiber von ${org.name} bitten Sie, ein neues Passwort zu setzen. Ihr altes gilt nicht mehr.',
      button: 'Neues Passwort setzen',
      notYou: 'Wenn Sie das nicht erwartet haben, fragen Sie zuerst bei den Betreibern von ${org.name} nach.',
    },
    UserActivation: {
      subject: 'Willkommen bei ${org.name}',
      title: 'Willkommen',
      intro: 'Bei ${org.name} wurde ein Konto für Sie angelegt. Wählen Sie ein Passwort, um es zu nutzen.',
      button: 'Passwort wählen',
      notYou:
        'Wenn Sie das nicht erwartet haben, tun Sie nichts: Ohne Passwort kann niemand das Konto nutzen.',
    },
    PasswordChanged: {
      subject: 'Ihr Passwort wurde geändert',
      title: 'Ihr Passwort wurde geändert',
      intro: 'Das Passwort Ihres Kontos wurde geändert.',
      wasYou: 'Wenn Sie das waren, ist nichts weiter zu tun.',
      notYouTitle: 'Wenn Sie das nicht waren',
      notYouReset:
        'Setzen Sie sofort ein neues Passwort: Gehen Sie selbst zur Anmeldeseite, nicht über einen Link in einer E-Mail, und wählen Sie „Passwort vergessen?“.',
      notYouMailbox:
        'Ändern Sie auch das Passwort Ihres Postfachs: Wer Ihre E-Mails liest, könnte dies wiederholen.',
      notYouTell: 'Sagen Sie danach den Betreibern von ${org.name} Bescheid.',
    },
    PasswordExpired: {
      subject: 'Sie brauchen ein neues Passwort',
      title: 'Sie brauchen ein neues Passwort',
      intro:
        'Mit dem Passwort Ihres Kontos können Sie sich nicht mehr anmelden. Setzen Sie bei der nächsten Anmeldung ein neues, oder über „Passwort vergessen?“ auf der Anmeldeseite.',
    },
    EmailChanged: {
      subject: 'Ihre E-Mail-Adresse wurde geändert',
      title: 'Ihre E-Mail-Adresse wurde geändert',
      intro: 'Die E-Mail-Adresse Ihres Kontos wurde geändert.',
      newEmail: 'Neue Adresse',
      mailsGo:
        'Nachrichten zu Ihrem Konto und Codes, mit denen sich das Passwort zurücksetzen lässt, gehen ab jetzt an die neue Adresse.',
    },
    LoginChanged: {
      subject: 'Ihr Benutzername wurde geändert',
      title: 'Ihr Benutzername wurde geändert',
      intro: 'Der Name, mit dem Sie sich anmelden, wurde geändert.',
      newLogin: 'Neuer Benutzername',
    },
    AuthenticatorEnrolled: {
      subject: 'Eine Sicherheitsmethode wurde eingerichtet oder geändert',
      title: 'Eine Sicherheitsmethode wurde eingerichtet oder geändert',
      intro:
        'Für Ihr Konto wurde eine Sicherheitsmethode eingerichtet oder geändert. Mit ihr lässt sich nachweisen, dass Sie es sind.',
      method: 'Sicherheitsmethode',
    },
    AuthenticatorReset: {
      subject: 'Eine Sicherheitsmethode wurde entfernt',
      title: 'Eine Sicherheitsmethode wurde entfernt',
      intro:
        'Von Ihrem Konto wurde eine Sicherheitsmethode entfernt. Sie weist nicht mehr nach, dass Sie es sind.',
    },
    AccountUnlocked: {
      subject: 'Ihr Konto wurde entsperrt',
      title: 'Ihr Konto wurde entsperrt',
      intro:
        'Ihr Konto war nach zu vielen falschen Passwörtern gesperrt und wurde entsperrt. Ihr Passwort ist dasselbe wie vorher.',
    },
    PendingEmailChange: {
      subject: 'Bestätigen Sie Ihre neue Adresse',
      title: 'Neue Adresse bestätigen',
      intro: 'Diese Adresse soll für ein Konto bei ${org.name} verwendet werden.',
      codeOnly: 'Geben Sie auf der Seite, auf der Sie das angefordert haben, diesen Code ein:',
      notYou: 'Wenn Sie das nicht waren, tun Sie nichts: Ohne den Code ändert sich nichts.',
    },
    AccountChangeWaiting: {
      subject: 'Eine Änderung Ihres Kontos steht bevor',
      title: 'Eine Änderung Ihres Kontos steht bevor',
      intro:
        'Jemand, der in Ihrem Konto angemeldet ist, hat eine Änderung verlangt: ${change}. Sie wurde nicht mit einer Sicherheitsmethode bestätigt, die Sie vorher hatten; deshalb wird gewartet.',
      when: 'Ausgeführt wird sie am',
      newEmail: 'Neue Adresse',
      method: 'Sicherheitsmethode',
      button: 'Änderung stoppen',
      wasYou: 'Wenn Sie das waren, ist nichts weiter zu tun.',
      notYou: 'Wenn Sie das nicht waren, stoppen Sie die Änderung jetzt und setzen Sie ein neues Passwort.',
    },
  },

  account: {
    email: 'eine neue E-Mail-Adresse',
    removes: 'das Entfernen einer Sicherheitsmethode',
    stopTitle: 'Diese Änderung stoppen',
    stopIntro:
      'Eine Änderung Ihres Kontos steht bevor: ${change}. Sie wird am ${date} ausgeführt, wenn Sie sie nicht stoppen.',
    stop: 'Änderung stoppen',
    stopped: 'Die Änderung ist gestoppt',
    stoppedNext:
      'Ihr Konto bleibt, wie es war. Wenn Sie die Änderung nicht verlangt haben, setzen Sie jetzt ein neues Passwort: Wer sie verlangt hat, war in Ihrem Konto angemeldet.',
    nothing: 'Nichts zu stoppen',
    nothingNext:
      'Die Änderung wurde ausgeführt, sie wurde schon gestoppt, oder dieser Link ist unvollständig. Wenn Sie das nicht erwartet haben, sagen Sie den Betreibern von ${org} Bescheid.',
  },

  text: {
    code: 'Ihr Bestätigungscode lautet ${code}.',
    keep: 'Er kommt von ${org.name} und gilt ${lifetime}. Geben Sie ihn niemandem weiter.',
    call: 'Guten Tag. Ihr Bestätigungscode für ${org.name} lautet ${digits}.',
    callAgain: 'Noch einmal: ${digits}. Geben Sie ihn niemandem weiter. Auf Wiederhören.',
  },

  link: {
    here: {
      text: 'Sie haben in diesem Browser begonnen. Machen Sie hier weiter: Es muss nichts eingegeben werden.',
      button: 'Hier weitermachen',
      back: 'Dort weitermachen, wo Sie waren',
    },
    otherUser: 'Sie sind hier als ${user} angemeldet. Dieser Link ist für ${other}.',
    own: {
      offer: 'Das ist mein Konto: hier ein neues Passwort setzen',
      title: 'Hier ein neues Passwort setzen?',
      text: 'Wenn das Konto zu dieser Adresse Ihnen gehört, können Sie in diesem Browser ein neues Passwort setzen. Die Anfrage, durch die diese Mail verschickt wurde, endet, woher sie auch kam, und erfährt nichts davon.',
      confirm: 'Hier ein neues Passwort setzen',
    },
    title: 'Bestätigung per E-Mail',
    yourCode: 'Ihr Code',
    enterCode: {
      authentication: 'Geben Sie diesen Code auf der Anmeldeseite ein, auf der Sie begonnen haben.',
      recovery: 'Geben Sie diesen Code auf der Seite ein, auf der Sie das Zurücksetzen begonnen haben.',
      unlock: 'Geben Sie diesen Code auf der Seite ein, auf der Sie das Entsperren begonnen haben.',
      enrollment: 'Geben Sie diesen Code auf der Seite ein, auf der Sie die Registrierung begonnen haben.',
    },
    requestTitle: 'Von hier wurde der Code angefordert',
    notYou: 'Wenn Sie ihn nicht angefordert haben, schließen Sie diese Seite.',
    neverTell: 'Geben Sie diesen Code niemandem weiter.',
    returnToTab: 'Das hat geklappt. Kehren Sie zu dem Tab oder Fenster zurück, in dem Sie begonnen haben.',
    closeWindow: 'Sie können dieses hier schließen.',
    transferred: 'Sie haben in einem neuen Tab weitergemacht.',
    expired:
      'Dieser Link ist abgelaufen. Einen neuen erhalten Sie auf der Seite, auf der Sie ihn angefordert haben.',
    stale: 'Dieser Link ist überholt. Kehren Sie zu der Seite zurück, auf der Sie ihn angefordert haben.',
    failed:
      'Dieser Link konnte nicht verwendet werden: Er wurde bereits benutzt, ist unvollständig, oder der Vorgang, zu dem er gehört, ist beendet. Kehren Sie zu der Seite zurück, auf der Sie ihn angefordert haben.',
    oktaVerify:
      'Okta Verify lässt sich hier nicht einrichten: Das kann nur ein Dienst von Okta selbst. Kehren Sie zu der Seite zurück, auf der Sie den Code gescannt haben, und wählen Sie eine andere Sicherheitsmethode.',
    notWorking: 'Dieser Link funktioniert nicht',
    backTo: 'Zu ${app}',
  },

  signOut: {
    ask: 'Abmelden?',
    confirm: 'Abmelden',
    signedInAs: 'Sie sind als ${user} angemeldet.',
    stay: 'Angemeldet bleiben',
    again: 'Das war kein Formular dieser Seite. Bitte bestätigen Sie noch einmal.',
    title: 'Abgemeldet',
    done: 'Sie sind abgemeldet.',
    close: 'Sie können diese Seite schließen.',
    failedTitle: 'Die Abmeldung hat nicht geklappt',
    failed: 'Die Anwendung hat eine Anfrage geschickt, die nicht ausgeführt werden kann.',
    failedNext:
      'Möglicherweise sind Sie noch angemeldet. Gehen Sie zur Anwendung zurück und melden Sie sich dort noch einmal ab, oder schließen Sie an einem gemeinsam genutzten Computer alle Fenster dieses Browsers.',
  },

  goOn: {
    title: 'Weiter zu ${app}?',
    text: 'Die Adresse der Anwendung beginnt mit ${scheme} und wird von einem Programm dieses Geräts geöffnet. Fahren Sie nur fort, wenn Sie die Anwendung selbst geöffnet haben.',
    confirm: 'Weiter',
  },

  error: {
    title: 'Etwas ist schiefgegangen',
    unexpected: 'Das hat nicht geklappt. Bitte versuchen Sie es gleich noch einmal.',
    notFound: 'Unter dieser Adresse gibt es keine Seite.',
    reference: 'Wenn Sie dies melden, nennen Sie die Kennung ${errorId}.',
    endedTitle: 'Diese Anmeldung ist vorbei',
    ended:
      'Sie wurde schon benutzt, ist beendet oder hat in einem anderen Browser begonnen. Sie können sich neu anmelden.',
    again: 'Zur Anmeldeseite',
  },
}
