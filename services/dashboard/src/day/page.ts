/** The page of a day: a section for each scanner, a row for each booking, exam or session. */
import { STEP_NAMES, type Step, type StepName } from '../journey/steps.ts';
import { html, type Html } from '../page/html.ts';
import { say, type Texts } from '../texts/en.ts';
import type { Board, Row, ScannerDay } from './board.ts';

export interface DayView {
  readonly board: Board;
  readonly day: Temporal.PlainDate;
  readonly timezone: string;
  readonly facility: string;
  readonly now: Temporal.Instant;
  readonly texts: Texts;
  /** Name and AE title of a scanner, as people know it. */
  readonly titleOf: (scanner: string) => string | undefined;
}

/** The main part of `/day/2026-11-28`, without the frame that all pages share. */
export function dayPage(view: DayView): Html {
  const { board, day, facility } = view;
  const { bookings, rejected, finished } = board.counts;
  const link = (to: Temporal.PlainDate, text: string): Html =>
    html`<a href="/day/${to.toString()}">${text}</a>`;
  const weekday = (date: Temporal.PlainDate): string => date.toLocaleString('en-GB', { weekday: 'long' });
  const before = day.subtract({ days: 1 });
  const after = day.add({ days: 1 });
  return html`<h1>${day.toLocaleString('en-GB', { weekday: 'long', day: 'numeric', month: 'long' })}</h1>
    <p class="sub">
      ${facility} · ${link(before, `‹ ${weekday(before)}`)} · ${link(after, `${weekday(after)} ›`)} ·
      ${bookings} ${bookings === 1 ? 'booking' : 'bookings'}, ${rejected} rejected, ${finished} finished
    </p>
    ${attention(view)} ${board.scanners.map((scanner) => section(scanner, view))}`;
}

function attention(view: DayView): Html | false {
  const { board, texts } = view;
  const away = Object.entries(board.away).map(
    ([part, since]) =>
      html`<li>
        <b>${say(texts, `part.${part}`)}:</b> the service does not answer since ${clockTime(since, view)}.
      </li>`,
  );
  const stuck = board.scanners
    .flatMap(({ rows }) => rows)
    .filter(({ journey }) => journey.verdict === 'attention')
    .map((row) => html`<li><a href="#${anchorOf(row)}">${nameOf(row)}</a>: ${sentenceOf(row, texts)}</li>`);
  return (
    away.length + stuck.length > 0 &&
    html`<aside class="needs-you" aria-label="Needs you">
      <b>Needs you</b>
      <ul>
        ${away} ${stuck}
      </ul>
    </aside>`
  );
}

function section({ scanner, rows }: ScannerDay, view: DayView): Html {
  const title = scanner ?? 'Unknown scanner';
  return html`<section aria-label="${title}">
    <h2>${title} <small>${scanner === undefined ? undefined : view.titleOf(scanner)}</small></h2>
    ${
      rows.length === 0
        ? html`<p class="empty">Nothing is booked, and nothing came.</p>`
        : html`<ol class="rows">
            ${rows.map((row) => rowOf(row, view))}
          </ol>`
    }
  </section>`;
}

function rowOf(row: Row, view: DayView): Html {
  const { journey, kind } = row;
  const sentence = sentenceOf(row, view.texts);
  const bad = journey.verdict === 'attention';
  return html`<li id="${anchorOf(row)}" class="row ${journey.verdict}${isNow(row, view) && ' current'}">
    <p class="when">${timeOf(row, view)}</p>
    <div class="what">
      <h3><a href="/session/${encodeURIComponent(row.id)}">${nameOf(row)}</a></h3>
      <p class="more">
        ${kind === 'booking' ? sizes(row) : html`not booked${row.images > 0 && html` · ${sizes(row)}`}`}
      </p>
      ${row.folder !== undefined && html`<p class="path"><code>${row.folder}</code> <button type="button" data-copy="${row.folder}">Copy</button></p>`}
      ${sentence !== '' && html`<p class="say ${bad ? 'bad' : 'plain'}">${sentence}</p>`}
    </div>
    <ol class="steps" aria-label="Journey">
      ${STEP_NAMES.map((name) => stepOf(name, journey.steps[name], view))}
    </ol>
  </li>`;
}

const SHAPES: Readonly<Record<Step['state'], string>> = {
  done: '✓',
  now: '●',
  waiting: '◷',
  failed: '✕',
  ahead: '·',
  none: '–',
  unknown: '?',
};

function stepOf(name: StepName, { state, text, values, at }: Step, view: DayView): Html {
  const { texts } = view;
  const label = `${say(texts, `step.${name}`)}: ${say(texts, `state.${state}`)}`;
  return html`<li
    class="step ${state}"
    ${at === undefined ? undefined : html`title="${exactTime(at, view)}"`}
  >
    <span aria-hidden="true">${SHAPES[state]}</span>
    <span class="hidden">${label}. </span>${say(texts, text, values)}
  </li>`;
}

/** The first thing of a journey that a person should read, with what to do. */
function sentenceOf({ journey }: Row, texts: Texts): string {
  const steps = STEP_NAMES.map((name) => journey.steps[name]);
  const failed =
    steps.find(({ state }) => state === 'failed') ?? steps.find(({ failure }) => failure !== undefined);
  if (failed?.failure !== undefined) return failed.failure.message;
  return steps
    .filter(({ state, text }) => state === 'waiting' && `say.${text}` in texts)
    .map(({ text }) => say(texts, `say.${text}`))
    .join(' ');
}

const nameOf = ({ labels, title, kind }: Row): string =>
  labels === undefined
    ? (title ?? (kind === 'exam' ? 'An exam that nobody booked' : 'Images that nobody booked'))
    : `${labels.project} · ${labels.subject} · ${labels.session}`;

const sizes = ({ series, images }: Row): string =>
  series === 0 ? '' : `${series} series, ${images.toLocaleString('en-GB')} images`;

/** IDs of rows hold letters, digits and marks that a fragment may hold. */
const anchorOf = ({ id }: Row): string => `row-${id.replaceAll(/[^\w.-]/g, '_')}`;

function timeOf({ start, end }: Row, view: DayView): Html {
  const to = end === undefined ? '' : `–${clockTime(end, view)}`;
  return html`<time datetime="${Temporal.Instant.fromEpochMilliseconds(start).toString()}"
    >${clockTime(start, view)}${to}</time
  >`;
}

const isNow = ({ start, end }: Row, { now }: DayView): boolean =>
  end !== undefined && start <= now.epochMilliseconds && now.epochMilliseconds < end;

const clockTime = (at: number, { timezone }: DayView): string =>
  Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(timezone)
    .toPlainTime()
    .toString({ smallestUnit: 'minute' });

const exactTime = (at: number, { timezone }: DayView): string =>
  Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(timezone)
    .toString({ smallestUnit: 'second', offset: 'auto', timeZoneName: 'never' })
    .replace('T', ' ');
