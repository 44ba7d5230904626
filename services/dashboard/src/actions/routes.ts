/** What facility IT can do with series: retry, skip a hook, and release from quarantine. Each is asked of the streamer and audited. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FailureError } from '@scanflow/failure';
import type { Person } from '../access/roles.ts';
import { html, type Html } from '../page/html.ts';
import type { Facility } from '../day/routes.ts';
import { askedOf, filterIn, queryOf } from '../series/filter.ts';
import { previewAnswer, seriesAnswer } from '../sources/answers.ts';
import type { Services } from '../sources/gather.ts';
import type { Answered, Service } from '../sources/service.ts';
import { t } from '../texts/pages.ts';
import { field, forAction, send, sendMessage, type Access } from '../web/request.ts';
import { isWord, onceField } from './once.ts';

export interface ActionOptions extends Access {
  readonly services: Services;
  readonly facility: Facility;
}

interface OfSeries {
  readonly Params: { readonly id: string };
}

type Kind = 'retry' | 'skip' | 'release';

export function addActions(app: FastifyInstance, options: ActionOptions): void {
  for (const kind of ['retry', 'skip', 'release'] as const)
    app.post<OfSeries>(
      `/series/:id/${kind}`,
      forAction<FastifyRequest<OfSeries>>(options, kind, (request, reply, person) =>
        act(kind, request, reply, person, options),
      ),
    );
  app.post<OfSeries>(
    '/series/:id/preview',
    forAction<FastifyRequest<OfSeries>>(options, 'release', (request, reply, person) =>
      preview(request, reply, person, options),
    ),
  );
  app.post(
    '/series/retry',
    forAction(options, 'retry', (request, reply, person) => retryAll(request, reply, person, options)),
  );
  app.post<{ Params: { name: string } }>(
    '/calendars/:name/accept',
    forAction<FastifyRequest<{ Params: { name: string } }>>(
      options,
      'accept',
      async (request, reply, person) => {
        const { name } = request.params;
        if (!(await spend(request, person, options, 'accept', name)))
          return reply.redirect('/health?said=again', 303);
        const path = `/api/board/accept/${encodeURIComponent(name)}`;
        const answer = await answerOf(options.services.cal2wl, path, {});
        return finish(answer, '/health?said=accept', reply, person, options, {
          request,
          what: 'accept',
          subject: name,
        });
      },
    ),
  );
}

/** Whether this form is sent for the first time. */
async function spend(
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

const labelsIn = (request: FastifyRequest): Record<'project' | 'subject' | 'session', string> => ({
  project: field(request, 'project').trim(),
  subject: field(request, 'subject').trim(),
  session: field(request, 'session').trim(),
});

async function act(
  kind: Kind,
  request: FastifyRequest<OfSeries>,
  reply: FastifyReply,
  person: Person,
  options: ActionOptions,
): Promise<FastifyReply> {
  const { id } = request.params;
  const back = `/session/${encodeURIComponent(field(request, 'back') || id)}`;
  if (!(await spend(request, person, options, kind, id))) return reply.redirect(`${back}?said=again`, 303);
  const target = field(request, 'target');
  const body = {
    by: person.name,
    ...(target === '' ? {} : { target }),
    ...(kind === 'release' ? labelsIn(request) : {}),
  };
  const path = `/api/series/${encodeURIComponent(id)}/${kind}`;
  const answer = await answerOf(options.services.streamer, path, body);
  return finish(answer, `${back}?said=${kind}`, reply, person, options, { request, what: kind, subject: id });
}

interface Doing {
  readonly request: FastifyRequest;
  readonly what: string;
  readonly subject: string;
}

/** Audits what came of it, and leads back or says why nothing was done. */
async function finish(
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
const answerOf = (service: Service, path: string, body: object): Promise<Answered> =>
  service.post(path, body).catch((error: unknown) => {
    if (!(error instanceof FailureError)) throw error;
    return { status: 503, body: {} };
  });

const refusedBy = (reply: FastifyReply, { status, body }: Answered): FastifyReply =>
  status < 500
    ? sendMessage(reply, status, t.actions.refusedTitle, errorIn(body))
    : sendMessage(reply, 503, t.actions.unknownTitle, errorIn(body));

/** Where a release would store the series, by the streamer's own rule, before anything is done. */
async function preview(
  request: FastifyRequest<OfSeries>,
  reply: FastifyReply,
  person: Person,
  { services }: ActionOptions,
): Promise<FastifyReply> {
  const { id } = request.params;
  const labels = labelsIn(request);
  const asked = `/api/board/series/${encodeURIComponent(id)}/preview`;
  const answer = await answerOf(services.streamer, asked, labels);
  if (answer.status !== 200) return refusedBy(reply, answer);
  const { path } = previewAnswer.parse(answer.body);
  const back = field(request, 'back');
  const main = html`<h1>${t.actions.previewTitle}</h1>
    <p>${t.actions.previewText}</p>
    <p class="path"><code id="preview">${path}</code></p>
    <form method="post" action="/series/${id}/release" class="form">
      ${onceField()}${hidden({ ...labels, back })}
      <button>${t.actions.confirm}</button>
    </form>
    <p><a href="/session/${encodeURIComponent(back || id)}">${t.actions.back}</a></p>`;
  return send(reply, { title: t.actions.previewTitle, main, person });
}

const hidden = (values: Readonly<Record<string, string>>): Html[] =>
  Object.entries(values).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  );

/** Series of one filter that one form retries. */
const MOST = 500;

/** First shows how many, then retries each. */
async function retryAll(
  request: FastifyRequest,
  reply: FastifyReply,
  person: Person,
  options: ActionOptions,
): Promise<FastifyReply> {
  const filter = filterIn(Object.fromEntries(request.body instanceof URLSearchParams ? request.body : []));
  if ('problem' in filter) return sendMessage(reply, 400, t.series.badTitle, filter.problem);
  const query = queryOf(filter.filter);
  const asked = askedOf(filter.filter, options.facility.timezone);
  const { streamer } = options.services;
  const found = seriesAnswer.parse(await streamer.ask(`/api/board/series?${asked.toString()}&limit=${MOST}`));
  if (field(request, 'confirmed') === '') {
    const main = html`<h1>${t.actions.retryAllTitle(found.total)}</h1>
      <p>${t.actions.retryAllText}</p>
      ${found.total > MOST && html`<p>${t.actions.retryAllMost(MOST)}</p>`}
      <form method="post" action="/series/retry" class="form">
        ${onceField()}${hidden({ ...Object.fromEntries(query), confirmed: 'yes' })}
        <button>${t.actions.retryAllConfirm}</button>
      </form>
      <p><a href="/series?${query.toString()}">${t.actions.back}</a></p>`;
    return send(reply, { title: t.actions.retryAllTitle(found.total), main, person });
  }
  if (!(await spend(request, person, options, 'retry all', query.toString())))
    return sendMessage(reply, 200, t.actions.retriedTitle, t.actions.said.again);
  let done = 0;
  for (const { id } of found.series) {
    const { status } = await answerOf(streamer, `/api/series/${id}/retry`, { by: person.name });
    if (status === 200) done += 1;
    // each further one would wait as long
    if (status >= 500) break;
  }
  const { store, now } = options;
  const entry = { at: now(), who: person.name, address: request.ip, what: 'retry all' };
  await store.audit({ ...entry, subject: query.toString(), result: `${done} of ${found.series.length}` });
  return sendMessage(reply, 200, t.actions.retriedTitle, t.actions.retried(done, found.series.length));
}
