/** The page of health: services, calendars, project storage and destinations, each with what to do, and what people did. */
import { onceField } from '../actions/once.ts';
import type { AuditEntry } from '../access/store.ts';
import { isAway, type Away } from '../journey/facts.ts';
import { html, type Html } from '../page/html.ts';
import { table } from '../page/table.ts';
import { clockTime, exactTime, timeTag } from '../page/time.ts';
import type { CalendarAnswer, Counts } from '../sources/answers.ts';
import { t } from '../texts/pages.ts';

export interface ServiceHealth {
  readonly name: string;
  /** HTTP status of /healthz; undefined where nobody answers. */
  readonly status?: number;
  readonly version?: string;
  /** What it says of itself, as `key: value`. */
  readonly detail: readonly string[];
}

export interface Root {
  readonly root: string;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
}

export interface HealthPage {
  readonly now: number;
  readonly timezone: string;
  readonly services: readonly ServiceHealth[];
  readonly calendars: readonly CalendarAnswer[] | Away;
  readonly roots: readonly Root[] | Away;
  readonly counts: Counts | Away;
  readonly destinations: readonly string[];
  readonly audit: readonly AuditEntry[];
  readonly mayAccept: boolean;
  readonly said?: string | undefined;
}

export function healthPage(view: HealthPage): Html {
  const { now, timezone, said } = view;
  return html`<h1>${t.health.title}</h1>
    <p class="sub">
      ${t.health.checked(exactTime(now, timezone).slice(11, 19))} <a href="/health">${t.health.again}</a>
    </p>
    ${said !== undefined && html`<p class="said" role="status">${said}</p>`}
    ${section(t.health.services, view.services.map(serviceCheck))}
    ${section(t.health.calendars, calendarChecks(view))} ${section(t.health.storage, rootChecks(view))}
    ${section(t.health.destinations, destinationChecks(view))} ${auditSection(view)}`;
}

interface Check {
  readonly name: string;
  readonly state: 'good' | 'warn' | 'bad' | 'unknown';
  readonly text: string;
  readonly todo?: Html | string | undefined;
}

const SHAPES: Readonly<Record<Check['state'], string>> = { good: '✓', warn: '◷', bad: '✕', unknown: '?' };

const section = (title: string, checks: readonly Check[]): Html =>
  html`<section aria-label="${title}">
    <h2>${title}</h2>
    <ul class="list">
      ${checks.map(
        ({ name, state, text, todo }) =>
          html`<li class="check ${state}">
            <p class="shape" aria-hidden="true">${SHAPES[state]}</p>
            <div><b>${name}</b> ${text} ${todo !== undefined && html`<div class="more">${todo}</div>`}</div>
          </li>`,
      )}
    </ul>
  </section>`;

function serviceCheck({ name, status, version, detail }: ServiceHealth): Check {
  if (status === undefined) return { name, state: 'bad', text: t.health.silent, todo: t.health.silentTodo };
  const todo = [...(version === undefined ? [] : [`${t.health.version} ${version}`]), ...detail].join(' · ');
  return status === 200
    ? { name, state: 'good', text: t.health.ok, todo }
    : { name, state: 'bad', text: t.health.failing, todo };
}

const dark = ({ since }: Away, timezone: string): Check[] => [
  { name: '', state: 'unknown', text: t.away(clockTime(since, timezone)) },
];

function calendarChecks({ calendars, timezone, mayAccept }: HealthPage): Check[] {
  if (isAway(calendars)) return dark(calendars, timezone);
  if (calendars.length === 0) return [{ name: '', state: 'good', text: t.bookings.noCalendars }];
  return calendars.map(({ calendar, state, ageSeconds, failure, held }) => ({
    name: calendar,
    state: state === 'good' ? (held > 0 ? 'warn' : 'good') : 'bad',
    text: `${t.bookings.states[state]}, ${ageSeconds === undefined ? t.bookings.never : t.bookings.ago(ageSeconds)}`,
    todo: html`${failure !== undefined && html`<p class="say bad">${failure.message} <code>${failure.code}</code></p>`}
    ${held > 0 && acceptForm(calendar, held, mayAccept)}`,
  }));
}

const acceptForm = (calendar: string, held: number, mayAccept: boolean): Html =>
  html`<p>${t.health.held(held)}</p>
    ${
      mayAccept &&
      html`<form method="post" action="/calendars/${calendar}/accept">
        ${onceField()}<button>${t.health.accept}</button>
      </form>`
    }`;

function rootChecks({ roots, timezone }: HealthPage): Check[] {
  if (isAway(roots)) return dark(roots, timezone);
  return roots.map(({ root, code, message }) =>
    code === undefined
      ? { name: root, state: 'good', text: t.health.storageGood }
      : { name: root, state: 'bad', text: code, todo: message },
  );
}

function destinationChecks({ counts, destinations, timezone }: HealthPage): Check[] {
  if (isAway(counts)) return dark(counts, timezone);
  return ['storage', ...destinations].map((name) => {
    const legs = counts.legs.filter(({ target }) => target === name);
    const of = (state: string): number => legs.find((leg) => leg.state === state)?.count ?? 0;
    const waits = counts.waiting.filter(({ target }) => target === name);
    const state = of('failed') > 0 ? 'bad' : waits.length > 0 ? 'warn' : 'good';
    if (of('pending') + of('failed') === 0) return { name, state, text: t.health.destinationGood };
    return {
      name,
      state,
      text: t.health.destination(of('pending'), of('failed')),
      todo: html`${waits.map(({ code, count }) => html`<p>${t.series.waiting(count, name, code)}</p>`)}
        <a href="/series?target=${name}&amp;leg=${of('failed') > 0 ? 'failed' : 'pending'}"
          >${t.health.look}</a
        >`,
    };
  });
}

function auditSection({ audit, timezone }: HealthPage): Html {
  return html`<section aria-label="${t.health.audit}">
    <h2>${t.health.audit}</h2>
    ${
      audit.length === 0
        ? html`<p class="empty">${t.health.noAudit}</p>`
        : table(
            t.health.audit,
            Object.values(t.health.auditColumns),
            audit.map(
              ({ at, who, what, subject, address, result }) =>
                html`<tr>
                  <td>${timeTag(at, timezone)}</td>
                  ${[who, what, subject, address, result].map((value) => html`<td>${value}</td>`)}
                </tr>`,
            ),
          )
    }
  </section>`;
}
