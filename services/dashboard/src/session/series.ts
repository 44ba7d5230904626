/** The series of a session: how many images were made, arrived, were stored and sent, and what a person can do. */
import type { Likely } from '@scanflow/booking';
import { LABEL_FIELDS, onceField, hidden } from '../actions/order.ts';
import type { DayExam } from '../day/facts.ts';
import { pathOf, type RowView } from '../day/row.ts';
import { isAway, type Away } from '../journey/facts.ts';
import { html, type Html, clockTime, shortTime } from '../page/html.ts';
import type { SeriesAnswer } from '../sources/streamer-answers.ts';
import type { Found } from '../sources/gather.ts';
import { t } from '../texts/pages.ts';
import { seriesName } from './events.ts';

export interface SeriesView extends RowView {
  /** Where forms lead back to. */
  readonly id: string;
  readonly mayAct: boolean;
  /** Bookings that a quarantined series may belong to, by its ID. */
  readonly likely: ReadonlyMap<string, readonly Likely[]>;
}

const { columns: c } = t.session;

export function seriesSection({ answer, exams }: Found, view: SeriesView): Html {
  const head = (csv: boolean): Html =>
    html`<h2>
      ${t.session.series}
      ${csv && html`<small><a href="/session/${encodeURIComponent(view.id)}/report.csv">${t.session.csv}</a></small>`}
    </h2>`;
  if (isAway(answer))
    return html`<section aria-label="${t.session.series}">
      ${head(false)}
      <p class="empty">${t.away(clockTime(answer.since, view.timezone))}</p>
    </section>`;
  const series = answer.sessions.flatMap((one) => one.series);
  const made = madeBy(exams);
  return html`<section aria-label="${t.session.series}">
    ${head(series.length > 0)}
    ${
      series.length === 0
        ? html`<p class="empty">${t.session.noSeries}</p>`
        : html`<ul class="cards">
            ${series.map((one) => card(one, made.get(one.seriesInstanceUid) ?? one.expected, view))}
          </ul>`
    }
  </section>`;
}

/** Images by series, as scanners reported them. */
function madeBy(exams: readonly DayExam[] | Away): ReadonlyMap<string, number> {
  const all = isAway(exams) ? [] : exams.flatMap(({ series }) => series);
  return new Map(all.map(({ seriesInstanceUid, made }) => [seriesInstanceUid, made]));
}

function card(one: SeriesAnswer, made: number | undefined, view: SeriesView): Html {
  const { images, legs, state, reason, reasonCode } = one;
  const here = Math.max(images.inOrthanc, images.stored);
  const path = legs.find(({ target }) => target === 'storage')?.path;
  const figure = (name: string, value: number | string): Html =>
    html`<div>
      <dt>${name}</dt>
      <dd>${value}</dd>
    </div>`;
  return html`<li class="card" id="series-${one.id}">
    <h3>${seriesName(one)} <span class="tag ${state}">${t.series.states[state]}</span></h3>
    <dl class="figures">
      ${figure(c.made, made ?? '–')} ${figure(c.here, here)} ${figure(c.stored, images.stored)}
      ${legs.filter(({ target }) => target !== 'storage').map(({ target, done, total }) => figure(target, `${done}/${total}`))}
    </dl>
    ${made !== undefined && made > here && html`<p class="say bad">${t.session.lacking(made, here)}</p>`}
    ${reason !== undefined && html`<p class="say bad">${reason} <code>${reasonCode}</code></p>`}
    ${legs.map((leg) => legLine(leg, view))} ${path !== undefined && pathOf(path)}
    <p class="more">${verifiedOf(one, view)}</p>
    ${view.mayAct && actions(one, view)}
  </li>`;
}

