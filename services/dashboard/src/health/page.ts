/** The page of health: a section for each part of Scanflow, each check with what to do, and what people did. */
import { onceField } from '../actions/order.ts';
import type { AuditEntry } from '../access/store.ts';
import { isAway, type Away } from '../journey/facts.ts';
import { html, type Html, table, exactTime, timeTag } from '../page/html.ts';
import type { CalendarAnswer, RefusedCallers } from '../sources/answers.ts';
import type { Counts } from '../sources/streamer-answers.ts';
import { t } from '../texts/pages.ts';
import {
  certificateChecks,
  dark,
  diskChecks,
  hookChecks,
  ledgerChecks,
  orthancChecks,
  refusedChecks,
  senderChecks,
  seriesChecks,
  serviceChecks,
  versionChecks,
  worklistChecks,
  type Check,
  isTried,
  type Tried,
} from './checks.ts';
import type { Machine, ServiceHealth } from './look.ts';

export interface Root {
  readonly root: string;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
}

export interface HealthPage {
  readonly now: number;
  readonly timezone: string;
  /** When each section was looked at. Epoch milliseconds. */
  readonly looked: Readonly<Record<Section, number>>;
  readonly services: readonly ServiceHealth[];
  readonly machines: readonly Machine[];
  readonly worklist: Parameters<typeof worklistChecks>[0] | Away;
  /** What the streamer says of Orthanc and of its ledger. */
  readonly streamer: Parameters<typeof orthancChecks>[0] | Away;
  readonly senders: Parameters<typeof senderChecks>[0] | Away;
  /** Whom the receiver refused, and whom the worklist. */
  readonly refused: RefusedCallers | Away;
  readonly rejected: RefusedCallers | Away;
  readonly calendars: readonly CalendarAnswer[] | Away;
  readonly roots: readonly Root[] | Away;
  readonly counts: Counts | Away;
  readonly destinations: readonly string[];
  readonly audit: readonly AuditEntry[];
  readonly mayAccept: boolean;
  readonly mayTry: boolean;
  /** What came of the last try of a section. */
  readonly tried: (section: Section) => Tried | undefined;
  readonly said?: string | undefined;
}

/** By their names in addresses: `/health?check=storage`. In the order in which images go. */
export const SECTIONS = [
  'services',
  'calendars',
  'worklist',
  'senders',
  'orthanc',
  'ledger',
  'storage',
  'disks',
  'series',
  'destinations',
  'certificates',
] as const;
export type Section = (typeof SECTIONS)[number];

export function healthPage(view: HealthPage): Html {
  const { said } = view;
  return html`<h1>${t.health.title}</h1>
    <p class="sub">${t.health.sub}</p>
    ${said !== undefined && html`<p class="said" role="status">${said}</p>`}
    ${SECTIONS.map((name) => section(name, view))} ${auditSection(view)}`;
}

function checksOf(name: Section, view: HealthPage): readonly Check[] {
  const { timezone, machines, services } = view;
  const known = <T extends object>(
    part: T | Away,
    checks: (part: T) => readonly Check[],
  ): readonly Check[] => (isAway(part) ? dark(part, timezone) : checks(part));
  const made: Readonly<Record<Section, () => readonly Check[]>> = {
    services: () => [...services.flatMap(serviceChecks), ...versionChecks(services)],
    calendars: () => calendarChecks(view),
    worklist: () => [
      ...known(view.worklist, worklistChecks),
      ...known(view.rejected, (callers) => refusedChecks('worklist', callers, timezone)),
    ],
    senders: () => [
      ...known(view.senders, senderChecks),
      ...known(view.refused, (callers) => refusedChecks('receiver', callers, timezone)),
    ],
    orthanc: () => known(view.streamer, orthancChecks),
    ledger: () => known(view.streamer, ledgerChecks),
    storage: () => rootChecks(view),
    disks: () => diskChecks(machines),
    series: () => known(view.counts, (counts) => [...seriesChecks(counts), ...hookChecks(counts, view.now)]),
    destinations: () => destinationChecks(view),
    certificates: () => certificateChecks(machines, view.now),
  };
  return made[name]();
}

