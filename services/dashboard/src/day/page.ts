/** The page of a day: a section for each scanner; a row for each booking, exam or session, with its journey as a line. */
import { html, type Html, clockTime } from '../page/html.ts';
import { say } from '../texts/en.ts';
import { t } from '../texts/pages.ts';
import { walkInText } from '../texts/scanner.ts';
import { type Board, type ScannerDay, spanOf, type Span, type Row } from './facts.ts';
import { anchorOf, nameOf, rowOf, sentenceOf, type RowView } from './row.ts';
import type { Verdict } from '../journey/journey.ts';

interface DayView extends RowView {
  readonly board: Board;
  readonly day: Temporal.PlainDate;
  readonly facility: string;
  readonly mayAddWalkIn?: boolean;
  /** Name and AE title of a scanner, as people know it. */
  readonly titleOf: (scanner: string) => string | undefined;
}

/** The main part of `/day/2026-11-28`, without the frame that all pages share. */
export function dayPage(view: DayView): Html {
  const { board, day, facility, timezone } = view;
  const shown = shownOf(
    board.scanners.flatMap(({ rows }) => rows),
    spanOf(day, timezone),
  );
  return html`<h1>${t.day.title(day)}</h1>
    <p class="sub">
      ${facility} · ${daysAround(view)} · ${t.day.summary(board.counts)}
      ${view.mayAddWalkIn && html` · <a href="/walk-in">${walkInText.link}</a>`}
    </p>
    ${attention(view)} ${board.scanners.map((scanner) => section(scanner, shown, view))}`;
}

function daysAround({ day, timezone, now }: DayView): Html {
  const link = (to: Temporal.PlainDate, rel: string, text: string): Html =>
    html`<a href="/day/${to.toString()}" rel="${rel}">${text}</a>`;
  const before = day.subtract({ days: 1 });
  const after = day.add({ days: 1 });
  const isToday = now.toZonedDateTimeISO(timezone).toPlainDate().equals(day);
  return html`${link(before, 'prev', `‹ ${t.day.weekday(before)}`)} ·
  ${!isToday && html`<a href="/">${t.day.today}</a> ·`} ${link(after, 'next', `${t.day.weekday(after)} ›`)}`;
}

function attention(view: DayView): Html | false {
  const { board, texts, timezone } = view;
  const away = Object.entries(board.away).map(
    ([part, since]) =>
      html`<li><b>${say(texts, `part.${part}`)}:</b> ${t.day.away(clockTime(since, timezone))}</li>`,
  );
  const stuck = board.scanners
    .flatMap(({ rows }) => rows)
    .filter(({ journey }) => journey.verdict === 'attention')
    .map((row) => html`<li><a href="#${anchorOf(row)}">${nameOf(row)}</a>: ${sentenceOf(row, texts)}</li>`);
  return (
    away.length + stuck.length > 0 &&
    html`<aside class="needs-you" aria-label="${t.day.needsYou}">
      <b>${t.day.needsYou}</b>
      <ul>
        ${away} ${stuck}
      </ul>
    </aside>`
  );
}

function section({ scanner, rows }: ScannerDay, shown: Span, view: DayView): Html {
  const title = scanner ?? t.day.unknownScanner;
  const line = lineOf(title, rows, {
    shown,
    timezone: view.timezone,
    now: view.now.epochMilliseconds,
  });
  return html`<section aria-label="${title}">
    <h2>${title} <small>${scanner !== undefined && view.titleOf(scanner)}</small></h2>
    ${line}
    ${
      rows.length === 0
        ? html`<p class="empty">${t.day.empty}</p>`
        : html`<ol class="rows">
            ${rows.map((row) => rowOf(row, view))}
          </ol>`
    }
  </section>`;
}

// The day of a scanner as a picture: what was booked, what was made of it, and now. In SVG, whose measures need no inline style.

const HOUR_MS = 3_600_000;
const USUAL_FROM_HOURS = 7;
const USUAL_TO_HOURS = 19;

/** From 7 to 19 o'clock, and whatever more of the day something touches. In whole hours, the same for all scanners. */
export function shownOf(rows: readonly Row[], day: Span): Span {
  const extents = rows.map(extentOf);
  const first = Math.min(day.from + USUAL_FROM_HOURS * HOUR_MS, ...extents.map(({ from }) => from));
  const last = Math.max(day.from + USUAL_TO_HOURS * HOUR_MS, ...extents.map(({ to }) => to));
  return {
    from: Math.max(day.from, day.from + Math.floor((first - day.from) / HOUR_MS) * HOUR_MS),
    to: Math.min(day.to, day.from + Math.ceil((last - day.from) / HOUR_MS) * HOUR_MS),
  };
}

const extentOf = ({ start, end, made }: Row): Span => ({
  from: Math.min(start, made?.from ?? start),
  to: Math.max(end ?? start, made?.to ?? made?.from ?? start),
});

