import type { Words } from './words.ts'

/** Spanish, addressing the reader formally. */
export const es: Words = {
  language: 'es',
  review: 'machine-drafted',

  context: {
    title: 'De dónde viene la solicitud',
    account: 'Cuenta',
    app: 'Aplicación',
    browser: 'Navegador',
    system: 'Sistema',
    address: 'Dirección IP',
    when: 'Fecha y hora',
    moment: '${request.date}, ${request.time}',
  },

  mail: {
    common: {
      greeting: 'Hola, ${user.profile.firstName}:',
      greetingNoName: 'Hola:',
      codeInstead: 'O introduzca este código:',
      neverTell:
        'No comparta este código con nadie. Quien se lo pida por teléfono, chat o correo intenta entrar en su cuenta.',
      copyLink: 'Si el botón no funciona, abra esta dirección:',
      openLink: 'Abra esta dirección:',
      lifetimeBoth: 'El enlace y el código sirven una sola vez y caducan en ${lifetime}.',
      lifetimeLink: 'El enlace sirve una sola vez y caduca en ${lifetime}.',
      lifetimeCode: 'El código sirve una sola vez y caduca en ${lifetime}.',
      footer: '${org.name} le ha enviado este mensaje porque se refiere a su cuenta.',
    },
    notice: {
      byAdministrator:
        'Lo hizo la administración de ${org.name}. Si lo esperaba, no tiene que hacer nada más.',
      wasYou: 'Si fue usted, no tiene que hacer nada más.',
      notYouTitle: 'Si no lo esperaba',
      password:
        'Establezca de inmediato una contraseña nueva: vaya usted mismo a la página de inicio de sesión, no por un enlace de un correo, y elija «¿Olvidó su contraseña?».',
      tell: 'Avise de inmediato a los responsables de ${org.name}.',
    },
    ForgotPassword: {
      subject: 'Restablezca su contraseña',
      title: 'Restablezca su contraseña',
      intro: 'Alguien, esperamos que usted, ha pedido restablecer su contraseña.',
      button: 'Restablecer la contraseña',
      codeOnly: 'Introduzca este código en la página donde hizo la solicitud:',
      notYou: 'Si no fue usted, no haga nada: su contraseña no cambiará.',
    },
    EmailChallenge: {
      subject: 'Confirme que es usted',
      title: 'Confirme que es usted',
      intro: 'Alguien, esperamos que usted, está iniciando sesión en su cuenta.',
      button: 'Sí, soy yo',
      codeOnly: 'Introduzca este código en la página que se lo pide:',
      notYou: 'Si no es usted, no haga nada con este mensaje. Si vuelve a ocurrir, cambie su contraseña.',
    },
    SelfServiceUnlock: {
      subject: 'Desbloquee su cuenta',
      title: 'Desbloquee su cuenta',
      intro: 'Alguien, esperamos que usted, ha pedido desbloquear su cuenta.',
      button: 'Desbloquear la cuenta',
      codeOnly: 'Introduzca este código en la página donde hizo la solicitud:',
      notYou: 'Si no fue usted, no haga nada: su cuenta seguirá bloqueada.',
    },
    RegistrationEmailVerification: {
      subject: 'Confirme su dirección',
      title: 'Confirme su dirección',
      intro: 'Hemos recibido una solicitud para crear una cuenta con esta dirección en ${org.name}.',
      button: 'Confirmar la dirección',
      codeOnly: 'Introduzca este código en la página donde se registró:',
      notYou: 'Si no fue usted, no haga nada: sin este código no se crea ninguna cuenta.',
    },
    RegistrationTaken: {
      subject: 'Ya tiene una cuenta',
      title: 'Ya tiene una cuenta',
      intro:
        'Hemos recibido una solicitud para crear una cuenta con esta dirección en ${org.name}. Ya tiene una, así que no se ha creado ni cambiado nada.',
      how: 'Si fue usted: vaya a la página de inicio de sesión y entre con esta dirección. Si no tiene contraseña o la ha olvidado, elija allí «¿Ha olvidado su contraseña?».',
      notYou: 'Si no fue usted, no tiene que hacer nada.',
    },
    Welcome: {
      subject: 'Le damos la bienvenida a ${org.name}',
      title: 'Le damos la bienvenida',
      intro: 'Su cuenta en ${org.name} está lista. Inicie sesión con ${user.profile.login}.',
      notYou: 'Si no ha creado esta cuenta, avise a ${org.name}.',
    },
    PasswordResetByAdmin: {
      subject: 'Restablezca su contraseña',
      title: 'Restablezca su contraseña',
      intro:
        'Los responsables de ${org.name} le piden que establezca una contraseña nueva. La anterior ya no funciona.',
      button: 'Establecer una contraseña nueva',
      notYou: 'Si no lo esperaba, pregunte a los responsables de ${org.name} antes de continuar.',
    },
    UserActivation: {
      subject: 'Le damos la bienvenida a ${org.name}',
      title: 'Le damos la bienvenida',
      intro: 'Se ha creado una cuenta para usted en ${org.name}. Elija una contraseña para usarla.',
      button: 'Elegir una contraseña',
      notYou: 'Si no lo esperaba, no haga nada: sin contraseña nadie puede usar la cuenta.',
    },
    PasswordChanged: {
      subject: 'Su contraseña ha cambiado',
      title: 'Su contraseña ha cambiado',
      intro: 'Se ha cambiado la contraseña de su cuenta.',
      wasYou: 'Si fue usted, no tiene que hacer nada más.',
      notYouTitle: 'Si no fue usted',
      notYouReset:
        'Establezca enseguida una contraseña nueva: vaya usted mismo a la página de inicio de sesión, no desde un enlace de un correo, y elija «¿Ha olvidado su contraseña?».',
      notYouMailbox:
        'Cambie también la contraseña de su buzón: quien lea su correo podría volver a hacer esto.',
      notYouTell: 'Después, avise a los responsables de ${org.name}.',
    },
    PasswordExpired: {
      subject: 'Debe cambiar su contraseña',
      title: 'Debe cambiar su contraseña',
      intro:
        'La contraseña de su cuenta ya no sirve para iniciar sesión. Establezca una nueva la próxima vez que inicie sesión, o con «¿Olvidó su contraseña?» en la página de inicio de sesión.',
    },
    EmailChanged: {
      subject: 'Su dirección de correo ha cambiado',
      title: 'Su dirección de correo ha cambiado',
      intro: 'Se cambió la dirección de correo de su cuenta.',
      newEmail: 'Nueva dirección',
      mailsGo:
        'Los correos sobre su cuenta, y los códigos para restablecer la contraseña, llegan desde ahora a la nueva dirección.',
    },
    LoginChanged: {
      subject: 'Su nombre de usuario ha cambiado',
      title: 'Su nombre de usuario ha cambiado',
      intro: 'Se cambió el nombre con el que inicia sesión.',
      newLogin: 'Nuevo nombre de usuario',
    },
    AuthenticatorEnrolled: {
      subject: 'Se configuró o cambió un método de seguridad',
      title: 'Se configuró o cambió un método de seguridad',
      intro:
        'Se configuró o cambió un método de seguridad para su cuenta. Con él se puede demostrar que es usted.',
      method: 'Método de seguridad',
    },
    AuthenticatorReset: {
      subject: 'Se eliminó un método de seguridad',
      title: 'Se eliminó un método de seguridad',
      intro: 'Se eliminó un método de seguridad de su cuenta. Ya no sirve para demostrar que es usted.',
    },
    AccountUnlocked: {
      subject: 'Su cuenta se ha desbloqueado',
      title: 'Su cuenta se ha desbloqueado',
      intro:
        'Su cuenta, que estaba bloqueada tras demasiadas contraseñas incorrectas, se ha desbloqueado. Su contraseña es la misma que antes.',
    },
    PendingEmailChange: {
      subject: 'Confirme su nueva dirección',
      title: 'Confirme su nueva dirección',
      intro: 'Recibimos una solicitud para usar esta dirección en una cuenta de ${org.name}.',
      codeOnly: 'En la página donde lo pidió, introduzca este código:',
      notYou: 'Si no fue usted, no haga nada: sin el código no cambia nada.',
    },
    AccountChangeWaiting: {
      subject: 'Hay un cambio pendiente en su cuenta',
      title: 'Hay un cambio pendiente en su cuenta',
      intro:
        'Alguien que ha iniciado sesión en su cuenta pidió un cambio: ${change}. No se confirmó con un método de seguridad que usted tuviera antes, así que está en espera.',
      when: 'Se hará el',
      newEmail: 'Nueva dirección',
      method: 'Método de seguridad',
      button: 'Detener el cambio',
      wasYou: 'Si fue usted, no tiene que hacer nada más.',
      notYou: 'Si no fue usted, deténgalo ahora y elija una contraseña nueva.',
    },
  },

  account: {
    email: 'una nueva dirección de correo',
    removes: 'la eliminación de un método de seguridad',
    stopTitle: 'Detener este cambio',
    stopIntro: 'Hay un cambio pendiente en su cuenta: ${change}. Se hará el ${date} si no lo detiene.',
    stop: 'Detener el cambio',
    stopped: 'El cambio está detenido',
    stoppedNext:
      'Su cuenta queda como estaba. Si usted no pidió el cambio, elija ahora una contraseña nueva: quien lo pidió había iniciado sesión en su cuenta.',
    nothing: 'No hay nada que detener',
    nothingNext:
      'El cambio ya se hizo, ya se detuvo o este enlace no está completo. Si no lo esperaba, avise a los responsables de ${org}.',
  },

  text: {
    code: 'Su código de verificación es ${code}.',
    keep: 'Es de ${org.name} y caduca en ${lifetime}. No lo comparta con nadie.',
    call: 'Hola. Su código de verificación de ${org.name} es ${digits}.',
    callAgain: 'De nuevo: ${digits}. No lo comparta con nadie. Adiós.',
  },

  link: {
    here: {
      text: 'Empezó en este navegador. Continúe aquí: no hace falta escribir nada.',
      button: 'Continuar aquí',
      back: 'Continuar donde estaba',
    },
    otherUser: 'Aquí ha iniciado sesión como ${user}. Este enlace es para ${other}.',
    own: {
      offer: 'Esta es mi cuenta: elegir aquí una contraseña nueva',
      title: '¿Elegir aquí una contraseña nueva?',
      text: 'Si la cuenta de esta dirección es suya, puede elegir una contraseña nueva en este navegador. La solicitud que envió este mensaje termina, venga de donde venga, y no se entera de nada.',
      confirm: 'Elegir aquí una contraseña nueva',
    },
    title: 'Verificación por correo electrónico',
    yourCode: 'Su código',
    enterCode: {
      authentication: 'Introduzca este código en la página de inicio de sesión donde empezó.',
      recovery: 'Introduzca este código en la página donde empezó a restablecer su contraseña.',
      unlock: 'Introduzca este código en la página donde empezó a desbloquear su cuenta.',
      enrollment: 'Introduzca este código en la página donde empezó a registrarse.',
    },
    requestTitle: 'El código se pidió desde',
    notYou: 'Si usted no lo pidió, cierre esta página.',
    neverTell: 'No comparta este código con nadie.',
    returnToTab: 'Todo correcto. Vuelva a la pestaña o ventana donde empezó.',
    closeWindow: 'Puede cerrar esta.',
    transferred: 'Ha continuado en una pestaña nueva.',
    expired: 'Este enlace ha caducado. Para obtener otro, vuelva a la página donde lo pidió.',
    stale: 'Este enlace ya no es el más reciente. Vuelva a la página donde lo pidió.',
    failed:
      'No se ha podido usar este enlace: ya se utilizó, no está completo o el intento al que pertenece ha terminado. Vuelva a la página donde lo pidió.',
    oktaVerify:
      'Okta Verify no se puede configurar aquí: solo puede hacerlo un servicio de Okta. Vuelva a la página donde escaneó el código y elija otro método de seguridad.',
    notWorking: 'Este enlace no funciona',
    backTo: 'Ir a ${app}',
  },

  signOut: {
    ask: '¿Cerrar sesión?',
    confirm: 'Cerrar sesión',
    signedInAs: 'Ha iniciado sesión como ${user}.',
    stay: 'Seguir con la sesión iniciada',
    again: 'Ese formulario no era de esta página. Confírmelo de nuevo.',
    title: 'Sesión cerrada',
    done: 'Ha cerrado la sesión.',
    close: 'Puede cerrar esta página.',
    failedTitle: 'No se ha podido cerrar la sesión',
    failed: 'La aplicación ha enviado una solicitud que no se puede realizar.',
    failedNext:
      'Es posible que la sesión siga abierta. Vuelva a la aplicación y cierre la sesión allí de nuevo o, en un ordenador compartido, cierre todas las ventanas de este navegador.',
  },

  goOn: {
    title: '¿Continuar a ${app}?',
    text: 'La dirección de la aplicación empieza por ${scheme} y la abre un programa de este dispositivo. Continúe solo si ha abierto usted mismo la aplicación.',
    confirm: 'Continuar',
  },

  error: {
    title: 'Algo ha fallado',
    unexpected: 'No ha funcionado. Inténtelo de nuevo dentro de un momento.',
    notFound: 'No hay ninguna página en esta dirección.',
    reference: 'Si informa de este problema, indique la referencia ${errorId}.',
    endedTitle: 'Este inicio de sesión ha terminado',
    ended: 'Ya se utilizó, ha terminado o empezó en otro navegador. Puede volver a iniciar sesión.',
    again: 'Ir a la página de inicio de sesión',
  },
}
