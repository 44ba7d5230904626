/** One booking, exam or session as a row: when, what, and its journey. */
import { STEP_NAMES, type Step, type StepName } from '../journey/steps.ts';
import { html, type Html, clockTime, exactTime } from '../page/html.ts';
import { say, type Texts } from '../texts/en.ts';
import { t } from '../texts/pages.ts';
import type { Row } from './facts.ts';

export interface RowView {
  readonly timezone: string;
  readonly now: Temporal.Instant;
  readonly texts: Texts;
}

export function rowOf(row: Row, view: RowView): Html {
  const { journey, kind } = row;
  const sentence = sentenceOf(row, view.texts);
  const bad = journey.verdict === 'attention';
  const stale = STEP_NAMES.flatMap((name) => journey.steps[name].stale ?? []);
  return html`<li id="${anchorOf(row)}" class="row ${journey.verdict}${isNow(row, view) && ' current'}">
    <p class="when">${timeOf(row, view)}${isNow(row, view) && html` <small>${t.day.now}</small>`}</p>
    <div class="what">
      <h3><a href="/session/${encodeURIComponent(row.id)}">${nameOf(row)}</a></h3>
      <p class="more">
        ${kind !== 'booking' && isFree(journey) && html`${t.day.notBooked}${whyOf(row)}${row.images > 0 && ' · '}`}${sizes(row)}
      </p>
      ${kind !== 'booking' && isFree(journey) && likelyOf(row, view)}
      ${row.folder !== undefined && pathOf(row.folder)}
      ${stale.length > 0 && html`<p class="say plain">${t.day.stale(clockTime(Math.min(...stale), view.timezone))}</p>`}
      ${sentence !== '' && html`<p class="say ${bad ? 'bad' : 'plain'}">${sentence}</p>`}
    </div>
    <ol class="steps${isShown('bids', journey) && ' eight'}">
      ${STEP_NAMES.filter((name) => isShown(name, journey)).map((name) => stepOf(name, journey.steps[name], view))}
    </ol>
  </li>`;
}

/** Why nobody's booking stands behind a row, as far as its numbers say. */
function whyOf({ kind, unbooked }: Row): string {
  if (kind === 'booking' || unbooked === undefined) return '';
  const { why, accessionNumber } = unbooked;
  return `: ${t.day.unbooked[kind][why]}${why === 'noBooking' ? ` ${accessionNumber}` : ''}`;
}

const likelyOf = ({ likely }: Row, { timezone }: RowView): Html | false =>
  likely !== undefined &&
  html`<p class="say plain">
    ${t.day.likely}
    <a href="/session/${encodeURIComponent(likely.id)}"
      >${clockTime(likely.start, timezone)} ${likely.labels.project} · ${likely.labels.subject} ·
      ${likely.labels.session}</a
    >.
  </p>`;

/** Without a dataset, nothing is said of BIDS. */
const isShown = (name: StepName, { steps }: Row['journey']): boolean =>
  name !== 'bids' || steps.bids.state !== 'none';

/** A path with a button that copies it. */
export const pathOf = (path: string): Html =>
  html`<p class="path">
    <code>${path}</code> <button type="button" class="copy" data-copy="${path}">${t.copy}</button>
  </p>`;

const SHAPES: Readonly<Record<Step['state'], string>> = {
  done: '✓',
  now: '●',
  waiting: '◷',
  failed: '✕',
  ahead: '·',
  none: '–',
  unknown: '?',
};

function stepOf(name: StepName, { state, text, values, at, stale }: Step, view: RowView): Html {
  const { texts, timezone } = view;
  const age = stale === undefined ? '' : `, ${t.day.stale(clockTime(stale, timezone))}`;
  const label = `${say(texts, `step.${name}`)}: ${say(texts, `state.${state}`)}${age}`;
  return html`<li
    class="step ${state}${stale !== undefined && ' stale'}"
    ${at !== undefined && html`title="${exactTime(at, timezone)}"`}
  >
    <span aria-hidden="true">${SHAPES[state]}</span>
    <span class="hidden">${label}. </span>${say(texts, text, values)}
  </li>`;
}

/** The first thing of a journey that a person should read, with what to do. */
export function sentenceOf({ journey }: Row, texts: Texts): string {
  const steps = STEP_NAMES.map((name) => journey.steps[name]);
  const failed =
    steps.find(({ state }) => state === 'failed') ?? steps.find(({ failure }) => failure !== undefined);
  if (failed?.failure !== undefined) return failed.failure.message;
  if (failed !== undefined && `say.${failed.text}` in texts)
    return say(texts, `say.${failed.text}`, failed.values);
  return steps
    .filter(({ state, text }) => state === 'waiting' && `say.${text}` in texts)
    .map(({ text }) => say(texts, `say.${text}`))
    .join(' ');
}

export const nameOf = ({ labels, title, kind, journey }: Row): string => {
  if (labels !== undefined) return `${labels.project} · ${labels.subject} · ${labels.session}`;
  if (title !== undefined) return title;
  const names = kind === 'exam' ? t.day.exam : t.day.images;
  return isFree(journey) ? names.free : names.unknown;
};

/** Whether it is known that no booking stands behind a row without one. */
const isFree = ({ steps }: Row['journey']): boolean => steps.understood.state !== 'unknown';

const sizes = ({ series, images }: Row): string => (series === 0 ? '' : t.day.sizes(series, images));

/** IDs of rows hold letters, digits and marks that a fragment may hold. */
export const anchorOf = ({ id }: Row): string => `row-${id.replaceAll(/[^\w.-]/g, '_')}`;

function timeOf({ start, end }: Row, { timezone }: RowView): Html {
  const to = end === undefined ? '' : `–${clockTime(end, timezone)}`;
  return html`<time datetime="${Temporal.Instant.fromEpochMilliseconds(start).toString()}"
    >${clockTime(start, timezone)}${to}</time
  >`;
}

const isNow = ({ start, end }: Row, { now }: RowView): boolean =>
  end !== undefined && start <= now.epochMilliseconds && now.epochMilliseconds < end;
