/** HTML whose values are text: whatever a title, description or name holds, it is shown and never interpreted. */
import { escapeHtml } from '@scanflow/runtime/visible';
import { hash } from 'node:crypto';
import { localTime } from '@scanflow/runtime/time';
import { t } from '../texts/pages.ts';

/** Text that is HTML already. Only `html` makes it. */
export class Html {
  readonly #text: string;
  #sent: { readonly bytes: Buffer; readonly tag: string } | undefined;

  private constructor(text: string) {
    this.#text = text;
  }

  static of(strings: TemplateStringsArray, values: readonly Value[]): Html {
    return new Html(
      leanOf(strings)
        .map((string, index) => string + inserted(values[index]))
        .join(''),
    );
  }

  toString(): string {
    return this.#text;
  }

  /** As it goes out, and a short text that differs where it does. Made once, however many get it. */
  get sent(): { readonly bytes: Buffer; readonly tag: string } {
    if (this.#sent === undefined) {
      const bytes = Buffer.from(this.#text);
      this.#sent = { bytes, tag: hash('sha256', bytes, 'base64url') };
    }
    return this.#sent;
  }
}

const lean = new WeakMap<TemplateStringsArray, readonly string[]>();

/** Without the indentation of the source, a third of a day's page. */
function leanOf(strings: TemplateStringsArray): readonly string[] {
  const known = lean.get(strings);
  if (known !== undefined) return known;
  const made = strings.map((string) => string.replaceAll(/\n\s+/g, '\n'));
  lean.set(strings, made);
  return made;
}

type Value = Html | string | number | false | undefined | readonly Value[];

/**
 * A piece of a page. Values go between tags or into attributes with double quotes, nowhere else: not into scripts, style sheets,
 * names of tags or addresses of other schemes.
 */
export const html = (strings: TemplateStringsArray, ...values: readonly Value[]): Html =>
  Html.of(strings, values);

function inserted(value: Value): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'object') return value.map(inserted).join('');
  return escapeHtml(shown(String(value)));
}

/** Characters that change the direction or the look of what stands beside them are shown by their number. */
const shown = (text: string): string =>
  text.replaceAll(
    /(?![\n\t])[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\uFFFD${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
  );

// A table that scrolls by itself, by keyboard too, so that no page is wider than its window.

export const table = (label: string, columns: readonly (Html | string)[], rows: readonly Html[]): Html =>
  html`<div class="scroll" tabindex="0" role="group" aria-label="${label}">
    <table>
      <thead>
        <tr>
          ${columns.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;

// Times as people of the facility say them, with the exact one beside.

const zoned = (at: number, timezone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone);

/** `09:30`. */
export const clockTime = (at: number, timezone: string): string =>
  zoned(at, timezone).toPlainTime().toString({ smallestUnit: 'minute' });

/** `2026-11-28 09:30:12+01:00`. */
export const exactTime = (at: number, timezone: string): string =>
  localTime(Temporal.Instant.fromEpochMilliseconds(at), timezone);

/** `28 Nov 09:30`. */
export const shortTime = (at: number, timezone: string): string =>
  `${dayAndMonth(timezone).format(at)} ${clockTime(at, timezone)}`;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Made once for each zone: making one takes as long as formatting 50 times, and memory that V8 does not see. */
function dayAndMonth(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(t.locale, { timeZone, day: 'numeric', month: 'short' });
  formats.set(timeZone, made);
  return made;
}

/** A time element: short, and exact on pointing. */
export const timeTag = (at: number, timezone: string): Html =>
  html`<time
    datetime="${Temporal.Instant.fromEpochMilliseconds(at).toString()}"
    title="${exactTime(at, timezone)}"
    >${shortTime(at, timezone)}</time
  >`;
