/** What the routes share: who asks, a form's fields, and the answer as a page. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { mayDo, type Action, type Person } from '../access/roles.ts';
import type { AccessStore } from '../access/store.ts';
import { framed, type PagePath } from '../page/frame.ts';
import type { Html } from '../page/html.ts';
import { t } from '../texts/pages.ts';
import { wordIn } from './cookie.ts';
import { isLoopback } from './guard.ts';
import { messagePage } from './pages.ts';

export interface Access {
  readonly store: AccessStore;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Browsers come by TLS, except on this machine: the guard refuses all else. */
export const isSecure = ({ headers }: FastifyRequest): boolean => !isLoopback(headers.host ?? '');

/** The word of the session, for signing out. */
export const wordOf = (request: FastifyRequest): string | undefined =>
  wordIn(request.headers.cookie, isSecure(request));

export async function signedIn(request: FastifyRequest, { store, now }: Access): Promise<Person | undefined> {
  const word = wordOf(request);
  return word === undefined ? undefined : store.signedIn(word, now());
}

const FORM_BYTES = 65_536;

/** Forms are all that the board reads. */
export function readForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const options = { parseAs: 'string', bodyLimit: FORM_BYTES } as const;
  app.addContentTypeParser('application/x-www-form-urlencoded', options, (_request, body, done) => {
    done(null, new URLSearchParams(typeof body === 'string' ? body : ''));
  });
}

/** The value of a form's field; empty where it has none. */
export const field = ({ body }: FastifyRequest, name: string): string =>
  body instanceof URLSearchParams ? (body.get(name) ?? '') : '';

export interface Sent {
  readonly title: string;
  readonly main: Html;
  /** Which entry of the navigation it is. */
  readonly path?: PagePath | undefined;
  readonly person?: Person | undefined;
}

export const send = (reply: FastifyReply, { title, main, path, person }: Sent): FastifyReply =>
  reply.type('text/html; charset=utf-8').send(framed({ title, path, main, person, banner: reply.banner }));

export const sendMessage = (reply: FastifyReply, status: number, title: string, text: string): FastifyReply =>
  send(reply.code(status), { title, main: messagePage(title, text) });

export const notFound = (reply: FastifyReply): FastifyReply =>
  sendMessage(reply, 404, t.notFound.title, t.notFound.text);

/** Runs a route for who is signed in; others sign in first and come back. */
export const forPerson =
  <R extends FastifyRequest>(
    access: Access,
    route: (request: R, reply: FastifyReply, person: Person) => Promise<FastifyReply> | FastifyReply,
  ) =>
  async (request: R, reply: FastifyReply): Promise<FastifyReply> => {
    const person = await signedIn(request, access);
    if (person !== undefined) return route(request, reply, person);
    const next = request.method === 'GET' ? request.url : '/';
    return reply.redirect(`/sign-in?next=${encodeURIComponent(next)}`, 303);
  };

/** The same for an action: whoever may not do it gets a page that says so. */
export const forAction = <R extends FastifyRequest>(
  access: Access,
  action: Action,
  route: (request: R, reply: FastifyReply, person: Person) => Promise<FastifyReply> | FastifyReply,
): ((request: R, reply: FastifyReply) => Promise<FastifyReply>) =>
  forPerson<R>(access, (request, reply, person) =>
    mayDo(person, action)
      ? route(request, reply, person)
      : sendMessage(reply, 403, t.notYours.title, t.notYours.text),
  );
