/**
 * One order for all series that a filter finds: a page names them first, with the path of each where it goes elsewhere. The form
 * on that page holds these series, so a series that joins the filter later is left alone.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { pool } from '@scanflow/runtime';
import type { Person } from '../access/roles.ts';
import { html, type Html, table } from '../page/html.ts';
import { askedOf, filterIn, queryOf, type Filter } from '../series/filter.ts';
import { seriesName } from '../session/events.ts';
import { previewAnswer, seriesAnswer, type SeriesAnswer } from '../sources/streamer-answers.ts';
import { t } from '../texts/pages.ts';
import { field, forAction, send, sendMessage } from '../web/request.ts';
import {
  answerOf,
  bodyOf,
  choices,
  hidden,
  KINDS,
  LABEL_FIELDS,
  orderIn,
  refusedBy,
  spend,
  type ActionOptions,
  type Kind,
  type Order,
  onceField,
} from './order.ts';

/** Series of one filter that one form is about. */
const MOST = 500;
/** Previews at the same time: each looks into project storage. */
const AT_ONCE = 8;
/** Fields of the order: those of the filter have the same names. */
const PREFIX = 'do-';
/** The field with the series that the page named, by a space between them. */
const SERIES = 'series';
const SERIES_IDS = /^[\w.-]{1,80}(?: [\w.-]{1,80})*$/;

/** Nothing gives them up: a series is stored, or it is not. */
const NEVER_SKIPPED: ReadonlySet<string> = new Set(['storage', 'copy']);

interface Wanted {
  readonly kind: Kind;
  readonly filter: Filter;
  readonly order: Order;
}

export function addMany(app: FastifyInstance, options: ActionOptions): void {
  for (const kind of KINDS)
    app.post(
      `/series/${kind}`,
      forAction(options, kind, (request, reply, person) => many(kind, request, reply, person, options)),
    );
  // the action stands in the form
  app.post(
    '/series/many',
    forAction(options, 'retry', (request, reply, person) => {
      const kind = KINDS.find((one) => one === field(request, 'action'));
      return kind === undefined
        ? sendMessage(reply, 400, t.actions.refusedTitle, t.many.choose)
        : many(kind, request, reply, person, options);
    }),
  );
}

/** First shows how many and where to, then does it to each. */
async function many(
  kind: Kind,
  request: FastifyRequest,
  reply: FastifyReply,
  person: Person,
  options: ActionOptions,
): Promise<FastifyReply> {
  const read = filterIn(Object.fromEntries(request.body instanceof URLSearchParams ? request.body : []));
  if ('problem' in read) return sendMessage(reply, 400, t.series.badTitle, read.problem);
  const wanted: Wanted = { kind, filter: read.filter, order: orderIn(request, PREFIX) };
  const missing = missingIn(wanted);
  if (missing !== undefined) return sendMessage(reply, 400, t.actions.refusedTitle, missing);
  const shown = field(request, SERIES);
  if (shown !== '') {
    const ids = shown.split(' ');
    return SERIES_IDS.test(shown) && ids.length <= MOST
      ? doAll(wanted, ids, request, reply, person, options)
      : sendMessage(reply, 400, t.actions.refusedTitle, t.many.unreadable);
  }
  const search = askedOf(filterOf(wanted), options.facility.timezone, { scannerOf: options.scannerOf });
  const { streamer } = options.services;
  const page = `/api/board/series?${search.toString()}&limit=${MOST}`;
  return confirm(wanted, seriesAnswer.parse(await streamer.ask(page)), reply, person, options);
}

/** Of a destination, only series that lack something there can give it up. A hook is of sessions, too. */
function filterOf({ kind, filter, order: { target } }: Wanted): Filter {
  const isOfHook = target?.startsWith('hook:') === true;
  return kind === 'skip' && target !== undefined && !isOfHook ? { ...filter, target, leg: 'open' } : filter;
}

function missingIn({
  kind,
  order: { project, subject, session, reason, target },
}: Wanted): string | undefined {
  if (kind === 'skip')
    return target === undefined || NEVER_SKIPPED.has(target) ? t.many.needsTarget : undefined;
  if (kind === 'retry') return undefined;
  if (project === undefined || subject === undefined || session === undefined) return t.many.needsLabels;
  return kind === 'move' && reason === undefined ? t.many.needsReason : undefined;
}

