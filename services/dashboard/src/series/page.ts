/** The page of all series: filters, counts as in the ledger, and a table of one page. */
import { manyForm } from '../actions/many.ts';
import { mayDo, type Person } from '../access/roles.ts';
import { isAway, type Away } from '../journey/facts.ts';
import { html, type Html, table, clockTime, timeTag } from '../page/html.ts';
import { pauseForm } from '../pauses/routes.ts';
import { seriesName } from '../session/events.ts';
import type { Counts, SeriesAnswer } from '../sources/streamer-answers.ts';
import { t } from '../texts/pages.ts';
import { queryOf, sortText, type Filter, type Sort } from './filter.ts';

export interface SeriesPage {
  readonly filter: Filter;
  readonly found: { readonly total: number; readonly series: readonly SeriesAnswer[] } | Away;
  /** Undefined: the person sees some projects only. */
  readonly counts: Counts | Away | undefined;
  /** From 1. */
  readonly page: number;
  readonly rows: number;
  readonly targets: readonly string[];
  /** Hooks, as targets. */
  readonly hooks: readonly string[];
  readonly scanners: readonly string[];
  readonly sort: Sort;
  readonly said?: string | undefined;
  readonly timezone: string;
  readonly person: Person;
}

const { came, who, what, state, images, legsHead } = t.series;
const COLUMNS: readonly (readonly [Sort['by'] | undefined, string])[] = [
  ['came', came],
  ['session', who],
  ['series', what],
  ['state', state],
  ['images', images],
  [undefined, legsHead],
];

export function seriesPage(view: SeriesPage): Html {
  const { found, timezone, said, person, targets } = view;
  return html`<h1>${t.series.title}</h1>
    ${said !== undefined && html`<p class="said" role="status">${said}</p>`}
    <form method="get" action="/find" class="bar" role="search" aria-label="${t.series.find}">
      <label>${t.series.findLabel} <input name="text" required /></label> <button>${t.series.find}</button>
    </form>
    ${countBar(view)} ${filterForm(view)}
    ${mayDo(person, 'pause') && pauseForm(targets.filter((one) => one !== STORAGE))}
    ${
      isAway(found)
        ? html`<p class="needs-you">${t.away(clockTime(found.since, timezone))}</p>`
        : html`<section aria-label="${t.series.title}">
              <h2>${t.series.found(found.total)} ${bulk(view, found.total)}</h2>
              ${found.total > 0 && mayDo(person, 'retry') && manyForm(view.filter, found.total, [...targetsIn(view), ...view.hooks])}
              ${
                found.series.length === 0
                  ? html`<p class="empty">${t.series.none}</p>`
                  : table(
                      t.series.title,
                      COLUMNS.map(([by, name]) => head(by, name, view)),
                      found.series.map((one) => line(one, timezone)),
                    )
              }
            </section>
            ${pager(view, found.total)}`
    }`;
}

const STORAGE = 'storage';

/** Those of the configuration, and those that left it while something still waits for them. */
const targetsIn = ({ targets, counts, filter }: SeriesPage): string[] => [
  ...new Set([
    ...targets,
    ...(counts === undefined || isAway(counts)
      ? []
      : counts.legs.flatMap(({ target, state }) => (state === 'done' ? [] : [target]))),
    ...(filter.target === undefined ? [] : [filter.target]),
  ]),
];

/** A link that sorts by the column, or the other way round where it is sorted by it. */
function head(by: Sort['by'] | undefined, name: string, { filter, sort }: SeriesPage): Html | string {
  if (by === undefined) return name;
  const own = by === sort.by;
  const query = queryOf(filter);
  query.set('sort', sortText({ by, up: own ? !sort.up : by !== 'came' && by !== 'images' }));
  const { up, down } = t.series.sorted;
  return html`<a href="/series?${query.toString()}" title="${t.series.sortBy(name)}"
    >${name}${own && html` <span aria-hidden="true">${sort.up ? '↑' : '↓'}</span><span class="hidden"> (${sort.up ? up : down})</span>`}</a
  >`;
}

/** How many series are in each state, and what waits for its next try: links to just these. */
function countBar({ counts, timezone }: SeriesPage): Html | false {
  if (counts === undefined) return false;
  if (isAway(counts)) return html`<p class="needs-you">${t.away(clockTime(counts.since, timezone))}</p>`;
  return html`<ul class="chips">
      ${Object.entries(t.series.states).map(
        ([state, name]) =>
          html`<li>
            <a href="/series?state=${state}" class="tag ${state}"
              >${name} <b>${counts.series[state] ?? 0}</b></a
            >
          </li>`,
      )}
    </ul>
    ${
      counts.waiting.length > 0 &&
      html`<ul class="waits">
        ${counts.waiting.map(({ target, code, count }) => {
          const query = new URLSearchParams({ target, leg: 'waits', code });
          return html`<li>
            <a href="/series?${query.toString()}">${t.series.waiting(count, target, code)}</a>
          </li>`;
        })}
      </ul>`
    }`;
}

