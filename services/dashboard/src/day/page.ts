/** The page of a day: a section for each scanner, a row for each booking, exam or session. */
import { html, type Html } from '../page/html.ts';
import { clockTime } from '../page/time.ts';
import { say } from '../texts/en.ts';
import { t } from '../texts/pages.ts';
import { walkInText } from '../texts/walk-in.ts';
import type { Board, ScannerDay } from './facts.ts';
import { lineOf, shownOf } from './line.ts';
import { anchorOf, nameOf, rowOf, sentenceOf, type RowView } from './row.ts';
import { spanOf, type Span } from './span.ts';

export interface DayView extends RowView {
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
