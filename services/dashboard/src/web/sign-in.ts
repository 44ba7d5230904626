/** Signing in and out: with a password, at an identity provider, and by the one-time links with which people set their passwords. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomBytes } from 'node:crypto';
import { failureIn } from '@scanflow/failure';
import { limiterKeys, hashPassword, isPassword, passwordProblem, type Limiter } from '../access/passwords.ts';
import { t } from '../texts/pages.ts';
import { cookieOf, noPassage, passageIn, passageOf, type Passage } from './cookie.ts';
import { invitationPage, signInPage, outsidePage, signedOutPage } from './pages.ts';
import { field, isSecure, ownPath, send, sendMessage, signedIn, wordOf, type Access } from './request.ts';
import type { IdentityProvider } from '../access/oidc.ts';
import { SignInRefused, stateOf, type Stranger } from '../access/oidc-claims.ts';
import type { Identity } from '../access/roles.ts';

export type SignInOptions = OidcOptions;

export function addSignIn(app: FastifyInstance, options: SignInOptions): void {
  const { provider } = options;
  app.get<{ Querystring: { next?: string } }>('/sign-in', ({ query }, reply) =>
    send(reply, {
      title: t.signIn.title,
      main: signInPage({ next: ownPath(query.next), provider: provider?.name }),
    }),
  );
  app.post('/sign-in', (request, reply) => signIn(request, reply, options));
  app.post('/sign-out', async (request, reply) => {
    const { store } = options;
    const person = await signedIn(request, options);
    await store.signOut(wordOf(request) ?? '');
    if (person !== undefined && field(request, 'everywhere') !== '') {
      await store.signOutEverywhere(person.name);
      const entry = { at: options.now(), who: person.name, address: request.ip, subject: person.name };
      await store.audit({ ...entry, what: 'sign out everywhere', result: 'done' });
    }
    const issuer = person && (await store.user(person.name))?.issuer;
    return reply
      .header('set-cookie', cookieOf('', isSecure(request)))
      .redirect(signedOutPath(issuer, provider), 303);
  });
  addInvitations(app, options);
  addOidc(app, options);
}

async function signIn(
  request: FastifyRequest,
  reply: FastifyReply,
  { store, limiter, now, provider }: SignInOptions,
): Promise<FastifyReply> {
  const name = field(request, 'name').slice(0, 256);
  const next = ownPath(field(request, 'next'));
  const again = (status: number, said: string): FastifyReply =>
    send(reply.code(status), {
      title: t.signIn.title,
      main: signInPage({ next, provider: provider?.name, failed: said, name }),
    });
  const keys = limiterKeys(name, request.ip);
  const wait = Math.ceil(limiter.wait(keys, now()) / 1000);
  if (wait > 0) {
    reply.header('retry-after', wait);
    return again(429, t.signIn.tooMany(wait));
  }
  // it counts before the password is checked: attempts at the same time count, too
  limiter.failed(keys, now());
  const right = await isPassword(field(request, 'password'), await store.passwordOf(name));
  const who = right ? { who: name, subject: '' } : { who: '', subject: name };
  const result = right ? 'done' : 'refused';
  await store.audit({ at: now(), ...who, address: request.ip, what: 'sign in', result });
  if (!right) return again(403, t.signIn.wrong);
  limiter.succeeded(keys);
  // who signs in anew leaves no session behind
  await store.signOut(wordOf(request) ?? '');
  return begin(request, reply, await store.signIn(name, request.ip, now()), next);
}

const begin = (request: FastifyRequest, reply: FastifyReply, word: string, next: string): FastifyReply =>
  reply.header('set-cookie', cookieOf(word, isSecure(request))).redirect(next, 303);

interface Invited {
  readonly Params: { readonly word: string };
}

function addInvitations(app: FastifyInstance, { store, now }: SignInOptions): void {
  const gone = (reply: FastifyReply): FastifyReply =>
    sendMessage(reply, 410, t.invitation.goneTitle, t.invitation.gone);
  app.get<Invited>('/invite/:word', async ({ params: { word } }, reply) => {
    const name = await store.invited(word, now());
    return name === undefined
      ? gone(reply)
      : send(reply, { title: t.invitation.title, main: invitationPage(word, name) });
  });
  app.post<Invited>('/invite/:word', async (request, reply) => {
    const { word } = request.params;
    const invited = await store.invited(word, now());
    if (invited === undefined) return gone(reply);
    const password = field(request, 'password');
    const problem = passwordProblem(password, invited);
    if (problem !== undefined)
      return send(reply.code(422), {
        title: t.invitation.title,
        main: invitationPage(word, invited, problem),
      });
    const name = await store.accept(word, await hashPassword(password), now());
    if (name === undefined) return gone(reply);
    const entry = { at: now(), who: name, address: request.ip, subject: '' };
    await store.audit({ ...entry, what: 'set password', result: 'done' });
    return begin(request, reply, await store.signIn(name, request.ip, now()), '/');
  });
}

// Signing in at an identity provider: to it, back from it, and out of it (OpenID Connect Core 3.1.2).

interface OidcOptions extends Access {
  readonly limiter: Limiter;
  /** Absent where people sign in by passwords alone. */
  readonly provider?: IdentityProvider | undefined;
}