const SHAPES: Readonly<Record<Check['state'], string>> = { good: '✓', warn: '◷', bad: '✕', unknown: '?' };

function section(name: Section, view: HealthPage): Html {
  const title = t.health.sections[name];
  const tried = view.tried(name);
  return html`<section id="${name}" aria-label="${title}">
    <h2>
      ${title} <small>${t.health.looked(exactTime(view.looked[name], view.timezone).slice(11, 19))}</small>
      ${checkNow(name, title, view)}
    </h2>
    ${list(checksOf(name, view))}
    ${
      tried !== undefined &&
      html`<h3>${t.health.tried} ${timeTag(tried.at, view.timezone)}</h3>
        ${list(tried.checks)}`
    }
  </section>`;
}

/** For facility IT, services try out what they work with; for all others the page is made anew. */
function checkNow(name: Section, title: string, { mayTry }: HealthPage): Html {
  const button = html`<button name="check" value="${name}" aria-label="${t.health.againAt(title)}">
    ${t.health.again}
  </button>`;
  return mayTry && isTried(name)
    ? html`<form method="post" action="/health/check" class="side">${onceField()}${button}</form>`
    : html`<form action="/health#${name}" class="side">${button}</form>`;
}

const list = (checks: readonly Check[]): Html =>
  html`<ul class="list">
    ${checks.map(
      ({ name, state, text, todo }) =>
        html`<li class="check ${state}">
          <p class="shape" aria-hidden="true">${SHAPES[state]}</p>
          <div>
            <span class="hidden">${t.health.words[state]}. </span><b>${name}</b> ${text}
            ${todo !== undefined && html`<div class="more">${todo}</div>`}
          </div>
        </li>`,
    )}
  </ul>`;

function calendarChecks({ calendars, timezone, mayAccept }: HealthPage): Check[] {
  if (isAway(calendars)) return dark(calendars, timezone);
  if (calendars.length === 0) return [{ name: '', state: 'good', text: t.bookings.noCalendars }];
  return calendars.map(({ calendar, state, ageSeconds, failure, answer, held }) => ({
    name: calendar,
    state: state !== 'good' ? 'bad' : held > 0 || answer !== undefined ? 'warn' : 'good',
    text: `${t.bookings.states[state]}, ${ageSeconds === undefined ? t.bookings.never : t.bookings.ago(ageSeconds)}`,
    todo: html`${failure !== undefined && html`<p class="say bad">${failure.message} <code>${failure.code}</code></p>`}
    ${answer !== undefined && html`<p>${t.health.unanswered} ${answer.message} <code>${answer.code}</code></p>`}
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
  const known = ['storage', ...destinations];
  const all = counts.legs.filter(({ state }) => state !== 'done').map(({ target }) => target);
  const gone = [...new Set(all)].filter(
    (name) => !known.includes(name) && !/^(?:copy$|commitment:)/.test(name),
  );
  return [...known, ...gone].map((name) => {
    const legs = counts.legs.filter(({ target }) => target === name);
    const of = (state: string): number => legs.find((leg) => leg.state === state)?.count ?? 0;
    const waits = counts.waiting.filter(({ target }) => target === name);
    const state = of('failed') > 0 ? 'bad' : waits.length > 0 ? 'warn' : 'good';
    if (of('pending') + of('failed') === 0) return { name, state, text: t.health.destinationGood };
    const isGone = gone.includes(name);
    return {
      name,
      state: isGone ? 'warn' : state,
      text: t.health.destination(of('pending'), of('failed')),
      todo: html`${isGone && html`<p>${t.health.gone}</p>`}${waits.map(({ code, count }) => html`<p>${t.series.waiting(count, name, code)}</p>`)}
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
