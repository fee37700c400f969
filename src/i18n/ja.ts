import type { Words } from './words.ts'

/** Japanese, in the polite form. */
export const ja: Words = {
  language: 'ja',
  review: 'machine-drafted',

  context: {
    title: 'リクエストの送信元',
    account: 'アカウント',
    app: 'アプリケーション',
    browser: 'ブラウザー',
    system: 'システム',
    address: 'IPアドレス',
    when: '日時',
    moment: '${request.date} ${request.time}',
  },

  mail: {
    common: {
      greeting: '${user.profile.firstName} 様',
      greetingNoName: 'ご利用者様',
      codeInstead: 'または、次のコードを入力してください:',
      neverTell:
        'このコードは誰にも教えないでください。電話、チャット、メールでコードを尋ねる人は、悪意を持っています。',
      copyLink: 'ボタンが使えない場合は、次のアドレスを開いてください:',
      openLink: '次のアドレスを開いてください:',
      lifetimeBoth: 'リンクとコードの有効期限は${lifetime}で、1回だけ使用できます。',
      lifetimeLink: 'リンクの有効期限は${lifetime}で、1回だけ使用できます。',
      lifetimeCode: 'コードの有効期限は${lifetime}で、1回だけ使用できます。',
      footer: 'このメールは、お客様のアカウントに関する操作について ${org.name} からお送りしています。',
    },
    ForgotPassword: {
      subject: 'パスワードの再設定',
      title: 'パスワードの再設定',
      intro: 'お客様のアカウントで、パスワードの再設定がリクエストされました。',
      button: 'パスワードを再設定する',
      codeOnly: 'リクエストした画面で、次のコードを入力してください:',
      notYou: 'お心当たりがない場合は、何もする必要はありません。パスワードは変更されません。',
    },
    EmailChallenge: {
      subject: 'ご本人確認のお願い',
      title: 'ご本人確認のお願い',
      intro: 'お客様のアカウントへのサインインが行われようとしています。',
      button: 'はい、本人です',
      codeOnly: 'コードの入力画面で、次のコードを入力してください:',
      notYou:
        'お心当たりがない場合は、このメールでは何もしないでください。繰り返し届く場合は、パスワードを変更してください。',
    },
    PasswordResetByAdmin: {
      subject: 'パスワードの再設定',
      title: 'パスワードの再設定',
      intro:
        '${org.name} の管理者が、新しいパスワードの設定をお願いしています。以前のパスワードは使用できません。',
      button: '新しいパスワードを設定する',
      notYou: 'お心当たりがない場合は、先へ進む前に ${org.name} の管理者にご確認ください。',
    },
    UserActivation: {
      subject: '${org.name} へようこそ',
      title: 'ようこそ',
      intro: '${org.name} にお客様のアカウントが作成されました。使用するには、パスワードを設定してください。',
      button: 'パスワードを設定する',
      notYou:
        'お心当たりがない場合は、何もする必要はありません。パスワードがなければ、誰もアカウントを使用できません。',
    },
    PasswordChanged: {
      subject: 'パスワードが変更されました',
      title: 'パスワードが変更されました',
      intro: 'お客様のアカウントのパスワードが変更されました。',
      wasYou: 'ご自身で変更された場合は、何もする必要はありません。',
      notYouTitle: 'お心当たりがない場合',
      notYouReset:
        'すぐに新しいパスワードを設定してください。メールのリンクからではなく、ご自身でサインインページを開き、「パスワードをお忘れですか?」を選択してください。',
      notYouMailbox:
        'メールアカウントのパスワードも変更してください。メールを読める人は、同じことを繰り返せます。',
      notYouTell: 'その後、${org.name} の管理者にお知らせください。',
    },
  },

  link: {
    title: 'メールによる確認',
    yourCode: '確認コード',
    enterCode: {
      authentication: 'サインインを始めた画面で、このコードを入力してください。',
      recovery: 'パスワードの再設定を始めた画面で、このコードを入力してください。',
      unlock: 'アカウントのロック解除を始めた画面で、このコードを入力してください。',
      enrollment: '登録を始めた画面で、このコードを入力してください。',
    },
    requestTitle: 'コードのリクエスト元',
    notYou: 'お心当たりがない場合は、このページを閉じてください。',
    neverTell: 'このコードは誰にも教えないでください。',
    returnToTab: '確認できました。操作を始めたタブまたはウィンドウに戻ってください。',
    closeWindow: 'この画面は閉じてかまいません。',
    transferred: '新しいタブで続行されました。',
    expired: 'このリンクは有効期限が切れています。リクエストした画面に戻り、新しいリンクを取得してください。',
    stale: 'このリンクは最新ではありません。リクエストした画面に戻ってください。',
    failed: 'このリンクは使用できませんでした。リクエストした画面に戻ってください。',
    setPassword: {
      title: 'パスワードの設定',
      how: 'サインインするアプリケーションを開き、「パスワードをお忘れですか?」を選択してください。届いたコードを使って、パスワードを設定できます。',
    },
  },

  error: {
    title: '問題が発生しました',
    unexpected: '処理できませんでした。しばらくしてからもう一度お試しください。',
    notFound: 'このアドレスにページはありません。',
    reference: 'お問い合わせの際は、参照番号 ${errorId} をお知らせください。',
  },
}
