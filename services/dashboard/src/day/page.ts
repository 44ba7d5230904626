/** The page of a day: a section for each scanner, a row for each booking, exam or session. */
import { html, type Html } from '../page/html.ts';
import { clockTime } from '../page/time.ts';
import { say } from '../texts/en.ts';
import { t } from '../texts/pages.ts';
import type { Board, ScannerDay } from './board.ts';
import { anchorOf, nameOf, rowOf, sentenceOf, type RowView } from './row.ts';

export interface DayView extends RowView {
  readonly board: Board;
  readonly day: Temporal.PlainDate;
  readonly facility: string;
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
      ${t.day.summary(bookings, rejected, finished)}
    </p>
    ${attention(view)} ${board.scanners.map((scanner) => section(scanner, view))}`;
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

function section({ scanner, rows }: ScannerDay, view: DayView): Html {
  const title = scanner ?? t.day.unknownScanner;
  return html`<section aria-label="${title}">
    <h2>${title} <small>${scanner !== undefined && view.titleOf(scanner)}</small></h2>
    ${
      rows.length === 0
        ? html`<p class="empty">${t.day.empty}</p>`
        : html`<ol class="rows">
            ${rows.map((row) => rowOf(row, view))}
          </ol>`
    }
  </section>`;
}
