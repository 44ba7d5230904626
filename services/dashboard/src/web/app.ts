/** The board's web server: pages for people who signed in. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Limiter } from '../access/limiter.ts';
import { hashPassword, isPassword, passwordProblem } from '../access/passwords.ts';
import type { Person } from '../access/roles.ts';
import type { AccessStore } from '../access/store.ts';
import { framed } from '../page/frame.ts';
import type { Html } from '../page/html.ts';
import type { Watch } from '../live/watch.ts';
import { cookieOf, wordIn } from './cookie.ts';
import { readAssets } from './assets.ts';
import { HEADERS, refusal, type Hosts } from './guard.ts';
import { invitationPage, messagePage, signInPage } from './pages.ts';

export interface AppOptions {
  readonly store: AccessStore;
  readonly limiter: Limiter;
  readonly hosts: Hosts;
  /** Whether browsers come by TLS, here or at the proxy in front. */
  readonly secure: boolean;
  readonly now: () => number;
  /** The main part of a day's page, as this person may see it. */
  readonly day: (day: Temporal.PlainDate | undefined, person: Person) => Promise<Html>;
  readonly watch: Pick<Watch, 'follow'>;
}

const FORM_BYTES = 16_384;

/** Adds the guard and the pages. */
export function addPages(app: FastifyInstance, options: AppOptions): void {
  guard(app, options);
  readForms(app);
  addAssets(app);
  signIn(app, options);
  invitations(app, options);
  days(app, options);
  events(app, options);
  app.setNotFoundHandler((_request, reply) =>
    send(
      reply.code(404),
      'Not found',
      messagePage('Not found', 'There is no such page, or it is not for you to see.'),
    ),
  );
}

function guard(app: FastifyInstance, { hosts }: AppOptions): void {
  app.addHook('onRequest', async ({ method, headers }, reply) => {
    reply.headers(HEADERS);
    const refused = refusal({ method, headers }, hosts);
    return refused === undefined
      ? undefined
      : send(reply.code(403), 'Refused', messagePage('Refused', refused));
  });
}

function readForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const options = { parseAs: 'string', bodyLimit: FORM_BYTES } as const;
  app.addContentTypeParser('application/x-www-form-urlencoded', options, (_request, body, done) => {
    done(null, new URLSearchParams(typeof body === 'string' ? body : ''));
  });
}

/** The value of a form's field; empty where it has none. */
const field = ({ body }: FastifyRequest, name: string): string =>
  body instanceof URLSearchParams ? (body.get(name) ?? '') : '';

const send = (reply: FastifyReply, title: string, main: Html): FastifyReply =>
  reply.type('text/html; charset=utf-8').send(framed(title, undefined, main));

function addAssets(app: FastifyInstance): void {
  for (const [name, { type, body }] of readAssets())
    app.get(`/assets/${name}`, (_request, reply) => reply.type(type).send(body));
}

function signIn(app: FastifyInstance, { store, limiter, secure, now }: AppOptions): void {
  app.get<{ Querystring: { next?: string } }>('/sign-in', ({ query }, reply) =>
    send(reply, 'Sign in', signInPage(ownPath(query.next))),
  );
  app.post('/sign-in', async (request, reply) => {
    const name = field(request, 'name').slice(0, 256);
    const next = ownPath(field(request, 'next'));
    const keys = [`user:${name}`, `address:${request.ip}`];
    const wait = limiter.wait(keys, now());
    if (wait > 0)
      return send(
        reply.code(429).header('retry-after', Math.ceil(wait / 1000)),
        'Sign in',
        signInPage(next, `Too many attempts. Try again in ${Math.ceil(wait / 1000)} s.`, name),
      );
    // it counts before the password is looked at: attempts at the same time count, too
    limiter.failed(keys, now());
    const right = await isPassword(field(request, 'password'), store.passwordOf(name));
    const audited = {
      at: now(),
      who: right ? name : '',
      address: request.ip,
      what: 'sign in',
      subject: right ? '' : name,
    };
    store.audit({ ...audited, result: right ? 'done' : 'refused' });
    if (!right)
      return send(reply.code(403), 'Sign in', signInPage(next, 'User name or password is wrong.', name));
    limiter.succeeded(keys);
    return begin(reply, store.signIn(name, request.ip, now()), secure, next);
  });
  app.post('/sign-out', (request, reply) => {
    const person = signedIn(request, { store, secure, now });
    store.signOut(wordIn(request.headers.cookie, secure) ?? '');
    if (person !== undefined && field(request, 'everywhere') !== '') store.signOutEverywhere(person.name);
    return reply.header('set-cookie', cookieOf('', secure)).redirect('/sign-in', 303);
  });
}