async function confirm(
  { kind, filter, order }: Wanted,
  { total, series }: { readonly total: number; readonly series: readonly SeriesAnswer[] },
  reply: FastifyReply,
  person: Person,
  options: ActionOptions,
): Promise<FastifyReply> {
  const placed = kind === 'release' || kind === 'move';
  const paths = placed ? await previews(series, order, options) : [];
  const refused = paths.find((one) => one !== undefined && typeof one !== 'string');
  if (typeof refused === 'object') return refusedBy(reply, refused);
  const chosen = placed ? series.filter((_, index) => typeof paths[index] === 'string') : series;
  const without = series.length - chosen.length;
  const title = t.many.titles[kind](chosen.length, order.target);
  const query = queryOf(filter);
  const prefixed = Object.fromEntries(
    Object.entries(order).map(([key, value]) => [`${PREFIX}${key}`, value]),
  );
  const main = html`<h1>${title}</h1>
    <p>${t.many.texts[kind](order.target)}</p>
    ${kind === 'skip' && order.reason !== undefined && html`<p>${t.move.because(order.reason)}</p>`}
    ${total > MOST && html`<p>${t.actions.retryAllMost(MOST)}</p>`}
    ${without > 0 && html`<p>${t.many.without(without)}</p>`} ${kind === 'move' && choices(order)}
    ${placed ? pathTable(series, paths) : namesOf(series)}
    ${
      chosen.length > 0 &&
      html`<form method="post" action="/series/${kind}" class="form">
        ${onceField()}
        ${hidden({ ...Object.fromEntries(query), ...prefixed, [SERIES]: chosen.map(({ id }) => id).join(' ') })}
        <button>${t.many.confirm[kind]}</button>
      </form>`
    }
    <p><a href="/series?${query.toString()}">${t.actions.back}</a></p>`;
  return send(reply, { title, main, person });
}

type Preview = string | { readonly status: number; readonly body: unknown } | undefined;

/** The path of each; the streamer's refusal of labels; undefined where it said nothing. */
async function previews(
  series: readonly SeriesAnswer[],
  { project = '', subject = '', session = '' }: Order,
  { services }: ActionOptions,
): Promise<Preview[]> {
  return pool(series, AT_ONCE, async ({ id }): Promise<Preview> => {
    const answer = await answerOf(services.streamer, `/api/board/series/${id}/preview`, {
      project,
      subject,
      session,
    });
    if (answer.status === 400 || answer.status >= 500) return answer;
    const read = previewAnswer.safeParse(answer.body);
    return read.success ? read.data.path : undefined;
  });
}

const namesOf = (series: readonly SeriesAnswer[]): Html =>
  html`<details>
    <summary>${t.many.which}</summary>
    <ul>
      ${series.map((one) => html`<li>${seriesName(one)}</li>`)}
    </ul>
  </details>`;

const pathTable = (series: readonly SeriesAnswer[], paths: readonly Preview[]): Html =>
  table(
    t.many.paths,
    [t.series.what, t.move.fromHead, t.move.toHead],
    series.map((one, index) => {
      const to = paths[index];
      return html`<tr>
        <td>${seriesName(one)}</td>
        <td><code>${one.legs.find(({ target }) => target === 'storage')?.path ?? '–'}</code></td>
        <td><code>${typeof to === 'string' ? to : '–'}</code></td>
      </tr>`;
    }),
  );

async function doAll(
  { kind, filter, order }: Wanted,
  series: readonly string[],
  request: FastifyRequest,
  reply: FastifyReply,
  person: Person,
  options: ActionOptions,
): Promise<FastifyReply> {
  const { store, now, services } = options;
  const what = `${kind} all`;
  const subject = [queryOf(filter).toString(), order.target ?? ''].filter(Boolean).join(' ');
  if (!(await spend(request, person, options, what, subject)))
    return sendMessage(reply, 200, t.many.doneTitle[kind], t.actions.said.again);
  let done = 0;
  for (const id of series) {
    const { status } = await answerOf(
      services.streamer,
      `/api/series/${encodeURIComponent(id)}/${kind}`,
      bodyOf(order, person),
    );
    if (status === 200) {
      done += 1;
      // the time line of a session shows who did what
      await store.audit({
        at: now(),
        who: person.name,
        address: request.ip,
        what: kind,
        subject: id,
        result: 'done',
      });
    }
    // each further one would wait as long
    if (status >= 500) break;
  }
  const entry = { at: now(), who: person.name, address: request.ip, what };
  await store.audit({ ...entry, subject, result: `${done} of ${series.length}` });
  return sendMessage(reply, 200, t.many.doneTitle[kind], t.many.done(done, series.length));
}

/** All that the filter finds, with what to do. `targets`: what may be retried or skipped. */
export const manyForm = (filter: Filter, total: number, targets: readonly string[]): Html =>
  html`<details class="filters">
    <summary>${t.many.open(total)}</summary>
    <form method="post" action="/series/many" class="grid">
      ${hidden(Object.fromEntries(queryOf(filter)))}
      <label
        >${t.many.action}
        <select name="action">
          ${KINDS.map((kind) => html`<option value="${kind}">${t.many.names[kind]}</option>`)}
        </select></label
      >
      <label>${t.many.target} <input name="${PREFIX}target" list="targets" autocomplete="off" /></label>
      <datalist id="targets">${targets.map((one) => html`<option value="${one}"></option>`)}</datalist>
      ${LABEL_FIELDS.map(
        ([name, label]) =>
          html`<label
            >${t.many.to(label)} <input name="${PREFIX}${name}" maxlength="64" autocomplete="off"
          /></label>`,
      )}
      <label>${t.pauses.reason} <input name="${PREFIX}reason" maxlength="500" autocomplete="off" /></label>
      <label class="check-box"
        ><input type="checkbox" name="${PREFIX}keep" value="yes" /> ${t.move.keep}</label
      >
      <label class="check-box"
        ><input type="checkbox" name="${PREFIX}send" value="yes" /> ${t.move.send}</label
      >
      <p class="actions"><button>${t.many.look}</button></p>
    </form>
  </details>`;
