// Starts the npm package oidc-provider, configured strict, and runs our example program against it
// as two clients that its registration tells apart: secret in the body, and Basic with PKCE.
//
// The example says `approve <url>` or `decline <url>`; this script is the browser and the person in
// front of it, and writes back where the browser ended up. On `advance <seconds>` it moves the clock
// of the server, and says so. Every `ok <what>` is passed on.
//
// Environment: FOREIGN_SERVER_EXAMPLE, the path of the built example `foreign_server`.

import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import Provider from 'oidc-provider';

const REDIRECT_URI = 'https://app.example/callback';
const SCOPES = 'openid offline_access';
// Short, so that an hour has many renewals; the clock is moved by the example, not waited for.
const ACCESS_TOKEN_SECONDS = 120;
// A redirect loop must not hang the check.
const MOST_REDIRECTS = 10;

const variants = [
  { name: 'body', method: 'client_secret_post', pkce: false },
  { name: 'basic', method: 'client_secret_basic', pkce: true },
];

// The clock of the server, which reads no other.
let ahead = 0;
const wall = Date.now.bind(Date);
Date.now = () => wall() + ahead;

// The characters that RFC 6749 §2.3.1 has form-encoded inside of Basic, so that a client that skips
// the step is found out.
const secret = () => `${randomBytes(24).toString('base64url')}+%/:&=`;

function register({ name, method }) {
  return {
    client_id: `client-${name}`,
    client_secret: secret(),
    grant_types: ['authorization_code', 'client_credentials', 'refresh_token'],
    redirect_uris: [REDIRECT_URI],
    response_types: ['code'],
    token_endpoint_auth_method: method,
  };
}

function configuration(clients) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const needsPkce = new Set(variants.filter((it) => it.pkce).map((it) => `client-${it.name}`));
  return {
    clients,
    cookies: { keys: [randomBytes(32).toString('hex')] },
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_context, interaction) => `/decide/${interaction.uid}` },
    // By default a confidential client keeps its refresh token for most of its life.
    rotateRefreshToken: true,
    issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig' }] },
    pkce: { required: (_context, client) => needsPkce.has(client.clientId) },
    scopes: ['openid', 'offline_access'],
    ttl: {
      AccessToken: ACCESS_TOKEN_SECONDS,
      AuthorizationCode: 30,
      ClientCredentials: 600,
      Grant: 7200,
      IdToken: 600,
      Interaction: 60,
      RefreshToken: 7200,
      Session: 7200,
    },
  };
}

// The page where a person signs in and agrees, without the person.
async function decide(provider, decision, request, response) {
  const { params, prompt } = await provider.interactionDetails(request, response);
  if (decision === 'decline') {
    const error = { error: 'access_denied', error_description: 'the user declined' };
    return provider.interactionFinished(request, response, error);
  }
  const grant = new provider.Grant({ accountId: 'user-admin', clientId: params.client_id });
  grant.addOIDCScope(params.scope ?? SCOPES);
  const result = { login: { accountId: 'user-admin' }, consent: { grantId: await grant.save() } };
  return provider.interactionFinished(request, response, { ...result, prompt: prompt.name });
}

// Follows redirects with a cookie jar until one leads away from the server.
async function browse(origin, start) {
  const jar = new Map();
  let url = new URL(start);
  for (let left = MOST_REDIRECTS; left > 0; left -= 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { headers: { cookie }, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    const location = answer.headers.get('location');
    if (location === null) {
      throw new Error(`the browser is stuck at ${url.pathname}: ${answer.status}`);
    }
    url = new URL(location, url);
    if (url.origin !== origin) return url.href;
  }
  throw new Error('too many redirects');
}

// Whether the server is as strict as we say: without a challenge, a client that needs one is sent
// back before anybody is asked.
async function expectPkceRequired(origin, { client_id }) {
  const query = new URLSearchParams({
    client_id,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: SCOPES,
  });
  const callback = new URL(await browse(origin, `${origin}/auth?${query}`));
  if (callback.searchParams.get('error') !== 'invalid_request') {
    throw new Error(`${client_id} needs no PKCE: ${[...callback.searchParams.keys()]}`);
  }
}

async function run(peer, { name, pkce }, client) {
  const environment = {
    AUTHORIZATION_ENDPOINT: `${peer.origin}/auth`,
    CLIENT_AUTHENTICATION: name,
    CLIENT_ID: client.client_id,
    CLIENT_SECRET: client.client_secret,
    ISSUER: peer.origin,
    PATH: process.env.PATH,
    PKCE: pkce ? 'S256' : '',
    REDIRECT_URI,
    RESOURCE: `${peer.origin}/me`,
    SCOPES,
    TOKEN_ENDPOINT: `${peer.origin}/token`,
  };
  const example = spawn(process.env.FOREIGN_SERVER_EXAMPLE, { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
  process.on('exit', () => example.kill('SIGKILL'));
  const ended = once(example, 'close');
  for await (const line of createInterface({ input: example.stdout })) {
    const [word, rest] = [line.split(' ', 1)[0], line.slice(line.indexOf(' ') + 1)];
    if (word === 'ok') console.log(`ok ${name}: ${rest}`);
    if (word === 'advance') {
      ahead += Number(rest) * 1000;
      example.stdin.write('advanced\n');
    }
    if (word === 'approve' || word === 'decline') {
      peer.decision = word;
      example.stdin.write(`${await browse(peer.origin, rest)}\n`);
    }
  }
  const [status] = await ended;
  if (status !== 0) throw new Error(`${name}: the example ended with ${status}`);
}

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;

async function main() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const peer = { decision: 'approve', origin: `http://127.0.0.1:${server.address().port}` };
  const clients = variants.map(register);
  const provider = new Provider(peer.origin, configuration(clients));
  const serve = provider.callback();
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/decide/')) return serve(request, response);
    return decide(provider, peer.decision, request, response).catch((error) => {
      console.error(error);
      response.writeHead(500).end();
    });
  });
  console.log(`version oidc-provider ${version('oidc-provider')}`);
  console.log(`version node ${process.versions.node}`);
  for (const [at, variant] of variants.entries()) {
    if (variant.pkce) {
      await expectPkceRequired(peer.origin, clients[at]);
      console.log(`ok ${variant.name}: PKCE is required`);
    }
    await run(peer, variant, clients[at]);
  }
}

// Whatever is still open, such as a connection kept alive, must not keep this program.
main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
