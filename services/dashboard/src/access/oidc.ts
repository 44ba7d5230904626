/** The identity provider: the addresses that it publishes, and what it says of somebody who signed in there (OpenID Connect Core 3.1). */
import { FailureError, messageOf, type Failure } from '@scanflow/failure';
import { readSecret, readTlsFiles } from '@scanflow/runtime';
import * as client from 'openid-client';
import { Agent, request } from 'undici';
import {
  derived,
  identityOf,
  SignInRefused,
  stateOf,
  type OidcConfig,
  type Stranger,
} from './oidc-claims.ts';
import type { Identity } from './roles.ts';

export interface IdentityProvider {
  /** As people call the account. */
  readonly name: string;
  readonly issuer: string;
  /** A session ends after this time, whatever happens. */
  readonly sessionMs: number;
  /** Where the browser goes to sign in. `word`: a secret of this browser, of which all else is made. */
  readonly begin: (word: string, redirect: URL) => Promise<URL>;
  /** Who came back to `callback`, an address with the answer. */
  readonly finish: (word: string, callback: URL) => Promise<Identity | Stranger>;
  /** Where the browser signs out there, if the provider offers that (RP-Initiated Logout 1.0). */
  readonly leave: (back: URL) => Promise<URL | undefined>;
}

export interface ProviderOptions {
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly onFailure: (failure: Failure) => void;
  /** Of each request, in seconds. */
  readonly timeoutS?: number;
}

const TIMEOUT_S = 8;
const MOST_BYTES = 1_048_576;
/** What the provider publishes is read anew at each sign-in, but not for each of many at once. */
const FRESH_MS = 10_000;

/**
 * Nothing is asked of the provider before the first sign-in. Each method throws SignInRefused, or a FailureError ISSUER_AWAY or
 * ISSUER_UNUSABLE, of which `onFailure` hears.
 */
export function createProvider(
  options: OidcConfig,
  { now, onFailure, timeoutS = TIMEOUT_S }: ProviderOptions,
): IdentityProvider {
  const attempt = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      const explained = explain(error, options.issuer);
      if (explained instanceof FailureError) onFailure(explained.failure);
      throw explained;
    }
  };
  const discovered = remembered(() => discover(options, timeoutS), now);
  return {
    name: options.name,
    issuer: options.issuer,
    sessionMs: options.session,
    begin: (word, redirect) =>
      attempt(async () =>
        client.buildAuthorizationUrl(await discovered(FRESH_MS), {
          redirect_uri: redirect.href,
          scope: ['openid', ...options.scopes].join(' '),
          state: stateOf(word),
          nonce: derived(word, 'nonce'),
          code_challenge: await client.calculatePKCECodeChallenge(derived(word, 'verifier')),
          code_challenge_method: 'S256',
        }),
      ),
    finish: (word, callback) =>
      attempt(async () => signedIn(await discovered(Infinity), word, callback, options)),
    leave: (back) =>
      attempt(async () => {
        const configuration = await discovered(FRESH_MS);
        return configuration.serverMetadata().end_session_endpoint === undefined
          ? undefined
          : client.buildEndSessionUrl(configuration, { post_logout_redirect_uri: back.href });
      }),
  };
}

/** Asks once for all who ask within a time. A failure is not remembered. */
function remembered<T>(ask: () => Promise<T>, now: () => number): (oldestMs: number) => Promise<T> {
  let known: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return (oldestMs) => {
    if (known !== undefined && now() - known.at <= oldestMs) return known.answer;
    const mine = { at: now(), answer: ask() };
    known = mine;
    mine.answer.catch(() => {
      if (known === mine) known = undefined;
    });
    return mine.answer;
  };
}

async function signedIn(
  configuration: client.Configuration,
  word: string,
  callback: URL,
  options: OidcConfig,
): Promise<Identity | Stranger> {
  const tokens = await client.authorizationCodeGrant(configuration, callback, {
    expectedState: stateOf(word),
    expectedNonce: derived(word, 'nonce'),
    pkceCodeVerifier: derived(word, 'verifier'),
    idTokenExpected: true,
  });
  const claims = tokens.claims();
  if (claims === undefined) throw new Error('it sent no ID token');
  const { iss: issuer, sub: subject } = claims;
  // many providers give groups and addresses there alone
  const more =
    configuration.serverMetadata().userinfo_endpoint === undefined
      ? {}
      : await client.fetchUserInfo(configuration, tokens.access_token, subject);
  return identityOf({ issuer, subject }, [claims, more], options);
}

