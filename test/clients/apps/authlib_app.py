# An app on Authlib: `authlib_app.py`, with its settings in the environment. Prints a line when it listens.
import html
import os
import secrets
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, jwt
from authlib.oidc.core import CodeIDToken

issuer, url = os.environ['ISSUER'], os.environ['URL']
client_id, client_secret = os.environ['CLIENT_ID'], os.environ['CLIENT_SECRET']
server = requests.get(f'{issuer}/.well-known/openid-configuration', timeout=60).json()
keys = JsonWebKey.import_key_set(requests.get(server['jwks_uri'], timeout=60).json())
sessions = {}


def client(token=None):
    return OAuth2Session(
        client_id, client_secret, scope='openid profile offline_access', redirect_uri=f'{url}/callback',
        code_challenge_method='S256', token=token, token_endpoint=server['token_endpoint'],
        revocation_endpoint=server['revocation_endpoint'])


def checked(token, nonce=None):
    options = {'iss': {'values': [server['issuer']]}, 'aud': {'values': [client_id]}}
    params = {'client_id': client_id, 'access_token': token['access_token']}
    if nonce is not None:
        params['nonce'] = nonce
    jwt.decode(token['id_token'], keys, claims_cls=CodeIDToken, claims_options=options, claims_params=params).validate()
    return token


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def session(self):
        cookie = SimpleCookie(self.headers.get('cookie', '')).get('app')
        return sessions.get(cookie.value if cookie else '', {})

    def answer(self, content=None, location=None, session=None):
        self.send_response(303 if location else 200)
        if session is not None:
            name = secrets.token_urlsafe(16)
            sessions[name] = session
            self.send_header('set-cookie', f'app={name}; HttpOnly; SameSite=Lax; Path=/')
        if location:
            self.send_header('location', location)
        self.send_header('content-type', 'text/html; charset=utf-8')
        self.end_headers()
        self.wfile.write(f'<!doctype html><html lang="en"><title>An app</title><p>{content or ""}'.encode())

    def do_GET(self):
        try:
            self.get()
        except Exception as error:  # The test reads it on the page.
            self.answer(f'Failed: {html.escape(repr(error))}')

    def do_POST(self):
        try:
            self.post()
        except Exception as error:
            self.answer(f'Failed: {html.escape(repr(error))}')

    def get(self):
        session = self.session()
        if self.path == '/sign-in':
            checks = {'verifier': generate_token(48), 'nonce': generate_token(20)}
            location, checks['state'] = client().create_authorization_url(
                server['authorization_endpoint'], code_verifier=checks['verifier'], nonce=checks['nonce'])
            return self.answer(location=location, session=checks)
        if self.path.startswith('/callback'):
            token = client().fetch_token(
                server['token_endpoint'], authorization_response=f'{url}{self.path}',
                state=session['state'], code_verifier=session['verifier'])
            return self.answer(location='/', session={'token': checked(token, session['nonce'])})
        if 'token' not in session:
            return self.answer('<a href="/sign-in">Sign in</a>')
        name = client(session['token']).get(server['userinfo_endpoint']).json()['name']
        form = '<form method="post" action="{}"><button>{}</button></form>'
        buttons = form.format('/refresh', 'Refresh') + form.format('/sign-out', 'Sign out')
        return self.answer(f'Hello {html.escape(name)}{buttons}')

    def post(self):
        token = self.session()['token']
        if self.path == '/refresh':
            fresh = client(token).refresh_token(server['token_endpoint'], refresh_token=token['refresh_token'])
            return self.answer(location='/', session={'token': checked(fresh)})
        client(token).revoke_token(server['revocation_endpoint'], token['refresh_token'], 'refresh_token')
        query = urlencode({'id_token_hint': token['id_token'], 'post_logout_redirect_uri': f'{url}/'})
        return self.answer(location=f'{server["end_session_endpoint"]}?{query}', session={})


listener = ThreadingHTTPServer(('localhost', int(url.rsplit(':', 1)[1])), Handler)
print('listening', flush=True)
listener.serve_forever()
