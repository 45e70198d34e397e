// The npm package simple-oauth2, set up as its users would for SmartRecruiters, against the sandbox:
// once with the client's secret in the body, once with Basic.
//
// Says `ok <what>` for what works and `saw <what>` for a trap that a user of the package meets.
//
// Environment: the lines that `sr-auth sandbox` prints for a shell, and where a partner is that
// SmartRecruiters calls, with a client of its token endpoint.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { AuthorizationCode, ClientCredentials } from 'simple-oauth2';

const {
  PARTNER_CLIENT_ID,
  PARTNER_CLIENT_SECRET,
  PARTNER_ORIGIN,
  SR_AUTH_APP_CLIENT_ID: APPLICATION_ID,
  SR_AUTH_APP_CLIENT_SECRET: APPLICATION_SECRET,
  SR_AUTH_CLIENT_ID: SERVICE_ID,
  SR_AUTH_CLIENT_SECRET: SERVICE_SECRET,
  SR_AUTH_ORIGIN: ORIGIN,
} = process.env;
// One of those that the sandbox has registered; nobody needs to answer there.
const REDIRECT_URI = 'https://yourapp.example/callback';

// Production has two hosts: `authorizeHost` is then https://www.smartrecruiters.com, and
// `tokenHost` https://api.smartrecruiters.com.
const token = { tokenHost: ORIGIN, tokenPath: '/identity/oauth/token' };
const authorize = { authorizeHost: ORIGIN, authorizePath: '/identity/oauth/allow' };
const service = (secret, options) => ({ auth: token, client: { id: SERVICE_ID, secret }, options });
const application = (options) => ({
  // Refused by the package where no user is asked.
  auth: { ...authorize, ...token },
  client: { id: APPLICATION_ID, secret: APPLICATION_SECRET },
  options,
});

const say = (word, variant, what) => console.log(`${word} ${variant}: ${what}`);

async function switchTo(switches) {
  const headers = { 'content-type': 'application/json' };
  const request = { body: JSON.stringify(switches), headers, method: 'PUT' };
  const answer = await fetch(`${ORIGIN}/__sandbox/switches`, request);
  assert.equal(answer.status, 200);
}

// The browser and the person in front of it: reads the page, presses a button, and returns the
// address that the browser is sent to.
async function visit(url, decision) {
  const page = await fetch(url);
  assert.equal(page.status, 200);
  const html = await page.text();
  const [, ticket] = /name="ticket" value="([^"]+)"/.exec(html);
  const [, user] = /name="user" value="([^"]+)"/.exec(html);
  const form = new URLSearchParams({ decision, ticket, user });
  const sent = await fetch(url.split('?')[0], { body: form, method: 'POST', redirect: 'manual' });
  return new URL(sent.headers.get('location'));
}

async function callResource(path, { token: { access_token } }) {
  const headers = { authorization: `Bearer ${access_token}` };
  const answer = await fetch(`${ORIGIN}${path}`, { headers });
  assert.equal(answer.status, 200);
}

async function expectRefusal(promise, status, code) {
  const error = await promise.then(() => assert.fail(`not refused with ${code}`), (refused) => refused);
  assert.equal(error.output?.statusCode, status, error.stack);
  assert.equal(error.data.payload.error, code);
}

async function clientCredentials(variant, options) {
  const client = new ClientCredentials(service(SERVICE_SECRET, options));
  const answer = await client.getToken({});
  assert.equal(answer.expired(), false);
  await callResource('/jobs', answer);
  say('ok', variant, 'client credentials, and a resource');

  const impostor = new ClientCredentials(service('wrong', options));
  await expectRefusal(impostor.getToken({}), 401, 'invalid_client');
  say('ok', variant, 'wrong secret is invalid_client');

  const json = new ClientCredentials(service(SERVICE_SECRET, { ...options, bodyFormat: 'json' }));
  await expectRefusal(json.getToken({}), 400, 'invalid_request');
  say('saw', variant, 'bodyFormat json is refused');
}

// What SmartRecruiters does at a partner.
async function partner(variant, options) {
  const auth = { tokenHost: PARTNER_ORIGIN, tokenPath: '/oauth/token' };
  const client = (secret) => new ClientCredentials({ auth, client: { id: PARTNER_CLIENT_ID, secret }, options });
  const { token: { access_token } } = await client(PARTNER_CLIENT_SECRET).getToken({});
  const headers = { authorization: `Bearer ${access_token}` };
  const answer = await fetch(`${PARTNER_ORIGIN}/interviews`, { headers });
  assert.equal(await answer.text(), 'company-0');
  say('ok', variant, "token of a partner's endpoint opens the partner's API");
  await expectRefusal(client('wrong').getToken({}), 401, 'invalid_client');
  say('ok', variant, "wrong secret at a partner's endpoint is invalid_client");
}

async function userConsent(variant, options) {
  const client = new AuthorizationCode(application(options));
  const state = `state-${variant}`;
  const url = client.authorizeURL({ redirect_uri: REDIRECT_URI, scope: ['jobs_read', 'user_me_read'], state });
  const callback = await visit(url, 'authorize');
  assert.equal(callback.searchParams.get('state'), state);
  const code = callback.searchParams.get('code');
  const first = await client.getToken({ code, redirect_uri: REDIRECT_URI });
  await callResource('/user-api/v201804/users/me', first);
  say('ok', variant, 'authorization code, and a resource');
  await expectRefusal(client.getToken({ code, redirect_uri: REDIRECT_URI }), 400, 'invalid_grant');
  say('ok', variant, 'spent code is invalid_grant');
  await refreshes(variant, first);
  await declines(variant, client);
}

async function refreshes(variant, first) {
  const second = await first.refresh();
  assert.notEqual(second.token.refresh_token, first.token.refresh_token);
  await callResource('/user-api/v201804/users/me', second);
  say('ok', variant, 'refresh brings a new pair, and the access token works');
  assert.equal(second.token.token_type, undefined);
  say('saw', variant, 'token_type is missing after a refresh');
  await expectRefusal(first.refresh(), 400, 'invalid_grant');
  say('ok', variant, 'spent refresh token is invalid_grant');
  const third = await second.refresh();
  say('ok', variant, 'second refresh');
  await switchTo({ successor: 'kept' });
  const last = await third.refresh();
  await switchTo({ successor: 'always' });
  assert.equal(last.token.refresh_token, undefined);
  say('saw', variant, 'a refresh token that is not replaced is dropped');
}

// The package leaves the callback to its user: whoever looks at `code` first takes 500 for one.
async function declines(variant, client) {
  const callback = await visit(client.authorizeURL({ redirect_uri: REDIRECT_URI, state: 's' }), 'decline');
  assert.equal(callback.searchParams.get('error'), 'access_denied');
  const code = callback.searchParams.get('code');
  assert.equal(code, '500');
  await expectRefusal(client.getToken({ code, redirect_uri: REDIRECT_URI }), 400, 'invalid_grant');
  say('saw', variant, 'a declined callback has 500 as its code, and nothing stops its exchange');
}

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;

console.log(`version simple-oauth2 ${version('simple-oauth2')}`);
console.log(`version node ${process.versions.node}`);
for (const [variant, authorizationMethod] of [['body', 'body'], ['basic', 'header']]) {
  await clientCredentials(variant, { authorizationMethod });
  await partner(variant, { authorizationMethod });
  await userConsent(variant, { authorizationMethod });
}
// Whatever is still open, such as a connection kept alive, must not keep this program.
process.exit(0);
