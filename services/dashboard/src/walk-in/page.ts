/** The form of a walk-in, and what it becomes before anybody adds it. */
import { hidden, onceField } from '../actions/order.ts';
import { html, type Html, clockTime, timeTag } from '../page/html.ts';
import type { OutcomeAnswer } from '../sources/answers.ts';
import { walkInText as t } from '../texts/scanner.ts';

/** As it was typed. */
export interface Typed {
  readonly project: string;
  readonly subject: string;
  readonly session: string;
  readonly scanner: string;
  /** `2026-11-28T09:30` in the facility's zone. */
  readonly start: string;
}

export interface FormView {
  readonly typed: Typed;
  readonly scanners: readonly string[];
  /** Why it cannot be added. */
  readonly problem?: { readonly text: string; readonly code?: string } | undefined;
}

const LABELS = ['project', 'subject', 'session'] as const;

export const formPage = ({ typed, scanners, problem }: FormView): Html =>
  html`<h1>${t.title}</h1>
    <p class="sub">${t.sub}</p>
    ${problem !== undefined && html`<p class="said bad" role="alert">${problem.text} ${problem.code !== undefined && html`<code>${problem.code}</code>`}</p>`}
    <section aria-label="${t.title}">
      <form method="post" action="/walk-in/preview" class="grid">
        ${LABELS.map(
          (name) =>
            html`<label
              >${t[name]}
              <input name="${name}" value="${typed[name]}" maxlength="64" autocomplete="off" required
            /></label>`,
        )}
        <label
          >${t.scanner}
          <select name="scanner">
            ${scanners.map((name) => html`<option ${name === typed.scanner && html`selected`}>${name}</option>`)}
          </select>
        </label>
        <label>${t.start} <input name="start" type="datetime-local" value="${typed.start}" required /></label>
        <p class="actions"><button class="main">${t.preview}</button></p>
      </form>
    </section>`;

export interface PreviewView {
  readonly typed: Typed;
  readonly outcome: OutcomeAnswer;
  readonly timezone: string;
}

export function previewPage({ typed, outcome, timezone }: PreviewView): Html {
  const { project, subject, session, start, end, accessionNumber, reason, warnings, code } = outcome;
  return html`<h1>${t.becomes}</h1>
    <section aria-label="${t.becomes}">
      <h2>${project} · ${subject} · ${session}</h2>
      ${warnings.length > 0 && html`<p class="said bad" role="status">${reason} <code>${code}</code></p>`}
      <dl class="facts">
        <dt>${t.scanner}</dt>
        <dd>${outcome.scanner}</dd>
        <dt>${t.slot}</dt>
        <dd>
          ${start !== undefined && timeTag(start, timezone)}${end !== undefined && `–${clockTime(end, timezone)}`}
        </dd>
        <dt>${t.accession}</dt>
        <dd>${accessionNumber}</dd>
      </dl>
    </section>
    <form method="post" action="/walk-in" class="form">
      ${onceId(outcome)}${hidden({ ...typed })}
      <button>${t.confirm}</button>
    </form>
    <form method="post" action="/walk-in/form">
      ${hidden({ ...typed })}
      <button>${t.again}</button>
    </form>`;
}

/** The accession number on the page comes from the word, so both stay together. */
const onceId = ({ uid }: OutcomeAnswer): Html | false =>
  uid !== '' && html`<input type="hidden" name="once" value="${uid.split('@')[0]}" />`;

/** On the page of a session; the word makes a form that comes twice do it once. */
export const withdrawForm = (accessionNumber: string): Html =>
  html`<div class="line">
    <form method="post" action="/walk-in/${accessionNumber}/withdraw">
      <p>${t.withdrawWhy}</p>
      ${onceField()}<button>${t.withdraw}</button>
    </form>
  </div>`;
