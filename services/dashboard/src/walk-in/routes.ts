/** `/walk-in`: operators add a walk-in and withdraw it. cal2wl judges and writes it; the dashboard asks, and audits who asked. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Person } from '../access/roles.ts';
import { isWord, answerOf, refusedBy } from '../actions/order.ts';
import type { Facility } from '../day/routes.ts';
import { isAway } from '../journey/facts.ts';
import { addedAnswer, outcomeAnswer, refusalAnswer, withdrawnAnswer } from '../sources/answers.ts';
import type { Gatherer, Services } from '../sources/gather.ts';
import type { Answered } from '../sources/service.ts';
import { t as pages } from '../texts/pages.ts';
import { walkInText as t } from '../texts/scanner.ts';
import { field, forAction, send, sendMessage, type Access } from '../web/request.ts';
import { formPage, previewPage, type FormView, type Typed } from './page.ts';

export interface WalkInOptions extends Access {
  readonly facility: Facility;
  readonly gatherer: Gatherer;
  readonly services: Services;
  /** Names of the scanners of the configuration. */
  readonly scanners: readonly string[];
}

const PATH = '/api/board/walk-in';

interface OfWalkIn {
  readonly Params: { readonly accession: string };
}
interface Asked {
  readonly Querystring: { readonly scanner?: string };
}

export function addWalkIns(app: FastifyInstance, options: WalkInOptions): void {
  app.get<Asked>(
    '/walk-in',
    forAction<FastifyRequest<Asked>>(options, 'walk-in', ({ query }, reply, person) => {
      const labels = { project: '', subject: '', session: '' };
      const scanner = query.scanner ?? options.scanners[0] ?? '';
      const start = localNow(options).toString({ smallestUnit: 'minute' });
      return form(reply, person, { typed: { ...labels, scanner, start } }, options);
    }),
  );
  app.post(
    '/walk-in/form',
    forAction(options, 'walk-in', (request, reply, person) =>
      form(reply, person, { typed: typedIn(request) }, options),
    ),
  );
  app.post(
    '/walk-in/preview',
    forAction(options, 'walk-in', (request, reply, person) => preview(request, reply, person, options)),
  );
  app.post(
    '/walk-in',
    forAction(options, 'walk-in', (request, reply, person) => add(request, reply, person, options)),
  );
  app.post<OfWalkIn>(
    '/walk-in/:accession/withdraw',
    forAction<FastifyRequest<OfWalkIn>>(options, 'walk-in', (request, reply, person) =>
      withdraw(request, reply, person, options),
    ),
  );
}

const localNow = ({ now, facility }: WalkInOptions): Temporal.PlainDateTime =>
  Temporal.Instant.fromEpochMilliseconds(now()).toZonedDateTimeISO(facility.timezone).toPlainDateTime();

const LONGEST = 256;

const typedIn = (request: FastifyRequest): Typed => {
  const of = (name: string): string => field(request, name).trim().slice(0, LONGEST);
  return {
    project: of('project'),
    subject: of('subject'),
    session: of('session'),
    scanner: of('scanner'),
    start: of('start'),
  };
};

const form = (
  reply: FastifyReply,
  person: Person,
  view: Omit<FormView, 'scanners'>,
  { scanners }: WalkInOptions,
): FastifyReply => send(reply, { title: t.title, main: formPage({ ...view, scanners }), person });

/** What cal2wl is asked; undefined where the start is no time. */
function bodyOf(typed: Typed, id: string, person: Person, { facility }: WalkInOptions): object | undefined {
  const { start, ...rest } = typed;
  try {
    const at = Temporal.PlainDateTime.from(start.replace(' ', 'T')).toZonedDateTime(facility.timezone);
    return { ...rest, start: at.toInstant().toString(), id, by: person.name, addresses: person.addresses };
  } catch {
    return undefined;
  }
}

