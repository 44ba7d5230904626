/** Signing in and out, and the one-time links with which people set their passwords. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { limiterKeys } from '../access/limiter.ts';
import { hashPassword, isPassword, passwordProblem } from '../access/passwords.ts';
import { t } from '../texts/pages.ts';
import { cookieOf } from './cookie.ts';
import { invitationPage, signInPage } from './pages.ts';
import { addOidc, signedOutPath, type OidcOptions } from './oidc.ts';
import { field, isSecure, ownPath, send, sendMessage, signedIn, wordOf } from './request.ts';

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
