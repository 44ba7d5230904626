/** What the routes share: who asks, a form's fields, and the answer as a page. */
import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { mayDo, type Action, type Person } from '../access/roles.ts';
import type { AccessStore } from '../access/store.ts';
import { framed, type PagePath } from '../page/frame.ts';
import { html, type Html } from '../page/html.ts';
import { t } from '../texts/pages.ts';
import { wordIn } from './cookie.ts';
import { messagePage } from './pages.ts';

export interface Access {
  readonly store: AccessStore;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Whether the browser came by TLS: to us, or to a trusted proxy. Without it comes only this machine: the guard refuses all else. */
export const isSecure = ({ protocol }: FastifyRequest): boolean => protocol === 'https';

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

/** A path of the board; anything else could lead to another web site. */
export const ownPath = (path: string | undefined): string =>
  path !== undefined &&
  path.length <= MOST_PATH &&
  /^\/(?![/\\])[\w\-./?=&%]*$/.test(path) &&
  !/^\/(?:sign-in|oidc|signed-out)\b/.test(path)
    ? path
    : '/';

const MOST_PATH = 1_000;

declare module 'fastify' {
  interface FastifyReply {
    /** Of the facility. */
    zone?: string;
  }
}

export interface Sent {
  readonly title: string;
  readonly main: Html;
  /** Which entry of the navigation it is. */
  readonly path?: PagePath | undefined;
  readonly person?: Person | undefined;
}

/**
 * A browser that has the same page already gets 304, and nothing to bring in (RFC 9110 13.1.2). What many people see is made
 * into bytes once, and goes out without a copy for each; the frame around it is each person's own.
 */
export function send(reply: FastifyReply, { title, main, path, person }: Sent): FastifyReply {
  const [head = '', tail = ''] = framed({
    title,
    path,
    main: PLACE,
    person,
    banner: reply.banner,
    zone: reply.zone,
  }).split(PLACE.toString());
  const tag = `"${hash('sha256', `${head}${main.sent.tag}${tail}`, 'base64url')}"`;
  if (reply.statusCode === 200) {
    void reply.header('etag', tag);
    if (reply.request.headers['if-none-match'] === tag) return reply.code(304).send();
  }
  const parts = [Buffer.from(head), main.sent.bytes, Buffer.from(tail)];
  return reply
    .type('text/html; charset=utf-8')
    .header(
      'content-length',
      parts.reduce((sum, part) => sum + part.length, 0),
    )
    .send(Readable.from(parts, { objectMode: false }));
}

/** Where the page's own part goes; no text of a person has a tag in it. */
const PLACE = html`<hr id="place-of-the-page" />`;

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