function filterForm(view: SeriesPage): Html {
  const { filter, scanners, sort } = view;
  const { states, legs } = t.series;
  return html`<details class="filters" ${Object.keys(filter).length > 0 && html`open`}>
    <summary>${t.series.search}</summary>
    <form method="get" action="/series" class="grid">
      <input type="hidden" name="sort" value="${sortText(sort)}" />
      ${select('state', t.series.state, Object.entries(states), filter.state)}
      ${select(
        'target',
        t.series.target,
        targetsIn(view).map((one) => [one, one]),
        filter.target,
      )}
      ${select('leg', t.series.leg, Object.entries(legs), filter.leg)}
      ${text('code', t.series.code, filter.code)} ${text('project', t.series.project, filter.project)}
      ${text('subject', t.series.subject, filter.subject)}
      ${text('session', t.series.session, filter.session)}
      ${text('accession', t.series.accession, filter.accession)}
      ${text('modality', t.series.modality, filter.modality)}
      ${select(
        'scanner',
        t.series.scanner,
        [...new Set([...scanners, ...(filter.scanner === undefined ? [] : [filter.scanner])])].map((one) => [
          one,
          one,
        ]),
        filter.scanner,
      )}
      ${text('from', t.series.from, filter.from, 'date')} ${text('to', t.series.to, filter.to, 'date')}
      <p class="actions">
        <button class="main">${t.series.search}</button> <a href="/series">${t.series.clear}</a>
      </p>
    </form>
  </details>`;
}

const text = (name: string, label: string, value = '', type = 'text'): Html =>
  html`<label>${label} <input name="${name}" value="${value}" type="${type}" autocomplete="off" /></label>`;

const select = (
  name: string,
  label: string,
  options: readonly (readonly [string, string])[],
  value = '',
): Html =>
  html`<label
    >${label}
    <select name="${name}">
      <option value="">${t.series.any}</option>
      ${options.map(([key, shown]) => html`<option value="${key}" ${key === value && html`selected`}>${shown}</option>`)}
    </select>
  </label>`;

/** All that the filter finds, where the filter asks for what failed or waits. */
function bulk({ filter, person }: SeriesPage, total: number): Html | false {
  const { state, leg, code } = filter;
  const failed =
    state === 'failed' || leg === 'failed' || leg === 'waits' || (code !== undefined && state === undefined);
  if (total === 0 || !failed || !mayDo(person, 'retry')) return false;
  return html`<form method="post" action="/series/retry" class="side">
    ${Object.entries(filter).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
    <button>${t.series.retryAll}</button>
  </form>`;
}

function line(one: SeriesAnswer, timezone: string): Html {
  const { labels, images, legs, state, reason, accessionNumber, session, id } = one;
  const name =
    labels === undefined
      ? accessionNumber || t.session.unnamed
      : `${labels.project} · ${labels.subject} · ${labels.session}`;
  return html`<tr id="series-${id}">
    <td>${timeTag(one.firstSeen, timezone)}</td>
    <td><a href="/session/${encodeURIComponent(session ?? id)}">${name}</a></td>
    <td>${seriesName(one)}</td>
    <td>
      <span class="tag ${state}">${t.series.states[state]}</span>
      ${reason !== undefined && html`<p class="say bad">${reason}</p>`}
    </td>
    <td class="figure">${images.stored}/${Math.max(images.inOrthanc, images.stored)}</td>
    <td>
      ${legs.map((leg) => html`<span class="leg ${leg.state}">${leg.target} ${t.series.legs[leg.paused === undefined ? leg.state : 'paused']}${leg.failure !== undefined && html` <code>${leg.failure.code}</code>`}</span> `)}
    </td>
  </tr>`;
}

function pager({ filter, page, rows, sort }: SeriesPage, total: number): Html | false {
  const pages = Math.ceil(total / rows);
  const link = (to: number, label: string): Html => {
    const query = queryOf(filter);
    query.set('page', String(to));
    query.set('sort', sortText(sort));
    return html`<a href="/series?${query.toString()}">${label}</a>`;
  };
  return (
    pages > 1 &&
    html`<nav class="pager" aria-label="${t.pages}">
      ${page > 1 && link(page - 1, t.series.later)} <span>${t.series.page(page, pages)}</span>
      ${page < pages && link(page + 1, t.series.earlier)}
    </nav>`
  );
}