/** What is beside each other in time lies in lanes below each other. The lane of each row, in the order of their beginnings. */
export function lanesOf(rows: readonly Row[]): readonly { readonly row: Row; readonly lane: number }[] {
  const ends: number[] = [];
  const sorted = rows.toSorted((a, b) => extentOf(a).from - extentOf(b).from);
  return sorted.map((row) => {
    const { from, to } = extentOf(row);
    const free = ends.findIndex((end) => end <= from);
    const lane = free === -1 ? Math.min(ends.length, MOST_LANES - 1) : free;
    ends[lane] = Math.max(to, ends[lane] ?? 0);
    return { row, lane };
  });
}

const MOST_LANES = 6;
/** Below this a slot has room for its shape alone; its title and its row name it. */
const NAMED_PERCENT = 6;
/** Of what has no length, in parts of the picture. */
const LEAST_PERCENT = 0.6;
const AXIS = 20;
const LANE = 36;
const SLOT = 22;
const MADE = 6;

const SHAPES: Readonly<Record<Verdict, string>> = {
  finished: '✓',
  attention: '✕',
  late: '◷',
  running: '●',
  ahead: '·',
  unknown: '?',
  off: '–',
};

interface LineView {
  readonly shown: Span;
  readonly timezone: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Undefined where nothing happens on the day. `name`: of the scanner. */
export function lineOf(name: string, rows: readonly Row[], view: LineView): Html | undefined {
  if (rows.length === 0) return undefined;
  const { shown, now, timezone } = view;
  const placed = lanesOf(rows);
  const height = AXIS + (Math.max(...placed.map(({ lane }) => lane)) + 1) * LANE;
  const at = percentIn(shown);
  const isNow = shown.from <= now && now < shown.to;
  return html`<svg class="line" role="group" aria-label="${t.day.line(name)}" width="100%" height="${height}">
    ${ticksIn(shown).map(
      (tick, index) =>
        html`<line class="tick" x1="${at(tick)}%" x2="${at(tick)}%" y1="${AXIS - 4}" y2="100%"></line>
          <text class="${index % 3 === 0 ? 'hour' : 'hour minor'}" x="${at(tick)}%" y="13" dx="3">
            ${clockTime(tick, timezone).slice(0, 2)}
          </text>`,
    )}
    ${placed.map(({ row, lane }) => barOf(row, AXIS + lane * LANE, at, view))}
    ${
      isNow &&
      html`<line class="now" x1="${at(now)}%" x2="${at(now)}%" y1="0" y2="100%"></line>
        <text
          class="now"
          x="${at(now)}%"
          y="13"
          dx="${at(now) > 85 ? -4 : 4}"
          ${at(now) > 85 && html`text-anchor="end"`}
        >
          ${t.day.now} ${clockTime(now, timezone)}
        </text>`
    }
  </svg>`;
}

const percentIn =
  ({ from, to }: Span) =>
  (time: number): number =>
    Math.round((Math.min(Math.max((time - from) / (to - from), 0), 1) * 100 + Number.EPSILON) * 100) / 100;

function* hoursIn({ from, to }: Span): Generator<number> {
  for (let hour = from; hour < to; hour += HOUR_MS) yield hour;
}
const ticksIn = (span: Span): readonly number[] => [...hoursIn(span)];

function barOf(row: Row, y: number, at: (time: number) => number, { timezone, now }: LineView): Html {
  const { start, end, made, journey, kind } = row;
  const [from, to] = [at(start), at(end ?? made?.to ?? now)];
  const width = Math.max(to - from, LEAST_PERCENT);
  const word = t.day.verdicts[journey.verdict];
  const label = `${clockTime(start, timezone)} ${nameOf(row)}: ${word}`;
  const [madeFrom, madeTo] = made === undefined ? [0, 0] : [at(made.from), at(made.to ?? now)];
  return html`<a href="#${anchorOf(row)}" aria-label="${label}"
    ><title>${label}</title>
    <svg
      class="slot ${journey.verdict}${kind !== 'booking' && ' free'}"
      x="${from}%"
      y="${y}"
      width="${width}%"
      height="${SLOT}"
    >
      <rect width="100%" height="100%" rx="4"></rect>
      <text x="5" y="15">
        ${SHAPES[journey.verdict]}${width >= NAMED_PERCENT && ` ${row.labels?.subject ?? nameOf(row)}`}
      </text>
    </svg>
    ${
      made !== undefined &&
      html`<rect
        class="made"
        x="${madeFrom}%"
        y="${y + SLOT + 2}"
        width="${Math.max(madeTo - madeFrom, LEAST_PERCENT)}%"
        height="${MADE}"
        rx="2"
      ></rect>`
    }</a
  >`;
}
