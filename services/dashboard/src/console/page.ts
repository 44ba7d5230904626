/** The page of a console: large enough to be read from 3 m at 1080p, and nothing on it to press. */
import type { Labels } from '@scanflow/booking';
import { isAway } from '../journey/facts.ts';
import { html, type Html, clockTime } from '../page/html.ts';
import { consoleText as t } from '../texts/scanner.ts';
import { t as pages } from '../texts/pages.ts';
import type { ConsolePlan, Now, Slot, Tone } from './plan.ts';

export interface ConsoleView {
  readonly scanner: string;
  /** AE title and place. */
  readonly title: string | undefined;
  readonly plan: ConsolePlan;
  readonly now: number;
  readonly timezone: string;
}

/** Seconds after which a browser without JavaScript loads the page anew. */
const RELOAD_S = 30;

/** A whole page. `events`: where its browser hears of changes. */
export const consoleFrame = (view: ConsoleView, events: string): string =>
  `<!doctype html>\n${html`<html lang="${pages.language}">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${t.title(view.scanner)} · Scanflow</title>
      <noscript><meta http-equiv="refresh" content="${RELOAD_S}" /></noscript>
      <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
      <link rel="stylesheet" href="/assets/board.css" />
      <link rel="stylesheet" href="/assets/console.css" />
      <script type="module" src="/assets/board.js"></script>
    </head>
    <body class="console">
      <main id="main">${consolePage(view)}</main>
      <footer>
        <span
          id="live"
          class="live"
          role="status"
          data-events="${events}"
          data-zone="${view.timezone}"
          data-good="${pages.live.good}"
          data-stale="${pages.live.stale}"
        ></span>
      </footer>
    </body>
  </html>`.toString()}\n`;

const SHAPES: Readonly<Record<Tone, string>> = {
  scanning: '●',
  silent: '▲',
  unknown: '?',
  booked: '◷',
  free: '–',
};
/** Lines that a section has room for. */
const MOST = 2;

export function consolePage(view: ConsoleView): Html {
  const { plan, scanner, title, now, timezone } = view;
  const { booked, scanned, rejected } = plan.counts;
  return html`<div class="wall ${plan.tone}">
    <div class="top">
      <h1>${scanner} ${title !== undefined && html`<small>${title}</small>`}</h1>
      <p class="none">${t.counts(scanned, booked, rejected)}</p>
      <p class="clock">${clockTime(now, timezone)}</p>
    </div>
    <section class="now" aria-label="${t.heads.now}">
      <h2><span aria-hidden="true">${SHAPES[plan.tone]}</span> ${t.heads.now}: ${t.tones[plan.tone]}</h2>
      ${plan.now === undefined ? html`<p class="who">${t.nobody}</p>` : nowOf(plan.now, view)}
      ${warning(view)}
    </section>
    ${list(t.heads.next, plan.next, t.noNext, view)} ${list(t.heads.late, plan.late, t.noLate, view)}
    <dl class="signs">
      <div>
        <dt>${t.query}</dt>
        <dd>${queryOf(view)}</dd>
      </div>
      <div>
        <dt>${t.image}</dt>
        <dd>${imageOf(view)}</dd>
      </div>
    </dl>
  </div>`;
}

function nowOf(slot: Now, { now, timezone }: ConsoleView): Html {
  const { scanningSince: since, start, end, late } = slot;
  const texts = [
    ...(since === undefined ? [] : [t.since(clockTime(since, timezone), now - since)]),
    ...(end === undefined ? [] : [t.slot(clockTime(start, timezone), clockTime(end, timezone))]),
  ];
  return html`${who(slot.labels)}
    <p>${texts.join(' · ')}${late && html` · <b>${t.notBegun(now - start)}</b>`}</p>`;
}

const who = (labels: Labels | undefined): Html =>
  labels === undefined
    ? html`<p class="who">${t.notBooked}</p>`
    : html`<p class="who">${labels.subject} · ${labels.session}</p>
        <p class="project">${labels.project}</p>`;

function warning({ plan, now, timezone }: ConsoleView): Html | false {
  if (plan.tone === 'silent' && plan.lastSign !== undefined)
    return html`<p class="warning" role="status">${t.silent(now - plan.lastSign)}</p>`;
  const since = Math.min(...Object.values(plan.away));
  return (
    Number.isFinite(since) && html`<p class="warning" role="status">${t.away(clockTime(since, timezone))}</p>`
  );
}

function list(title: string, slots: readonly Slot[], none: string, { timezone }: ConsoleView): Html {
  const more = slots.length - MOST;
  return html`<section aria-label="${title}">
    <h2>${title}</h2>
    ${
      slots.length === 0
        ? html`<p class="none">${none}</p>`
        : html`<ol>
            ${slots.slice(0, MOST).map(
              ({ labels, start }) =>
                html`<li>
                  <b>${clockTime(start, timezone)}</b>
                  ${labels === undefined ? t.notBooked : `${labels.subject} · ${labels.session}`}
                  <small>${labels?.project}</small>
                </li>`,
            )}
          </ol>`
    }
    ${more > 0 && html`<p class="none">${t.more(more)}</p>`}
  </section>`;
}

const at = (time: number, { now, timezone }: ConsoleView): string =>
  `${clockTime(time, timezone)}, ${t.ago(now - time)}`;

function queryOf(view: ConsoleView): string {
  const { lastQuery: query } = view.plan;
  if (query === undefined) return t.none;
  return isAway(query) ? t.notKnown : `${t.items(query.items)} · ${at(query.at, view)}`;
}

function imageOf(view: ConsoleView): string {
  const { lastImage: image } = view.plan;
  if (image === undefined) return t.none;
  return typeof image === 'number' ? at(image, view) : t.notKnown;
}