async function preview(
  request: FastifyRequest,
  reply: FastifyReply,
  person: Person,
  options: WalkInOptions,
): Promise<FastifyReply> {
  const typed = typedIn(request);
  const body = bodyOf(typed, randomUUID(), person, options);
  if (body === undefined)
    return form(reply.code(422), person, { typed, problem: { text: t.badStart } }, options);
  const answer = await answerOf(options.services.cal2wl, `${PATH}/try`, body);
  if (answer.status !== 200) return notAdded(answer, typed, reply, person, options);
  const outcome = outcomeAnswer.parse({ calendar: 'walk-in', ...Object(answer.body) });
  const { reason, code } = outcome;
  if (outcome.outcome !== 'booking')
    return form(reply.code(422), person, { typed, problem: { text: reason, code } }, options);
  const main = previewPage({ typed, outcome, timezone: options.facility.timezone });
  return send(reply, { title: t.becomes, main, person });
}

/** The form again, with what is wrong; or that it is not known what happened. */
function notAdded(
  answer: Answered,
  typed: Typed,
  reply: FastifyReply,
  person: Person,
  options: WalkInOptions,
): FastifyReply {
  const refusal = refusalAnswer.safeParse(answer.body);
  if (answer.status >= 500 || !refusal.success) return refusedBy(reply, answer);
  const { error: text, code } = refusal.data;
  return form(reply.code(422), person, { typed, problem: { text, code } }, options);
}

/** A form that comes twice asks for the same walk-in twice: cal2wl makes it once, also where an answer was lost. */
async function add(
  request: FastifyRequest,
  reply: FastifyReply,
  person: Person,
  options: WalkInOptions,
): Promise<FastifyReply> {
  const typed = typedIn(request);
  const word = field(request, 'once');
  if (!isWord(word)) return reply.redirect('/walk-in', 303);
  const body = bodyOf(typed, word, person, options);
  if (body === undefined)
    return form(reply.code(422), person, { typed, problem: { text: t.badStart } }, options);
  const answer = await answerOf(options.services.cal2wl, PATH, body);
  const done = answer.status === 200 ? addedAnswer.parse(answer.body) : undefined;
  const result =
    done === undefined
      ? `${answer.status < 500 ? 'refused' : 'not known'}: ${answer.status}`
      : done.isNew
        ? 'done'
        : 'sent twice';
  await audit(request, person, options, {
    what: 'walk-in',
    subject: done?.accessionNumber ?? typed.scanner,
    result,
  });
  if (done === undefined) return notAdded(answer, typed, reply, person, options);
  return reply.redirect(`/session/${done.accessionNumber}?said=${done.isNew ? 'walkIn' : 'again'}`, 303);
}

async function withdraw(
  request: FastifyRequest<OfWalkIn>,
  reply: FastifyReply,
  person: Person,
  options: WalkInOptions,
): Promise<FastifyReply> {
  const { accession } = request.params;
  const found = await options.gatherer.find(accession);
  const doing = { what: 'withdraw walk-in', subject: accession };
  // images may be here of an exam that no scanner reported
  if (isAway(found.exams) || isAway(found.sessions)) {
    await audit(request, person, options, { ...doing, result: 'refused: not known' });
    return sendMessage(reply, 503, pages.actions.refusedTitle, t.notKnown);
  }
  if (found.exams.length + found.sessions.length > 0) {
    await audit(request, person, options, { ...doing, result: 'refused: scanned' });
    return sendMessage(reply, 409, pages.actions.refusedTitle, t.scanned);
  }
  const path = `${PATH}/${encodeURIComponent(accession)}/withdraw`;
  const answer = await answerOf(options.services.cal2wl, path, {});
  const done = answer.status === 200 ? withdrawnAnswer.parse(answer.body) : undefined;
  const result = done === undefined ? `refused: ${answer.status}` : done.withdrawn ? 'done' : 'sent twice';
  await audit(request, person, options, { ...doing, result });
  if (done === undefined) return refusedBy(reply, answer);
  const said = done.withdrawn ? 'withdrawn' : 'again';
  return reply.redirect(`/session/${encodeURIComponent(accession)}?said=${said}`, 303);
}

const audit = (
  { ip }: FastifyRequest,
  { name }: Person,
  { store, now }: WalkInOptions,
  entry: { readonly what: string; readonly subject: string; readonly result: string },
): Promise<void> => store.audit({ at: now(), who: name, address: ip, ...entry });
