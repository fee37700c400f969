import type { Words } from './words.ts'

/** French, addressing the reader formally. */
export const fr: Words = {
  language: 'fr',
  review: 'machine-drafted',

  context: {
    title: 'Origine de la demande',
    account: 'Compte',
    app: 'Application',
    browser: 'Navigateur',
    system: 'Système',
    address: 'Adresse IP',
    when: 'Date et heure',
    moment: '${request.date}, ${request.time}',
  },

  mail: {
    common: {
      greeting: 'Bonjour ${user.profile.firstName},',
      greetingNoName: 'Bonjour,',
      codeInstead: 'Ou saisissez ce code :',
      neverTell:
        'Ne communiquez ce code à personne. Quiconque vous le demande par téléphone, messagerie ou e-mail cherche à accéder à votre compte.',
      copyLink: 'Si le bouton ne fonctionne pas, ouvrez cette adresse :',
      openLink: 'Ouvrez cette adresse :',
      lifetimeBoth: 'Le lien et le code ne servent qu’une fois et expirent dans ${lifetime}.',
      lifetimeLink: 'Le lien ne sert qu’une fois et expire dans ${lifetime}.',
      lifetimeCode: 'Le code ne sert qu’une fois et expire dans ${lifetime}.',
      footer: '${org.name} vous a envoyé ce message car il concerne votre compte.',
    },
    notice: {
      byAdministrator:
        'L’administration de ${org.name} en est à l’origine. Si vous vous y attendiez, vous n’avez rien d’autre à faire.',
      wasYou: 'Si c’était vous, vous n’avez rien d’autre à faire.',
      notYouTitle: 'Si vous ne vous y attendiez pas',
      password:
        'Choisissez immédiatement un nouveau mot de passe : allez vous-même sur la page de connexion, sans passer par un lien reçu par e-mail, et choisissez « Mot de passe oublié ? ».',
      tell: 'Prévenez immédiatement les responsables de ${org.name}.',
    },
    ForgotPassword: {
      subject: 'Réinitialisez votre mot de passe',
      title: 'Réinitialisez votre mot de passe',
      intro: 'Quelqu’un, vous-même nous l’espérons, a demandé à réinitialiser votre mot de passe.',
      button: 'Réinitialiser le mot de passe',
      codeOnly: 'Saisissez ce code sur la page où vous avez fait la demande :',
      notYou: 'Si ce n’était pas vous, ne faites rien : votre mot de passe reste inchangé.',
    },
    EmailChallenge: {
      subject: 'Confirmez que c’est bien vous',
      title: 'Confirmez que c’est bien vous',
      intro: 'Quelqu’un, vous-même nous l’espérons, se connecte à votre compte.',
      button: 'Oui, c’est moi',
      codeOnly: 'Saisissez ce code sur la page qui vous le demande :',
      notYou: 'Si ce n’est pas vous, ignorez ce message. Si cela se reproduit, changez votre mot de passe.',
    },
    SelfServiceUnlock: {
      subject: 'Déverrouillez votre compte',
      title: 'Déverrouillez votre compte',
      intro: 'Quelqu’un, vous-même nous l’espérons, a demandé à déverrouiller votre compte.',
      button: 'Déverrouiller le compte',
      codeOnly: 'Saisissez ce code sur la page où vous avez fait la demande :',
      notYou: 'Si ce n’était pas vous, ne faites rien : votre compte reste verrouillé.',
    },
    RegistrationEmailVerification: {
      subject: 'Confirmez votre adresse',
      title: 'Confirmez votre adresse',
      intro: 'Nous avons reçu une demande de création de compte avec cette adresse chez ${org.name}.',
      button: 'Confirmer l’adresse',
      codeOnly: 'Saisissez ce code sur la page où vous vous êtes inscrit :',
      notYou: 'Si ce n’était pas vous, ne faites rien : sans ce code, aucun compte n’est créé.',
    },
    RegistrationTaken: {
      subject: 'Vous avez déjà un compte',
      title: 'Vous avez déjà un compte',
      intro:
        'Nous avons reçu une demande de création de compte avec cette adresse chez ${org.name}. Vous en avez déjà un : rien n’a été créé ni modifié.',
      how: 'Si c’était vous : allez à la page de connexion et connectez-vous avec cette adresse. Si vous n’avez pas de mot de passe ou l’avez oublié, choisissez-y « Mot de passe oublié ? ».',
      notYou: 'Si ce n’était pas vous, il n’y a rien à faire.',
    },
    Welcome: {
      subject: 'Bienvenue chez ${org.name}',
      title: 'Bienvenue',
      intro: 'Votre compte chez ${org.name} est prêt. Vous vous connectez avec ${user.profile.login}.',
      notYou: 'Si vous n’avez pas créé ce compte, signalez-le à ${org.name}.',
    },
    PasswordResetByAdmin: {
      subject: 'Réinitialisez votre mot de passe',
      title: 'Réinitialisez votre mot de passe',
      intro:
        'Les responsables de ${org.name} vous demandent de définir un nouveau mot de passe. L’ancien ne fonctionne plus.',
      button: 'Définir un nouveau mot de passe',
      notYou:
        'Si vous ne vous y attendiez pas, renseignez-vous auprès des responsables de ${org.name} avant de continuer.',
    },
    UserActivation: {
      subject: 'Bienvenue chez ${org.name}',
      title: 'Bienvenue',
      intro: 'Un compte a été créé pour vous chez ${org.name}. Choisissez un mot de passe pour l’utiliser.',
      button: 'Choisir un mot de passe',
      notYou:
        'Si vous ne vous y attendiez pas, ne faites rien : sans mot de passe, personne ne peut utiliser le compte.',
    },
    PasswordChanged: {
      subject: 'Votre mot de passe a été modifié',
      title: 'Votre mot de passe a été modifié',
      intro: 'Le mot de passe de votre compte a été modifié.',
      wasYou: 'Si c’était vous, il n’y a rien d’autre à faire.',
      notYouTitle: 'Si ce n’était pas vous',
      notYouReset:
        'Définissez immédiatement un nouveau mot de passe : rendez-vous vous-même sur la page de connexion, sans suivre de lien reçu par e-mail, et choisissez « Mot de passe oublié ? ».',
      notYouMailbox:
        'Changez aussi le mot de passe de votre messagerie : quiconque lit vos e-mails pourrait recommencer.',
      notYouTell: 'Prévenez ensuite les responsables de ${org.name}.',
    },
    PasswordExpired: {
      subject: 'Votre mot de passe doit être remplacé',
      title: 'Votre mot de passe doit être remplacé',
      intro:
        'Le mot de passe de votre compte ne permet plus de vous connecter. Choisissez-en un nouveau à votre prochaine connexion, ou par « Mot de passe oublié ? » sur la page de connexion.',
    },
    EmailChanged: {
      subject: 'Votre adresse e-mail a été modifiée',
      title: 'Votre adresse e-mail a été modifiée',
      intro: 'L’adresse e-mail de votre compte a été modifiée.',
      newEmail: 'Nouvelle adresse',
      mailsGo:
        'Les e-mails concernant votre compte, et les codes pour réinitialiser son mot de passe, arrivent désormais à la nouvelle adresse.',
    },
    LoginChanged: {
      subject: 'Votre nom d’utilisateur a été modifié',
      title: 'Votre nom d’utilisateur a été modifié',
      intro: 'Le nom avec lequel vous vous connectez a été modifié.',
      newLogin: 'Nouveau nom d’utilisateur',
    },
    AuthenticatorEnrolled: {
      subject: 'Une méthode de sécurité a été configurée ou modifiée',
      title: 'Une méthode de sécurité a été configurée ou modifiée',
      intro:
        'Une méthode de sécurité a été configurée ou modifiée pour votre compte. Elle permet de prouver que c’est bien vous.',
      method: 'Méthode de sécurité',
    },
    AuthenticatorReset: {
      subject: 'Une méthode de sécurité a été supprimée',
      title: 'Une méthode de sécurité a été supprimée',
      intro:
        'Une méthode de sécurité a été supprimée de votre compte. Elle ne permet plus de prouver que c’est bien vous.',
    },
    AccountUnlocked: {
      subject: 'Votre compte a été déverrouillé',
      title: 'Votre compte a été déverrouillé',
      intro:
        'Votre compte, verrouillé après trop de mots de passe erronés, a été déverrouillé. Votre mot de passe est le même qu’avant.',
    },
    PendingEmailChange: {
      subject: 'Confirmez votre nouvelle adresse',
      title: 'Confirmez votre nouvelle adresse',
      intro: 'Nous avons reçu une demande d’utiliser cette adresse pour un compte chez ${org.name}.',
      codeOnly: 'Sur la page où vous l’avez demandé, saisissez ce code :',
      notYou: 'Si ce n’était pas vous, ne faites rien : sans le code, rien ne change.',
    },
    AccountChangeWaiting: {
      subject: 'Une modification de votre compte est en attente',
      title: 'Une modification de votre compte est en attente',
      intro:
        'Une personne connectée à votre compte a demandé une modification : ${change}. Elle n’a pas été confirmée par une méthode de sécurité que vous aviez auparavant ; elle est donc en attente.',
      when: 'Elle sera faite le',
      newEmail: 'Nouvelle adresse',
      method: 'Méthode de sécurité',
      button: 'Arrêter la modification',
      wasYou: 'Si c’était vous, vous n’avez rien d’autre à faire.',
      notYou: 'Si ce n’était pas vous, arrêtez-la maintenant et choisissez un nouveau mot de passe.',
    },
  },

  account: {
    email: 'une nouvelle adresse e-mail',
    removes: 'le retrait d’une méthode de sécurité',
    stopTitle: 'Arrêter cette modification',
    stopIntro:
      'Une modification de votre compte est en attente : ${change}. Elle sera faite le ${date}, sauf si vous l’arrêtez.',
    stop: 'Arrêter la modification',
    stopped: 'La modification est arrêtée',
    stoppedNext:
      'Votre compte reste tel qu’il était. Si vous n’avez pas demandé la modification, choisissez maintenant un nouveau mot de passe : la personne qui l’a demandée était connectée à votre compte.',
    nothing: 'Rien à arrêter',
    nothingNext:
      'La modification a été faite, a déjà été arrêtée, ou ce lien n’est pas complet. Si vous ne vous y attendiez pas, prévenez les responsables de ${org}.',
  },

  text: {
    code: 'Votre code de vérification est ${code}.',
    keep: 'Il vient de ${org.name} et expire dans ${lifetime}. Ne le communiquez à personne.',
    call: 'Bonjour. Votre code de vérification pour ${org.name} est ${digits}.',
    callAgain: 'Je répète : ${digits}. Ne le communiquez à personne. Au revoir.',
  },

  link: {
    here: {
      text: 'Vous avez commencé dans ce navigateur. Continuez ici : il n’y a rien à saisir.',
      button: 'Continuer ici',
      back: 'Reprendre là où vous étiez',
    },
    otherUser: 'Vous êtes connecté ici en tant que ${user}. Ce lien est destiné à ${other}.',
    own: {
      offer: 'Ce compte est le mien : choisir ici un nouveau mot de passe',
      title: 'Choisir ici un nouveau mot de passe ?',
      text: 'Si le compte de cette adresse est le vôtre, vous pouvez choisir un nouveau mot de passe dans ce navigateur. La demande à l’origine de ce message prend fin, d’où qu’elle vienne, et n’en apprend rien.',
      confirm: 'Choisir ici un nouveau mot de passe',
    },
    title: 'Vérification par e-mail',
    yourCode: 'Votre code',
    enterCode: {
      authentication: 'Saisissez ce code sur la page de connexion où vous avez commencé.',
      recovery: 'Saisissez ce code sur la page de réinitialisation où vous avez commencé.',
      unlock: 'Saisissez ce code sur la page de déverrouillage où vous avez commencé.',
      enrollment: 'Saisissez ce code sur la page d’inscription où vous avez commencé.',
    },
    requestTitle: 'Le code a été demandé depuis',
    notYou: 'Si vous ne l’avez pas demandé, fermez cette page.',
    neverTell: 'Ne communiquez ce code à personne.',
    returnToTab: 'C’est fait. Retournez à l’onglet ou à la fenêtre où vous avez commencé.',
    closeWindow: 'Vous pouvez fermer celle-ci.',
    transferred: 'Vous avez continué dans un nouvel onglet.',
    expired: 'Ce lien a expiré. Pour en obtenir un autre, retournez à la page où vous l’avez demandé.',
    stale: 'Ce lien n’est plus le plus récent. Retournez à la page où vous l’avez demandé.',
    failed:
      'Ce lien n’a pas pu être utilisé : il a déjà servi, il est incomplet ou la tentative à laquelle il appartient est terminée. Retournez à la page où vous l’avez demandé.',
    oktaVerify:
      'Okta Verify ne peut pas être configuré ici : seul un service d’Okta le peut. Revenez à la page où vous avez scanné le code et choisissez une autre méthode de sécurité.',
    notWorking: 'Ce lien ne fonctionne pas',
    backTo: 'Aller à ${app}',
  },

  signOut: {
    ask: 'Se déconnecter ?',
    confirm: 'Se déconnecter',
    signedInAs: 'Vous êtes connecté en tant que ${user}.',
    stay: 'Rester connecté',
    again: 'Ce formulaire ne venait pas de cette page. Veuillez confirmer de nouveau.',
    title: 'Déconnecté',
    done: 'Vous êtes déconnecté.',
    close: 'Vous pouvez fermer cette page.',
    failedTitle: 'La déconnexion n’a pas fonctionné',
    failed: 'L’application a envoyé une demande qui ne peut pas être exécutée.',
    failedNext:
      'Vous êtes peut-être encore connecté. Retournez à l’application et déconnectez-vous de nouveau ou, sur un ordinateur partagé, fermez toutes les fenêtres de ce navigateur.',
  },

  goOn: {
    title: 'Continuer vers ${app} ?',
    text: 'L’adresse de l’application commence par ${scheme} et est ouverte par un programme de cet appareil. Ne continuez que si vous avez ouvert l’application vous-même.',
    confirm: 'Continuer',
  },

  error: {
    title: 'Une erreur s’est produite',
    unexpected: 'Cela n’a pas fonctionné. Veuillez réessayer dans un instant.',
    notFound: 'Il n’y a pas de page à cette adresse.',
    reference: 'Si vous signalez ce problème, indiquez la référence ${errorId}.',
    endedTitle: 'Cette connexion est terminée',
    ended:
      'Elle a déjà servi, a pris fin ou a commencé dans un autre navigateur. Vous pouvez vous reconnecter.',
    again: 'Aller à la page de connexion',
  },
}