const begin = (reply: FastifyReply, word: string, secure: boolean, next: string): FastifyReply =>
  reply.header('set-cookie', cookieOf(word, secure)).redirect(next, 303);

function invitations(app: FastifyInstance, { store, secure, now }: AppOptions): void {
  const gone = (reply: FastifyReply): FastifyReply =>
    send(
      reply.code(410),
      'Link expired',
      messagePage(
        'This link no longer works',
        'It was used, or is older than a day. Ask for another one: scanflow user invite NAME',
      ),
    );
  app.get<{ Params: { word: string } }>('/invite/:word', ({ params: { word } }, reply) => {
    const name = store.invited(word, now());
    return name === undefined ? gone(reply) : send(reply, 'Welcome', invitationPage(word, name));
  });
  app.post<{ Params: { word: string } }>('/invite/:word', async (request, reply) => {
    const { word } = request.params;
    const invited = store.invited(word, now());
    if (invited === undefined) return gone(reply);
    const password = field(request, 'password');
    const problem = passwordProblem(password, invited);
    if (problem !== undefined)
      return send(reply.code(422), 'Welcome', invitationPage(word, invited, problem));
    const name = store.accept(word, await hashPassword(password), now());
    if (name === undefined) return gone(reply);
    store.audit({
      at: now(),
      who: name,
      address: request.ip,
      what: 'set password',
      subject: '',
      result: 'done',
    });
    return begin(reply, store.signIn(name, request.ip, now()), secure, '/');
  });
}

function days(app: FastifyInstance, options: AppOptions): void {
  const { day } = options;
  const shown = async (
    request: FastifyRequest,
    reply: FastifyReply,
    date: Temporal.PlainDate | undefined,
  ) => {
    const person = signedIn(request, options);
    if (person === undefined) return reply.redirect(`/sign-in?next=${encodeURIComponent(request.url)}`, 303);
    const main = await day(date, person);
    return reply.type('text/html; charset=utf-8').send(framed(date?.toString() ?? 'Today', '/', main));
  };
  app.get('/', (request, reply) => shown(request, reply, undefined));
  app.get<{ Params: { day: string } }>('/day/:day', (request, reply) => {
    const date = dateIn(request.params.day);
    return date === undefined
      ? send(reply.code(404), 'No such day', messagePage('No such day', 'Write a day like /day/2026-11-28.'))
      : shown(request, reply, date);
  });
}

/** Browsers at the same time that follow events. The page itself still loads for more. */
const MOST_STREAMS = 500;
/** A line now and then, so that proxies keep the stream and a browser that went away is noticed. */
const BEAT_MS = 15_000;

/** `/events`: a Server-Sent Event `changed` whenever pages may differ (WHATWG HTML 9.2). */
function events(app: FastifyInstance, { watch, ...who }: AppOptions): void {
  let streams = 0;
  app.get('/events', (request, reply) => {
    if (signedIn(request, who) === undefined) return reply.code(401).send();
    if (streams >= MOST_STREAMS) return reply.code(503).header('retry-after', '30').send();
    streams += 1;
    const { raw } = reply.hijack();
    raw.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream; charset=utf-8' });
    raw.write('retry: 3000\n\n');
    const leave = watch.follow(() => raw.write('event: changed\ndata:\n\n'));
    const beat = setInterval(() => {
      // whoever was signed out meanwhile hears no more
      if (signedIn(request, who) === undefined) raw.end();
      else raw.write(': \n\n');
    }, BEAT_MS).unref();
    raw.once('close', () => {
      streams -= 1;
      clearInterval(beat);
      leave();
    });
    return reply;
  });
}

const signedIn = (
  { headers }: FastifyRequest,
  { store, secure, now }: Pick<AppOptions, 'store' | 'secure' | 'now'>,
): Person | undefined => {
  const word = wordIn(headers.cookie, secure);
  return word === undefined ? undefined : store.signedIn(word, now());
};

function dateIn(text: string): Temporal.PlainDate | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' });
  } catch {
    return undefined;
  }
}

/** A path of the board; anything else could lead to another web site. */
const ownPath = (path: string | undefined): string =>
  path !== undefined && /^\/(?![/\\])[\w\-./?=&%]*$/.test(path) && !path.startsWith('/sign-in') ? path : '/';
