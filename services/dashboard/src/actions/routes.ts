/**
 * What facility IT can do with one series or session: retry, stop a hook, release from quarantine, move, convert again. The board asks
 * the service that does it, and audits each order.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hash } from 'node:crypto';
import { changesNothing, countsOf, planDiff, type DiffRow } from '@scanflow/bids/diff';
import { z } from 'zod';
import type { Person } from '../access/roles.ts';
import { html, type Html, table } from '../page/html.ts';
import { previewAnswer } from '../sources/streamer-answers.ts';
import { t } from '../texts/pages.ts';
import { field, forAction, send, type Access, notFound } from '../web/request.ts';
import { addMany } from './many.ts';
import {
  answerOf,
  bodyOf,
  choices,
  finish,
  hidden,
  KINDS,
  orderIn,
  refusedBy,
  spend,
  type ActionOptions,
  type Kind,
  onceField,
} from './order.ts';
import { isAway } from '../journey/facts.ts';
import { folderName, planMissing, plansOf } from '../session/bids.ts';
import { findFor } from '../session/routes.ts';
import type { Gatherer } from '../sources/gather.ts';
import type { MadePlan, PlanAnswer, Plans } from '../sources/plan.ts';
import type { Answered } from '../sources/service.ts';

interface OfSeries {
  readonly Params: { readonly id: string };
}

export function addActions(app: FastifyInstance, options: ActionOptions): void {
  for (const kind of KINDS)
    app.post<OfSeries>(
      `/series/:id/${kind}`,
      forAction<FastifyRequest<OfSeries>>(options, kind, (request, reply, person) =>
        act(kind, request, reply, person, options),
      ),
    );
  for (const [path, kind] of [
    ['preview', 'release'],
    ['preview-move', 'move'],
  ] as const)
    app.post<OfSeries>(
      `/series/:id/${path}`,
      forAction<FastifyRequest<OfSeries>>(options, kind, (request, reply, person) =>
        preview(kind, request, reply, person, options),
      ),
    );
  addMany(app, options);
  addAccept(app, options);
}

interface OfCalendar {
  readonly Params: { readonly name: string };
}

function addAccept(app: FastifyInstance, options: ActionOptions): void {
  app.post<OfCalendar>(
    '/calendars/:name/accept',
    forAction<FastifyRequest<OfCalendar>>(options, 'accept', async (request, reply, person) => {
      const { name } = request.params;
      if (!(await spend(request, person, options, 'accept', name)))
        return reply.redirect('/health?said=again', 303);
      const path = `/api/board/accept/${encodeURIComponent(name)}`;
      const answer = await answerOf(options.services.cal2wl, path, {});
      const doing = { request, what: 'accept', subject: name };
      return finish(answer, '/health?said=accept', reply, person, options, doing);
    }),
  );
}

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
  const path = `/api/series/${encodeURIComponent(id)}/${kind}`;
  const answer = await answerOf(options.services.streamer, path, bodyOf(orderIn(request), person));
  return finish(answer, `${back}?said=${kind}`, reply, person, options, { request, what: kind, subject: id });
}

/** Where a release or a move would store the series, by the streamer's own rule, before anything is done. */
async function preview(
  kind: 'release' | 'move',
  request: FastifyRequest<OfSeries>,
  reply: FastifyReply,
  person: Person,
  { services }: Access & Pick<ActionOptions, 'services'>,
): Promise<FastifyReply> {
  const { id } = request.params;
  const order = orderIn(request);
  const { project = '', subject = '', session = '' } = order;
  const asked = `/api/board/series/${encodeURIComponent(id)}/preview`;
  const answer = await answerOf(services.streamer, asked, { project, subject, session });
  if (answer.status !== 200) return refusedBy(reply, answer);
  const { path, from } = previewAnswer.parse(answer.body);
  const back = field(request, 'back');
  const texts = kind === 'move' ? t.move : t.actions;
  const main = html`<h1>${texts.previewTitle}</h1>
    ${
      kind === 'move' &&
      html`<p>${t.move.from}</p>
        <p class="path"><code id="from">${from ?? t.move.nowhere}</code></p>`
    }
    <p>${texts.previewText}</p>
    <p class="path"><code id="preview">${path}</code></p>
    ${kind === 'move' && choices(order)}
    <form method="post" action="/series/${id}/${kind}" class="form">
      ${onceField()}${hidden({ ...order, back })}
      <button>${texts.confirm}</button>
    </form>
    <p><a href="/session/${encodeURIComponent(back || id)}">${t.actions.back}</a></p>`;
  return send(reply, { title: texts.previewTitle, main, person });
}

// Converting a session to BIDS again: the page shows what would change, and the form counts for what it showed.

export interface RedoOptions extends ActionOptions {
  readonly gatherer: Gatherer;
  readonly plans: Plans;
}

interface OfSession {
  readonly Params: { readonly id: string };
}

/** GET /session/ID/redo shows what would change; POST orders it. The ID is the streamer's. */
export function addRedo(app: FastifyInstance, options: RedoOptions): void {
  app.get<OfSession>(
    '/session/:id/redo',
    forAction<FastifyRequest<OfSession>>(options, 'redo', async ({ params: { id } }, reply, person) => {
      const plan = await planFor(id, person, options);
      return plan === undefined ? notFound(reply) : show(id, plan, undefined, reply, person);
    }),
  );
  app.post<OfSession>(
    '/session/:id/redo',
    forAction<FastifyRequest<OfSession>>(options, 'redo', (request, reply, person) =>
      redo(request, reply, person, options),
    ),
  );
}