async function discover(options: OidcConfig, timeout: number): Promise<client.Configuration> {
  const { issuer, clientId, tls } = options;
  const agent = new Agent({ connect: await readTlsFiles({ ca: tls?.ca }), pipelining: 0 });
  const isPlain = issuer.startsWith('http:');
  return client.discovery(new URL(issuer), clientId, undefined, secretOf(options), {
    timeout,
    [client.customFetch]: (url, asked) => bounded(url, asked, agent, isPlain),
    // the ID token's signature is checked, although it came by TLS
    execute: [client.enableNonRepudiationChecks, ...(isPlain ? [client.allowInsecureRequests] : [])],
  });
}

/** Reads the secret at each use, so that a new one counts at once. By the header where the provider knows that (RFC 6749 2.3.1). */
const secretOf =
  ({ secretFile }: OidcConfig): client.ClientAuth =>
  async (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported;
    const byHeader = methods === undefined || methods.includes('client_secret_basic');
    const secret = await readSecret(secretFile);
    const prove = byHeader ? client.ClientSecretBasic(secret) : client.ClientSecretPost(secret);
    prove(server, ...rest);
  };

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** One request to the provider, with a bound of time and size. Follows no redirect. */
async function bounded(
  url: string,
  { method, headers, body, signal }: client.CustomFetchOptions,
  dispatcher: Agent,
  isPlain: boolean,
): Promise<Response> {
  const { protocol, hostname, host } = new URL(url);
  if (isPlain && protocol === 'http:' && !LOOPBACK.has(hostname))
    throw new Error(`it names an address in the clear at ${host}`);
  try {
    const {
      statusCode,
      headers: got,
      body: answer,
    } = await request(url, {
      method: method === 'POST' ? 'POST' : 'GET',
      headers,
      body: body instanceof URLSearchParams ? body.toString() : null,
      dispatcher,
      signal: signal ?? AbortSignal.timeout(TIMEOUT_S * 1_000),
    });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of answer as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      if (bytes > MOST_BYTES) throw new Error('the answer is larger than 1 MiB');
      chunks.push(chunk);
    }
    if (statusCode >= 500) throw new Error(`it answered ${statusCode}`);
    const type = got['content-type'];
    const init = { status: statusCode, headers: typeof type === 'string' ? { 'content-type': type } : {} };
    return new Response(bytes === 0 ? null : Buffer.concat(chunks), init);
  } catch (error) {
    throw new FailureError(
      { kind: 'transient', code: 'ISSUER_AWAY', message: `${host} does not answer: ${messageOf(error)}` },
      error,
    );
  }
}

/** Whose mistake it is. Messages hold no token and no secret. */
function explain(error: unknown, issuer: string): SignInRefused | FailureError {
  if (error instanceof client.AuthorizationResponseError && !OF_SERVER.has(error.error))
    return new SignInRefused(error.error);
  if (error instanceof client.ResponseBodyError && error.error === 'invalid_grant')
    return new SignInRefused(error.error);
  return new FailureError(failureOf(error, issuer), error);
}

/** Errors of a provider that fails itself (RFC 6749 4.1.2.1). */
const OF_SERVER: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable']);

function failureOf(error: unknown, issuer: string): Failure {
  const found = causes(error).find((one) => one instanceof FailureError);
  if (found !== undefined) return found.failure;
  if (error instanceof client.AuthorizationResponseError)
    return { kind: 'transient', code: 'ISSUER_AWAY', message: `${issuer} reports ${error.error}` };
  const code = error instanceof client.ResponseBodyError ? error.error : messageOf(causes(error).at(-1));
  return {
    kind: 'permanent',
    code: 'ISSUER_UNUSABLE',
    message: `the answer of ${issuer} cannot be used: ${code}`,
  };
}

/** An error and the errors below it. */
function causes(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : [];
}
