/** What all orders to a service share: each form counts once, every answer is audited, and a refusal says why. */
import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FailureError } from '@scanflow/failure';
import { html, type Html } from '../page/html.ts';
import type { Person } from '../access/roles.ts';
import type { Facility } from '../day/routes.ts';
import type { Services } from '../sources/gather.ts';
import type { Answered, Service } from '../sources/service.ts';
import { t } from '../texts/pages.ts';
import { field, sendMessage, type Access } from '../web/request.ts';

/** Inside a form. */
export const onceField = (): Html => html`<input type="hidden" name="once" value="${randomUUID()}" />`;

export const isWord = (word: string): boolean => /^[0-9a-f-]{36}$/.test(word);

export interface ActionOptions extends Access {
  readonly services: Services;
  readonly facility: Facility;
  /** The scanner of an AE title. */
  readonly scannerOf: ReadonlyMap<string, string>;
}

/** Whether this form is sent for the first time. */
export async function spend(
  request: FastifyRequest,
  person: Person,
  { store, now }: ActionOptions,
  what: string,
  subject: string,
): Promise<boolean> {
  const word = field(request, 'once');
  if (isWord(word) && (await store.spend(word, now()))) return true;
  await store.audit({
    at: now(),
    who: person.name,
    address: request.ip,
    what,
    subject,
    result: 'sent twice',
  });
  return false;
}

interface Doing {
  readonly request: FastifyRequest;
  readonly what: string;
  readonly subject: string;
}

/** Audits what came of it, and leads back or says why nothing was done. */
export async function finish(
  answer: Answered,
  back: string,
  reply: FastifyReply,
  person: Person,
  { store, now }: ActionOptions,
  { request, what, subject }: Doing,
): Promise<FastifyReply> {
  const { status } = answer;
  const done = status === 200;
  const result = done ? 'done' : `${status < 500 ? 'refused' : 'not known'}: ${status}`;
  await store.audit({ at: now(), who: person.name, address: request.ip, what, subject, result });
  return done ? reply.redirect(back, 303) : refusedBy(reply, answer);
}

const errorIn = (body: unknown): string =>
  typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : t.actions.away;

/** The service's answer. One that does not answer may have done it all the same. */
export const answerOf = (service: Service, path: string, body: object): Promise<Answered> =>
  service.post(path, body).catch((error: unknown) => {
    if (!(error instanceof FailureError)) throw error;
    return { status: 503, body: {} };
  });

export const refusedBy = (reply: FastifyReply, { status, body }: Answered): FastifyReply =>
  status < 500
    ? sendMessage(reply, status, t.actions.refusedTitle, errorIn(body))
    : sendMessage(reply, 503, t.actions.unknownTitle, errorIn(body));

export const hidden = (values: Readonly<Record<string, string>>): Html[] =>
  Object.entries(values).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  );

export const KINDS = ['retry', 'skip', 'release', 'move'] as const;
export type Kind = (typeof KINDS)[number];

/** What an order about a series says, beside who gives it. Only what the form has. */
export interface Order {
  readonly target?: string;
  readonly project?: string;
  readonly subject?: string;
  readonly session?: string;
  readonly reason?: string;
  readonly keep?: string;
  readonly send?: string;
}

const KEYS = ['target', 'project', 'subject', 'session', 'reason', 'keep', 'send'] as const;

/** Reads a form. `prefix`: of its fields, where the form holds a filter, too. */
export const orderIn = (request: FastifyRequest, prefix = ''): Order =>
  Object.fromEntries(
    KEYS.flatMap((key) => {
      const value = field(request, `${prefix}${key}`).trim();
      return value === '' ? [] : [[key, value]];
    }),
  );

/** As the streamer takes it. */
export const bodyOf = ({ keep, send, ...order }: Order, person: Person): object => ({
  by: person.name,
  ...order,
  ...(keep === undefined ? {} : { keep: true }),
  ...(send === undefined ? {} : { send: true }),
});

/** The fields of labels, with their names for people. */
export const LABEL_FIELDS = [
  ['project', t.actions.projectLabel],
  ['subject', t.actions.subjectLabel],
  ['session', t.actions.sessionLabel],
] as const;

/** What was chosen, in words. */
export const choices = ({ keep, send: anew, reason }: Order): Html =>
  html`<ul>
    <li>${keep === undefined ? t.move.removed : t.move.kept}</li>
    <li>${anew === undefined ? t.move.notSent : t.move.sentAnew}</li>
    ${reason !== undefined && html`<li>${t.move.because(reason)}</li>`}
  </ul>`;