interface Provided extends OidcOptions {
  readonly provider: IdentityProvider;
}

interface Begun {
  readonly Querystring: { readonly next?: string };
}

const CALLBACK = '/oidc/callback';
const SIGNED_OUT = '/signed-out';

function addOidc(app: FastifyInstance, { provider, ...rest }: OidcOptions): void {
  if (provider === undefined) return;
  const options: Provided = { ...rest, provider };
  app.get<Begun>('/oidc/sign-in', (request, reply) => beginAtProvider(request, reply, options));
  app.get(CALLBACK, (request, reply) => finish(request, reply, options));
  app.get(SIGNED_OUT, async (request, reply) => {
    const leave = await provider.leave(addressOf(request, SIGNED_OUT)).catch((error: unknown) => {
      // who is signed out here need not know
      if (failureIn(error) === undefined) throw error;
      return undefined;
    });
    return send(reply, { title: t.signedOut.title, main: signedOutPage(provider.name, leave?.href) });
  });
}

/** Where people sign out who came from the provider. */
const signedOutPath = (issuer: string | undefined, provider: IdentityProvider | undefined): string =>
  provider !== undefined && issuer === provider.issuer ? SIGNED_OUT : '/sign-in';

/** An address of the board as the browser knows it: the guard has checked the name. */
const addressOf = (request: FastifyRequest, path: string): URL =>
  new URL(path, `${request.protocol}://${request.headers.host ?? ''}`);

async function beginAtProvider(
  request: FastifyRequest<Begun>,
  reply: FastifyReply,
  options: Provided,
): Promise<FastifyReply> {
  const passage: Passage = {
    word: randomBytes(32).toString('base64url'),
    began: options.now(),
    next: ownPath(request.query.next),
  };
  let to: URL;
  try {
    to = await options.provider.begin(passage.word, addressOf(request, CALLBACK));
  } catch (error) {
    return failed(reply, error, options);
  }
  return reply.header('set-cookie', passageOf(passage, isSecure(request))).redirect(to.href, 303);
}

async function finish(
  request: FastifyRequest,
  reply: FastifyReply,
  options: Provided,
): Promise<FastifyReply> {
  const { store, now, limiter, provider } = options;
  const keys = [`oidc:${request.ip}`];
  const wait = Math.ceil(limiter.wait(keys, now()) / 1_000);
  if (wait > 0) return outside(reply.code(429).header('retry-after', wait), t.signIn.tooMany(wait));
  const secure = isSecure(request);
  const callback = addressOf(request, request.url);
  const passage = passageIn(request.headers.cookie, secure, now());
  // spent before the provider is asked: the same address opened twice, also at the same time, counts once
  if (passage === undefined || !isOf(callback, passage) || !(await store.spend(stateOf(passage.word), now())))
    return outside(reply.code(400), t.oidc.gone);
  reply.header('set-cookie', noPassage(secure));
  let person: Identity | Stranger;
  try {
    person = await provider.finish(passage.word, callback);
  } catch (error) {
    if (failureIn(error)?.kind !== 'transient') limiter.failed(keys, now());
    return failed(reply, error, options);
  }
  return welcome(request, reply, person, passage, options);
}

const isOf = (callback: URL, { word }: Passage): boolean =>
  callback.searchParams.getAll('state').join('\n') === stateOf(word);

/** Begins the session, or says to whom nothing is open what to ask for. */
async function welcome(
  request: FastifyRequest,
  reply: FastifyReply,
  person: Identity | Stranger,
  { next }: Passage,
  { store, now, provider }: Provided,
): Promise<FastifyReply> {
  const entry = { at: now(), address: request.ip, what: t.oidc.audited };
  if (person.role === undefined) {
    // a role that was taken away is gone at once
    await store.signOutIdentity(person.issuer, person.subject);
    await store.audit({ ...entry, who: '', subject: person.names[0], result: 'refused: no role' });
    return outside(reply.code(403), t.oidc.noRole(provider.name, person.names[0], person.groups));
  }
  const name = await store.identify(person, now());
  await store.signOut(wordOf(request) ?? '');
  const word = await store.signIn(name, request.ip, now(), provider.sessionMs);
  await store.audit({ ...entry, who: name, subject: '', result: 'done' });
  return reply.header('set-cookie', cookieOf(word, isSecure(request))).redirect(ownPath(next), 303);
}

/** A page for somebody whom the provider did not let in. */
function failed(reply: FastifyReply, error: unknown, options: Provided): FastifyReply {
  if (error instanceof SignInRefused)
    return error.reason === 'invalid_grant'
      ? outside(reply.code(400), t.oidc.gone)
      : outside(reply.code(403), t.oidc.refused(options.provider.name, error.reason));
  const failure = failureIn(error);
  if (failure === undefined) throw error;
  return failure.kind === 'transient'
    ? outside(reply.code(503).header('retry-after', '30'), t.oidc.away(options.provider.name))
    : outside(reply.code(502), t.oidc.unusable(options.provider.name));
}

const outside = (reply: FastifyReply, text: string): FastifyReply =>
  send(reply, { title: t.oidc.title, main: outsidePage(text) });
