/** Scanflow's answer in an event: one COMMENT, or one category. It is edited as text, so that all other bytes stay. Pure. */

/** What an event shall say. A comment begins with `MARK`; a category is one of `CATEGORIES`. */
export interface Answer {
  readonly property: 'comment' | 'categories';
  readonly text: string;
}

/** Comments that begin with it are Scanflow's own. */
export const MARK = 'Scanflow: ';
/** Categories of these names are Scanflow's own. */
export const CATEGORIES = { rejected: 'Scanflow rejected', taken: 'Scanflow taken' } as const;

const OWN: ReadonlySet<string> = new Set(Object.values(CATEGORIES));
/** The longest comment, in characters. */
const LONGEST = 400;
/** RFC 5545 3.1: octets of a line without its end. */
const LINE_OCTETS = 75;

/** A content line as it stands, folds and line end included. One character per byte. */
interface Line {
  readonly raw: string;
  /** Unfolded, without its end. */
  readonly text: string;
}

/**
 * The object with this answer and no other one of ours; undefined: with none. `same`: it is so already. `unsafe`: Scanflow
 * leaves it alone: a series, an event with guests (a server may mail them about each change), or no plain event.
 */
export function withAnswer(
  object: Uint8Array,
  answer: Answer | undefined,
): Buffer<ArrayBuffer> | 'same' | 'unsafe' {
  const lines = linesOf(Buffer.from(object).toString('latin1'));
  const place = placeOf(lines);
  if (place === undefined) return 'unsafe';
  const own = lines.slice(place.from, place.to).flatMap(ownTexts);
  const wanted = answer === undefined ? [] : [latin1(cleaned(answer))];
  if (own.length === wanted.length && own.every((text, index) => text === wanted[index])) {
    const isKind = answer === undefined || lines.slice(place.from, place.to).some(isOf(answer));
    if (isKind) return 'same';
  }
  const kept = lines.slice(place.from, place.to).map(withoutOwn);
  if (kept.includes(undefined)) return 'unsafe';
  const end = /\r*\n$/.exec(lines[place.from - 1]?.raw ?? '')?.[0] ?? '\r\n';
  const added = answer === undefined ? '' : folded(lineOf(answer), end);
  const raw = (part: readonly Line[]): string => part.map((line) => line.raw).join('');
  return Buffer.from(
    `${raw(lines.slice(0, place.from))}${kept.join('')}${added}${raw(lines.slice(place.to))}`,
    'latin1',
  );
}

/** UID of the event in an object; undefined where it is not plain. */
export const uidIn = (data: string): string | undefined =>
  /^UID(?:;[^:\r\n]*)?:(.*)$/im.exec(data.replaceAll(/\r*\n[ \t]/g, ''))?.[1]?.trim();

function linesOf(text: string): Line[] {
  const raws: string[] = [];
  for (const piece of text.match(/[^\n]*\n|[^\n]+$/g) ?? [])
    if (/^[ \t]/.test(piece)) raws.push(`${raws.pop() ?? ''}${piece}`);
    else raws.push(piece);
  return raws.map((raw) => ({
    raw,
    text: raw.replaceAll(/\r*\n[ \t]/g, '').replace(/\r*\n$/, ''),
  }));
}

/** What a change could break, or what makes a server write to people. */
const DELICATE = /^(?:RRULE|RDATE|EXRULE|EXDATE|RECURRENCE-ID|ATTENDEE)[;:]/i;

/** The properties of the only event, without its alarms: from the line after BEGIN to the line before which a property may be added. */
function placeOf(lines: readonly Line[]): { readonly from: number; readonly to: number } | undefined {
  const where = (wanted: RegExp): number[] =>
    lines.flatMap(({ text }, index) => (wanted.test(text) ? [index] : []));
  const [begin, ...begins] = where(/^BEGIN:VEVENT$/i);
  const [end, ...ends] = where(/^END:VEVENT$/i);
  const calendars = where(/^BEGIN:VCALENDAR$/i);
  if (begin === undefined || end === undefined || end < begin) return undefined;
  if (begins.length + ends.length > 0 || calendars.length !== 1) return undefined;
  // programs that write small letters write other things in their own way, too
  if (lines[begin]?.text !== 'BEGIN:VEVENT') return undefined;
  if (lines.slice(begin, end).some(({ text }) => DELICATE.test(text))) return undefined;
  const inner = lines.findIndex(({ text }, index) => index > begin && index < end && /^BEGIN:/i.test(text));
  return { from: begin + 1, to: inner < 0 ? end : inner };
}

const PROPERTY = /^(COMMENT|CATEGORIES)(?:;(?:"[^"]*"|[^":])*)?:(.*)$/is;

/** Texts of ours in a line. */
function ownTexts({ text }: Line): string[] {
  const [, name = '', value = ''] = PROPERTY.exec(text) ?? [];
  if (name.toUpperCase() === 'COMMENT') return value.startsWith(MARK) ? [unescaped(value)] : [];
  return valuesOf(value).filter((one) => OWN.has(one));
}

const isOf =
  ({ property }: Answer) =>
  (line: Line): boolean =>
    ownTexts(line).length > 0 && line.text.slice(0, property.length).toLowerCase() === property;

/** The line as it stands, without what is ours; undefined where that cannot be cut out of it. */
function withoutOwn(line: Line): string | undefined {
  const own = ownTexts(line);
  if (own.length === 0) return line.raw;
  const [, name = '', value = ''] = PROPERTY.exec(line.text) ?? [];
  if (name.toUpperCase() === 'COMMENT' || valuesOf(value).length === own.length) return '';
  // a program joined it with categories of people
  const names = [...OWN].join('|');
  const raw = line.raw
    .replaceAll(new RegExp(`,(?:${names})(?=,|\\r*\\n|$)`, 'g'), '')
    .replace(new RegExp(`:(?:${names}),`), ':');
  const [left] = linesOf(raw);
  return left !== undefined && ownTexts(left).length === 0 ? raw : undefined;
}

const valuesOf = (value: string): string[] => value.split(/(?<!\\),/).map((one) => one.trim());

/** On one line, without control characters. */
function cleaned({ property, text }: Answer): string {
  if (property === 'categories') return text;
  const line = text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  const [...characters] = line;
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join('')}…` : line;
}

const lineOf = (answer: Answer): string =>
  `${answer.property.toUpperCase()}:${cleaned(answer).replaceAll(/[\\;,]/g, '\\$&')}`;

/** RFC 5545 3.3.11. */
const unescaped = (value: string): string =>
  value.replaceAll(/\\([\\;,nN])/g, (_all, one: string) => (/n/i.test(one) ? '\n' : one));

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

/** RFC 5545 3.1; no fold splits a character. One character per byte. */
function folded(line: string, end: string): string {
  let text = '';
  let octets = 0;
  for (const character of line) {
    const size = Buffer.byteLength(character);
    if (octets + size > LINE_OCTETS) {
      text += `${end} `;
      octets = 1;
    }
    text += character;
    octets += size;
  }
  return latin1(`${text}${end}`);
}