/** Undefined where there is no such session, or it has no dataset. */
async function planFor(id: string, person: Person, options: RedoOptions): Promise<PlanAnswer | undefined> {
  const found = await findFor(person, id, options);
  if (isAway(found.answer)) return { state: 'none', code: 'SERVICE_AWAY', message: t.bids.away };
  const of = { ...found, answer: onlyOne(found.answer, id) };
  return (await plansOf(of, { person, plans: options.plans, hasDataset: options.facility.hasDataset })).get(
    id,
  );
}

const onlyOne = <T extends { readonly sessions: readonly { readonly id: string }[] }>(
  answer: T,
  id: string,
): T => ({ ...answer, sessions: answer.sessions.filter((one) => one.id === id) });

async function redo(
  request: FastifyRequest<OfSession>,
  reply: FastifyReply,
  person: Person,
  options: RedoOptions,
): Promise<FastifyReply> {
  const { id } = request.params;
  const back = `/session/${encodeURIComponent(id)}`;
  if (!(await spend(request, person, options, 'redo', id))) return reply.redirect(`${back}?said=again`, 303);
  const plan = await planFor(id, person, options);
  if (plan === undefined) return notFound(reply);
  if (plan.state !== 'made' || markOf(rowsOf(plan)) !== field(request, 'seen'))
    return show(id, plan, t.bids.redo.changed, reply.code(409), person);
  const order = { sessions: [id], by: person.name };
  const answer = refusedIn(await answerOf(options.services.streamer, '/api/bids/redo', order));
  return finish(answer, `${back}?said=redo`, reply, person, options, { request, what: 'redo', subject: id });
}

const redoAnswer = z.object({ opened: z.array(z.string()), left: z.array(z.object({ reason: z.string() })) });

/** The streamer takes many sessions, and says of each why it leaves it. */
function refusedIn(answer: Answered): Answered {
  if (answer.status !== 200) return answer;
  const read = redoAnswer.safeParse(answer.body);
  if (!read.success) return { status: 502, body: {} };
  const [left] = read.data.left;
  return left === undefined ? answer : { status: 409, body: { error: left.reason } };
}

const rowsOf = (plan: MadePlan): DiffRow[] => planDiff(plan.was ?? [], plan);

/** Differs where the page would show something else. */
const markOf = (rows: readonly DiffRow[]): string => hash('sha256', JSON.stringify(rows), 'base64url');

function show(
  id: string,
  plan: PlanAnswer,
  problem: string | undefined,
  reply: FastifyReply,
  person: Person,
): FastifyReply {
  const { redo: r } = t.bids;
  const main = html`<h1>${r.title}</h1>
    ${problem !== undefined && html`<p class="said bad" role="status">${problem}</p>`}
    ${
      plan.state === 'made'
        ? confirmation(id, plan)
        : html`${planMissing(plan)}
            <p>${r.none}</p>`
    }
    <p><a href="/session/${encodeURIComponent(id)}">${t.actions.back}</a></p>`;
  return send(reply, { title: r.title, main, person });
}

const MOST_ROWS = 500;

function confirmation(id: string, plan: MadePlan): Html {
  const { redo: r, columns: c } = t.bids;
  const rows = rowsOf(plan);
  const conflicts = [...(plan.taken === undefined ? [] : [plan.taken]), ...plan.plan.conflicts];
  // what changes comes first
  const sorted = [...rows.filter(isChange), ...rows.filter((row) => !isChange(row))];
  return html`<p>${r.text}</p>
    <p><b id="counts">${t.bids.counts(countsOf(rows))}</b></p>
    ${changesNothing(rows) && html`<p>${r.nothing}</p>`}
    ${conflicts.map(({ code, message }) => html`<p class="say bad">${message} <code>${code}</code></p>`)}
    ${rows.length > 0 && table(r.diff, [c.change, c.series, c.before, c.after], sorted.slice(0, MOST_ROWS).map(lineOf))}
    ${rows.length > MOST_ROWS && html`<p class="more">${t.bids.more(rows.length - MOST_ROWS)}</p>`}
    <form method="post" action="/session/${encodeURIComponent(id)}/redo" class="form">
      ${onceField()}${hidden({ seen: markOf(rows) })}
      <button>${r.confirm}</button>
    </form>`;
}

const isChange = ({ change, moreImages }: DiffRow): boolean => change !== 'same' || moreImages !== 0;

const SHAPES = { added: '+', removed: '−', renamed: '→', same: '=' } as const;

const lineOf = ({ change, folder, before, after, moreImages }: DiffRow): Html =>
  html`<tr class="change ${change}">
    <td><span aria-hidden="true">${SHAPES[change]}</span> ${t.bids.changes[change]}</td>
    <th scope="row">
      ${folderName(folder)}${moreImages !== 0 && html` <span class="more">${t.bids.images(moreImages)}</span>`}
    </th>
    <td>${before === undefined ? '–' : html`<code class="name">${before}</code>`}</td>
    <td>${after === undefined ? '–' : html`<code class="name">${after}</code>`}</td>
  </tr>`;
