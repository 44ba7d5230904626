/** The page of bookings, and what a title and a description become, by the rules of one calendar, before anybody books. */
import { interpret, type BookableEvent, type Outcome } from '@scanflow/booking';
import { bookingRules, type Config } from '@scanflow/config';
import { isAway } from '../journey/facts.ts';
import { html, type Html, table, clockTime, timeTag } from '../page/html.ts';
import type { CalendarAnswer, OutcomeAnswer } from '../sources/answers.ts';
import type { CalendarFacts } from '../sources/gather.ts';
import { number } from '../texts/orders.ts';
import { t } from '../texts/pages.ts';

interface Trial {
  readonly calendar: string;
  readonly summary: string;
  readonly description: string;
}

export type Judge = (trial: Trial) => Outcome | undefined;

const HOUR_MS = 3_600_000;

/** Undefined for a calendar that the configuration does not have. Lists of projects do not count here: cal2wl has them. */
export const judgeBy =
  (config: Config, now: () => number): Judge =>
  ({ calendar, summary, description }) => {
    if (!Object.hasOwn(config.calendars, calendar)) return undefined;
    const start = Temporal.Instant.fromEpochMilliseconds(now() + 24 * HOUR_MS);
    const event: BookableEvent = {
      uid: 'try-it',
      start,
      end: start.add({ hours: 1 }),
      allDay: false,
      summary,
      description,
      attendees: [],
      status: 'CONFIRMED',
      transparency: 'OPAQUE',
      class: 'PUBLIC',
    };
    return interpret(event, bookingRules(config, calendar));
  };

// The page of bookings: the calendars, what their events became, and a try before booking.

export interface BookingsPage extends Pick<CalendarFacts, 'calendars' | 'events'> {
  /** Seconds since cal2wl was asked: calendars are older by that. */
  readonly olderS: number;
  /** Names of the configuration. */
  readonly names: readonly string[];
  readonly trial?: { readonly asked: Trial; readonly outcome: Outcome } | undefined;
  readonly timezone: string;
}

const { columns: c } = t.bookings;

export function bookingsPage(view: BookingsPage): Html {
  const { events, timezone } = view;
  return html`<h1>${t.bookings.title}</h1>
    <p class="sub">${t.bookings.sub}</p>
    ${tryIt(view)} ${calendarSection(view)}
    ${
      isAway(events)
        ? html`<p class="needs-you">${t.away(clockTime(events.since, timezone))}</p>`
        : [
            eventSection(t.bookings.rejected, events.rejected, timezone),
            eventSection(t.bookings.booked, events.bookings, timezone),
            eventSection(t.bookings.skipped, events.skipped, timezone),
          ]
    }`;
}

function tryIt({ names, trial }: BookingsPage): Html {
  const { calendar, summary = '', description = '' } = trial?.asked ?? {};
  return html`<section aria-label="${t.bookings.tryTitle}" id="try-it">
    <h2>${t.bookings.tryTitle} <small>${t.bookings.tryText}</small></h2>
    <form method="post" action="/bookings/try" class="grid">
      <label
        >${t.bookings.tryCalendar}
        <select name="calendar">
          ${names.map((name) => html`<option ${name === calendar && html`selected`}>${name}</option>`)}
        </select>
      </label>
      <label
        >${t.bookings.trySummary}
        <input name="summary" value="${summary}" maxlength="1000" autocomplete="off"
      /></label>
      <label class="wide"
        >${t.bookings.tryDescription}
        <textarea name="description" rows="3" maxlength="10000">${description}</textarea>
      </label>
      <p class="actions"><button class="main">${t.bookings.tryButton}</button></p>
    </form>
    ${trial !== undefined && verdict(trial.outcome)}
  </section>`;
}

function verdict(outcome: Outcome): Html {
  const { reason, code } = outcome;
  const [kind, said] =
    outcome.outcome === 'booking'
      ? ['good', t.bookings.tryGood(Object.values(outcome.record.labels).join(' · '))]
      : ['bad', t.bookings.tryOutcomes[outcome.outcome]];
  return html`<p class="said ${kind}" role="status"><b>${said}</b> ${reason} <code>${code}</code></p>`;
}

function calendarSection({ calendars, olderS, timezone }: BookingsPage): Html {
  return html`<section aria-label="${t.bookings.calendars}">
    <h2>${t.bookings.calendars}</h2>
    ${
      isAway(calendars)
        ? html`<p class="empty">${t.away(clockTime(calendars.since, timezone))}</p>`
        : calendars.length === 0
          ? html`<p class="empty">${t.bookings.noCalendars}</p>`
          : table(
              t.bookings.calendars,
              Object.values(c),
              calendars.map((one) => calendarLine(one, olderS)),
            )
    }
  </section>`;
}

function calendarLine(
  { calendar, scanner, state, ageSeconds, failure, notes, bookings, rejected, held }: CalendarAnswer,
  olderS: number,
): Html {
  return html`<tr>
    <td><b>${calendar}</b></td>
    <td>${scanner}</td>
    <td>
      <span class="tag ${state}">${t.bookings.states[state]}</span>
      ${[...(failure === undefined ? [] : [failure]), ...notes].map(({ code, message }) => html`<p class="say bad">${message} <code>${code}</code></p>`)}
    </td>
    <td>${ageSeconds === undefined ? t.bookings.never : t.bookings.ago(ageSeconds + olderS)}</td>
    <td class="figure">${bookings}</td>
    <td class="figure">${rejected}</td>
    <td class="figure">${held}</td>
  </tr>`;
}

/** Days have pages of their own: this one stays readable where the calendars have thousands of bookings. */
const MOST_EVENTS = 200;

function eventSection(title: string, events: readonly OutcomeAnswer[], timezone: string): Html {
  return html`<section aria-label="${title}">
    <h2>${title} <small>${number(events.length)}</small></h2>
    ${
      events.length === 0
        ? html`<p class="empty">${t.bookings.none}</p>`
        : html`<ul class="list">
            ${events.slice(0, MOST_EVENTS).map((one) => eventLine(one, timezone))}
          </ul>`
    }
    ${events.length > MOST_EVENTS && html`<p class="more">${t.bookings.first(MOST_EVENTS, events.length)}</p>`}
  </section>`;
}

function eventLine(one: OutcomeAnswer, timezone: string): Html {
  const { start, summary, project, subject, session, outcome, reason, code, calendar, accessionNumber } = one;
  const labels = project === undefined ? undefined : `${project} · ${subject ?? ''} · ${session ?? ''}`;
  const name = labels ?? summary ?? '';
  return html`<li>
    <p class="when">${start !== undefined && timeTag(start, timezone)}</p>
    <div>
      <b>${accessionNumber === undefined ? name : html`<a href="/session/${accessionNumber}">${name}</a>`}</b>
      <small>${calendar}</small>
      ${(outcome !== 'booking' || one.warnings.length > 0) && html`<p class="say ${outcome === 'rejected' ? 'bad' : 'plain'}">${reason} <code>${code}</code></p>`}
    </div>
  </li>`;
}
