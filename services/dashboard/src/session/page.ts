/** The page of one session: its booking, its exam, its series, its hooks, and what happened when. */
import { readAnswer } from '@scanflow/bids/answer';
import { WALK_IN } from '@scanflow/booking';
import type { Likely } from '@scanflow/booking';
import { onceField } from '../actions/order.ts';
import { mayDo, type Person } from '../access/roles.ts';
import { nameOf, rowOf, type RowView } from '../day/row.ts';
import type { DayBooking, DayExam, Row } from '../day/facts.ts';
import { isAway, type Away } from '../journey/facts.ts';
import { html, type Html, clockTime, shortTime, timeTag } from '../page/html.ts';
import type { SessionsAnswer } from '../sources/streamer-answers.ts';
import type { Found } from '../sources/gather.ts';
import { t } from '../texts/pages.ts';
import { changesOf, eventsOf, type Around } from './events.ts';
import { withdrawForm } from '../walk-in/page.ts';
import { bidsSection, failureSeen, type BidsPlans } from './bids.ts';
import { seriesSection } from './series.ts';

export interface SessionPage extends RowView {
  /** As it stands in the address. */
  readonly id: string;
  readonly rows: readonly Row[];
  readonly found: Found;
  readonly person: Person;
  /** Other bookings of the same events: earlier labels, or those that took their place. */
  readonly history: readonly DayBooking[];
  /** Bookings that a quarantined series may belong to, by its ID. */
  readonly likely: ReadonlyMap<string, readonly Likely[]>;
  readonly around: Around;
  readonly plans: BidsPlans;
  /** What the last action said. */
  readonly said?: string | undefined;
}

const { facts: f } = t.session;

export function sessionPage(view: SessionPage): Html {
  const { rows, found, said } = view;
  const [first] = rows;
  return html`<h1>${first === undefined ? t.session.unnamed : nameOf(first)}</h1>
    ${said !== undefined && html`<p class="said" role="status">${said}</p>`}
    ${!isAway(found.sessions) && found.sessions.length > 1 && html`<p class="sub">${t.session.ambiguous}</p>`}
    <section aria-label="${t.session.journey}">
      <h2>${t.session.journey}</h2>
      <ol class="rows">
        ${rows.map((row) => rowOf(row, view))}
      </ol>
    </section>
    ${bookingSection(found.bookings, view)} ${examSection(found.exams, view)}
    ${seriesSection(found, { ...view, mayAct: mayDo(view.person, 'retry') })} ${bidsSection(view)}
    ${hookSection(found.answer, view)} ${timeLine(view)}`;
}

const awayNote = ({ since }: Away, { timezone }: RowView): Html =>
  html`<p class="empty">${t.away(clockTime(since, timezone))}</p>`;

function bookingSection(bookings: readonly DayBooking[] | Away, view: SessionPage): Html {
  return html`<section aria-label="${t.session.booking}">
    <h2>${t.session.booking}</h2>
    ${
      isAway(bookings)
        ? awayNote(bookings, view)
        : bookings.length === 0
          ? html`<p class="empty">${t.session.noBooking}</p>`
          : bookings.map((one) => [
              bookingFacts(one, view),
              changeList(one, view),
              mayWithdraw(one, view) && withdrawForm(one.accessionNumber ?? ''),
            ])
    }
    ${historyList(view)}
  </section>`;
}

/** When its calendar moved it, from where and where to. */
function changeList(one: DayBooking, { timezone }: RowView): Html | false {
  const { changed, changes, noticed } = t.session;
  const slotText = ({ start, end }: Pick<DayBooking, 'start' | 'end'>): string =>
    `${shortTime(start, timezone)}–${clockTime(end, timezone)}`;
  const all = changesOf(one);
  return (
    all.length > 0 &&
    html`<h3>${changes}</h3>
      <ul class="events">
        ${all.map(({ at, slot, scanner, status }) => {
          const said = [
            slot && changed.slot(slotText(slot.from), slotText(slot.to)),
            scanner && changed.scanner(scanner.from, scanner.to),
            status && changed.status[status],
          ].filter((text) => text !== undefined);
          return html`<li>${timeTag(at, timezone)} <span>${noticed}: ${said.join(', ')}</span></li>`;
        })}
      </ul>`
  );
}

/** Labels and slots that the event had, or has now. */
const historyList = ({ history, timezone }: SessionPage): Html | false =>
  history.length > 0 &&
  html`<h3>${t.session.history}</h3>
    <ul class="events">
      ${history.map(
        ({ accessionNumber = '', labels, outcome, start, title = '', changes = [] }) =>
          html`<li>
            ${timeTag(start, timezone)}
            <span
              ><a href="/session/${encodeURIComponent(accessionNumber)}"
                >${t.session.historyOf(labels === undefined ? title : `${labels.project} · ${labels.subject} · ${labels.session}`, accessionNumber)}</a
              >
              ${t.session.outcomes[outcome]}${outcome === 'superseded' && relabelledAt(changes, timezone)}</span
            >
          </li>`,
      )}
    </ul>`;

