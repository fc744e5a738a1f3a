/** A certified OpenID provider of our own for one test: it asks for a name and believes it. */
import { createServer } from 'node:http';
import { once } from 'node:events';

import Provider from 'oidc-provider';

export const CLIENT = { client_id: 'ergon', client_secret: 'what only the two of them know' };

/** Starts one that sends people back to `returnTo`; `groups` says who is in which. */
export async function startProvider(returnTo, groups) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Another site than `localhost` to a browser, as a provider elsewhere is.
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ ...CLIENT, redirect_uris: [returnTo], response_types: ['code'], grant_types: ['authorization_code'] }],
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups'], email: ['email'] },
    cookies: { keys: ['not a secret'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id.split('-')[0], groups: groups[id] ?? [] }),
    }),
    /** Nobody is asked whether they agree. */
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  });
  // What goes wrong in it is the test's business.
  const faults = [];
  provider.on('server_error', (_, error) => faults.push(error));
  const callback = provider.callback();
  server.on('request', (request, response) => {
    if (request.url.startsWith('/interaction/')) void interact(provider, request, response);
    else callback(request, response);
  });
  return {
    issuer,
    faults,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function interact(provider, request, response) {
  if (request.method !== 'POST') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><html lang="en"><title>Corp</title><main><h1>Corp</h1><form method="post">
      <label>Who are you? <input name="login" autofocus></label>
      <button name="act" value="yes">That is me</button><button name="act" value="no">Not now</button></form></main>`);
    return;
  }
  let body = '';
  for await (const chunk of request) body += chunk;
  const said = new URLSearchParams(body);
  const result =
    said.get('act') === 'yes'
      ? { login: { accountId: said.get('login') } }
      : { error: 'access_denied', error_description: 'Call this number: 555' };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}