const legLine = (
  { target, state, failure, nextTry, waits }: SeriesAnswer['legs'][number],
  { timezone }: RowView,
): Html | false =>
  (waits !== undefined && html`<p class="say plain"><b>${target}</b>: ${waits.message}</p>`) ||
  (failure !== undefined &&
    html`<p class="say ${state === 'failed' ? 'bad' : 'plain'}">
      <b>${target}</b>: ${failure.message} <code>${failure.code}</code>
      ${state === 'pending' && nextTry !== undefined && html`(${clockTime(nextTry, timezone)})`}
    </p>`);

function verifiedOf({ verification }: SeriesAnswer, { timezone }: RowView): string {
  const good = verification.find(({ place }) => place === 'storage')?.good;
  return good === undefined ? t.session.neverVerified : t.session.verified(shortTime(good, timezone));
}

/** Each form does one thing, once. */
function actions(one: SeriesAnswer, view: SeriesView): Html {
  const { id } = view;
  const { legs, state } = one;
  const form = (action: string, label: string, target?: string): Html =>
    html`<form method="post" action="/series/${one.id}/${action}">
      ${onceField()}<input type="hidden" name="back" value="${id}" />
      ${target !== undefined && html`<input type="hidden" name="target" value="${target}" />`}
      <button>${label}</button>
    </form>`;
  const open = legs.filter(
    (leg) => leg.state === 'failed' || (leg.state === 'pending' && leg.failure !== undefined),
  );
  return html`<div class="actions">
    ${open.map(({ target }) => form('retry', t.actions.retryTarget(target), target))}
    ${state === 'failed' && open.length === 0 && form('retry', t.actions.retry)}
    ${state === 'quarantined' && releaseForms(one, view)}
    ${state !== 'quarantined' && one.images.stored > 0 && one.moving === undefined && moveForm(one, id)}
  </div>`;
}

/** The likely bookings, each with its reasons, and fields for any other place. */
function releaseForms(one: SeriesAnswer, { id, likely, timezone }: SeriesView): Html {
  const proposed = likely.get(one.id) ?? [];
  return html`<div class="likely">
    ${
      proposed.length > 0 &&
      html`<h4>${t.actions.likely}</h4>
        <ul>
          ${proposed.map(
            ({ booking: { labels, start, scanner }, signs }) =>
              html`<li>
                <form method="post" action="/series/${one.id}/preview">
                  <input type="hidden" name="back" value="${id}" />
                  ${hidden({ project: labels.project, subject: labels.subject, session: labels.session })}
                  <button>${labels.project} · ${labels.subject} · ${labels.session}</button>
                </form>
                <span class="more"
                  >${shortTime(start, timezone)} ${scanner}:
                  ${signs.map((sign) => t.actions.signs[sign]).join(', ')}</span
                >
              </li>`,
          )}
        </ul>`
    }
    <p class="more">${proposed.length > 0 ? t.actions.orType : t.actions.noLikely}</p>
    <form method="post" action="/series/${one.id}/preview" class="inline">
      <input type="hidden" name="back" value="${id}" />
      ${labelFields()}
      <button>${t.actions.preview}</button>
    </form>
  </div>`;
}

const labelFields = (): Html[] =>
  LABEL_FIELDS.map(
    ([name, label]) =>
      html`<label>${label} <input name="${name}" required maxlength="64" autocomplete="off" /></label>`,
  );

const moveForm = ({ id: series }: SeriesAnswer, id: string): Html =>
  html`<details>
    <summary>${t.move.open}</summary>
    <form method="post" action="/series/${series}/preview-move" class="inline">
      <input type="hidden" name="back" value="${id}" />
      ${labelFields()}
      <label>${t.pauses.reason} <input name="reason" required maxlength="500" autocomplete="off" /></label>
      <label class="check-box"><input type="checkbox" name="keep" value="yes" /> ${t.move.keep}</label>
      <label class="check-box"><input type="checkbox" name="send" value="yes" /> ${t.move.send}</label>
      <button>${t.actions.preview}</button>
    </form>
  </details>`;