const relabelledAt = (changes: NonNullable<DayBooking['changes']>, timezone: string): Html | false => {
  const last = changes.findLast(({ status }) => status !== undefined);
  return last !== undefined && html`, ${t.session.noticed} ${timeTag(last.at, timezone)}`;
};

/** A walk-in that nobody scanned, as far as is known here; cal2wl looks again. */
const mayWithdraw = (
  { calendar, outcome, accessionNumber }: DayBooking,
  { person, found: { exams, sessions } }: SessionPage,
): boolean =>
  calendar === WALK_IN &&
  outcome === 'booking' &&
  accessionNumber !== undefined &&
  mayDo(person, 'walk-in') &&
  !isAway(exams) &&
  !isAway(sessions) &&
  exams.length + sessions.length === 0;

function bookingFacts(one: DayBooking, { timezone }: RowView): Html {
  const { start, end, outcome, reason } = one;
  const fact = (name: string, value: Html | string | undefined): Html | false =>
    value !== undefined &&
    value !== '' &&
    html`<dt>${name}</dt>
      <dd>${value}</dd>`;
  const day = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO(timezone).toPlainDate();
  return html`<dl class="facts">
    ${fact(f.slot, html`<a href="/day/${day.toString()}">${timeTag(start, timezone)}</a>–${clockTime(end, timezone)}`)}
    ${fact(f.outcome, t.session.outcomes[outcome])} ${fact('', reason?.message)}
    ${fact(f.calendar, one.calendar)} ${fact(f.scanner, one.scanner)}
    ${fact(f.accession, one.accessionNumber)} ${fact(f.study, one.studyInstanceUid)}
    ${fact(f.booker, one.booker)}
  </dl>`;
}

function examSection(exams: readonly DayExam[] | Away, view: SessionPage): Html {
  return html`<section aria-label="${t.session.exam}">
    <h2>${t.session.exam}</h2>
    ${
      isAway(exams)
        ? awayNote(exams, view)
        : exams.length === 0
          ? html`<p class="empty">${t.session.noExam}</p>`
          : exams.map((one) => examFacts(one, view))
    }
  </section>`;
}

function examFacts(
  { state, scanner, started, created, ended, series, wrongItem }: DayExam,
  view: RowView,
): Html {
  const made = series.reduce((sum, one) => sum + one.made, 0);
  return html`<p class="line">
    <b>${t.session.examStates[state]}</b> ${scanner} · ${timeTag(started ?? created, view.timezone)}
    ${ended !== undefined && html`– ${clockTime(ended, view.timezone)}`}
    ${series.length > 0 && html` · ${series.length} series, ${made} images`}
    ${wrongItem && html` · ${t.session.wrongItem}`}
  </p>`;
}

function hookSection(answer: SessionsAnswer | Away, { id, person }: SessionPage): Html | false {
  if (isAway(answer) || answer.hooks.length === 0) return false;
  return html`<section aria-label="${t.session.hooks}">
    <h2>${t.session.hooks}</h2>
    ${answer.hooks.map((one) => {
      const failure = failureSeen(one, person);
      return html`<div class="line">
        <b>${one.target.replace(/^hook:/, '')}</b> ${t.series.legs[one.state]}
        ${failure !== undefined && html`<p class="say bad">${failure.message} <code>${failure.code}</code></p>`}
        ${hookOutput(one)} ${mayDo(person, 'skip') && hookForms(one, answer, id)}
      </div>`;
    })}
  </section>`;
}

/** A hook's own words. What the conversion to BIDS says has a section of its own. */
const hookOutput = ({ target, output }: SessionsAnswer['hooks'][number]): Html | false =>
  output !== '' &&
  (target !== 'hook:bids' || readAnswer(output) === undefined) &&
  html`<pre tabindex="0">${output}</pre>`;

/** A hook that failed, or waits for its next try, is retried or given up. The streamer knows the session by any series of it. */
function hookForms(
  { subject, target, state, failure }: SessionsAnswer['hooks'][number],
  { sessions }: SessionsAnswer,
  back: string,
): Html | false {
  const open = state === 'failed' || (state === 'pending' && failure !== undefined);
  const series = sessions.find(({ id }) => id === subject)?.series[0]?.id ?? subject;
  const name = target.replace(/^hook:/, '');
  const form = (action: 'retry' | 'skip', label: string): Html =>
    html`<form method="post" action="/series/${series}/${action}">
      ${onceField()}<input type="hidden" name="back" value="${back}" />
      <input type="hidden" name="target" value="${target}" />
      <button>${label}</button>
    </form>`;
  return (
    open &&
    html`<div class="actions">
      ${form('retry', t.actions.retryTarget(name))} ${form('skip', t.actions.skip(name))}
    </div>`
  );
}

function timeLine({ found, timezone, around }: SessionPage): Html | false {
  const events = eventsOf(found, around);
  return (
    events.length > 0 &&
    html`<section aria-label="${t.session.timeLine}">
      <h2>${t.session.timeLine}</h2>
      <ol class="events">
        ${events.map(({ at, text }) => html`<li>${timeTag(at, timezone)} <span>${text}</span></li>`)}
      </ol>
    </section>`
  );
}
