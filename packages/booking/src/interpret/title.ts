/**
 * Labels of a title, whole. A pattern without an end stops at the first character that it does not know, so that
 * `ses-mri-01` would be read as `ses-mri` and two sessions would become one. A label ends where a person sees its end.
 */
import { LABELS, type LabelName, type PartialLabels } from '../booking.ts';
import type { Match, Matcher } from '../pattern/pattern.ts';
import { plainText } from './text.ts';

export interface TitleLabels {
  readonly labels: PartialLabels;
  /** What the pattern alone takes, where that is less: so read Scanflow 0.1.0. */
  readonly former?: PartialLabels;
  /** What stands after the last label. */
  readonly rest: string;
}

interface Span {
  readonly name: LabelName;
  readonly from: number;
  readonly to: number;
}

/** Blanks, brackets, quotes and the marks that divide words end a label; all else belongs to it. */
const GOES_ON = /^[^\s,;:|()[\]{}<>"'“”„‘’«»]+/u;
/** Marks at the end of a word: full stop, ellipsis, asterisk. */
const LAST_MARKS = /[^\p{L}\p{N}\p{M}]+$/u;
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;

/**
 * The labels that a pattern finds in a title. A group that ends inside a word is extended to the whole word.
 *
 * @param goesOn characters that belong to a label which stands before them
 * @returns undefined if the pattern does not match; `former`: the labels as the pattern alone cuts them, if they differ
 */
export function wholeLabels(title: string, pattern: Matcher, goesOn = GOES_ON): TitleLabels | undefined {
  const match = pattern.exec(title);
  if (match === null) return undefined;
  const spans = spansOf(match);
  const whole = spans.map((span, index) => ({
    ...span,
    from: begin(title, span, index === 0 ? 0 : (spans[index - 1]?.to ?? 0)),
    to: span.to + more(title, span, spans[index + 1], { pattern, goesOn }),
  }));
  const labels = texts(title, whole);
  const isCut = whole.some(({ from, to }, index) => from !== spans[index]?.from || to !== spans[index].to);
  const rest = title.slice(whole.at(-1)?.to ?? match.index + match[0].length);
  return { labels, rest, ...(isCut ? { former: texts(title, spans) } : {}) };
}

const texts = (title: string, spans: readonly Span[]): PartialLabels =>
  Object.fromEntries(
    LABELS.flatMap((name) =>
      spans
        .filter((span) => span.name === name)
        .flatMap(({ from, to }) => {
          const text = title.slice(from, to).trim();
          return text === '' ? [] : [[name, text] as const];
        }),
    ),
  );

/** Where the labels stand, in the order of the title. */
function spansOf(match: Match): Span[] {
  const spans = LABELS.flatMap((name): Span[] => {
    const text = match.groups?.[name];
    if (text === undefined || text.trim() === '') return [];
    const known = match.indices?.groups?.[name];
    const from = known?.[0] ?? match.index + match[0].lastIndexOf(text);
    return [{ name, from, to: known?.[1] ?? from + text.length }];
  });
  return spans.toSorted((a, b) => a.from - b.from);
}

/** A number that begins with digits before it, such as the last seven of eight, is not one that somebody typed. */
function begin(title: string, { from }: Span, least: number): number {
  const digits = /\d*$/u.exec(title.slice(least, from))?.[0] ?? '';
  return /^\d/u.test(title.slice(from)) ? from - digits.length : from;
}

/** How many characters after it belong to the label, though the pattern left them out. */
function more(
  title: string,
  span: Span,
  next: Span | undefined,
  { pattern, goesOn }: { readonly pattern: Matcher; readonly goesOn: RegExp },
): number {
  const room = title.slice(span.to, next?.from);
  const run = runAfter(room, goesOn);
  if (run === '') return 0;
  // where the pattern itself asks for what follows, the facility means it so
  const without = `${title.slice(0, span.to)}${next === undefined ? '' : ` ${title.slice(next.from)}`}`;
  const again = pattern.exec(without)?.groups?.[span.name];
  return again === title.slice(span.from, span.to) ? run.length : 0;
}

/** What goes on after a label without an end between, but for marks at the end of a word. */
export function runAfter(text: string, goesOn = GOES_ON): string {
  const run = (goesOn.exec(text)?.[0] ?? '').replace(LAST_MARKS, '');
  return LETTER_OR_DIGIT.test(run) ? run : '';
}

/** Longest text that patterns are tried on: a title is a line. */
const LONGEST = 2000;

/** Labels of the first pattern that matches; none where no pattern does. */
export const fromTitle = (title: string, patterns: readonly Matcher[]): PartialLabels =>
  readTitle(title, patterns).labels;

/** `neutral`: words that may stand around labels and say nothing. */
export function readTitle(
  title: string,
  patterns: readonly Matcher[],
  neutral: readonly string[] = [],
): TitleLabels {
  const line = title.slice(0, LONGEST);
  const asTyped = firstOf(line, patterns);
  if (asTyped !== undefined) return asTyped;
  const tried = new Set([line]);
  for (const { text, bare } of tidied(line, neutral)) {
    if (tried.has(text)) continue;
    tried.add(text);
    const found = firstOf(text, patterns);
    if (found !== undefined && (!bare || looksCoded(found.labels))) return inOriginal(line, found);
  }
  return { labels: {}, rest: '' };
}

function firstOf(text: string, patterns: readonly Matcher[]): TitleLabels | undefined {
  for (const pattern of patterns) {
    const found = wholeLabels(text, pattern);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Numbers alone, such as those of a date or a time, are no labels because a tidied title has them in a row. */
const looksCoded = (labels: PartialLabels): boolean =>
  Object.values(labels).filter((label) => /\p{L}.*\p{N}|\p{N}{5}/u.test(label)).length > 1;

/** What a tidied title says, with its last label and what follows as they were typed. */
function inOriginal(title: string, { labels, rest }: TitleLabels): TitleLabels {
  const text = singleLine(title);
  const inOrder = LABELS.flatMap((name) => {
    const label = labels[name];
    const from = label === undefined ? -1 : text.toLowerCase().indexOf(label.toLowerCase());
    return label === undefined || from < 0 ? [] : [{ name, label, to: from + label.length }];
  }).toSorted((a, b) => a.to - b.to);
  const last = inOrder.at(-1);
  if (last === undefined) return { labels, rest };
  const behind = text.slice(last.to);
  const run = runAfter(behind);
  return { labels: { ...labels, [last.name]: last.label + run }, rest: behind.slice(run.length) };
}

/** `RE:` and `Copy of`, as calendars and mail programs of many languages put them in front. */
const COPIED =
  /^(?:(?:re|aw|antw|sv|vs|fwd?|wg|tr|rv|vb|res|enc|odp|pd|rif|doorst|i|r|réf?)(?:\[\d+\])?\s*:|copy (?:\(\d+\) )?of\b|kopie (?:van|von)\b|copie de\b|kopi[ea]? (?:av|af)\b|copia (?:de|di)\b|kopia )\s*/iu;
/** What calendars and people put in front of a booking that stands: `Accepted:`, `Bestätigt -`, `URGENT!`. */
const SAID = new RegExp(
  '^(?:copy|kopie|copie|kopia|kopi|copia|kópia|(?:updated? )?(?:invitation|invite|uitnodiging|einladung|invitasjon|inbjudan|invitación|invito|zaproszenie|pozvánka)|' +
    'updated?|bijgewerkt|gewijzigd|aktualisiert|geändert|mise? à jour|opdateret|oppdatert|uppdaterad|actualizad[oa]|aggiornat[oa]|zaktualizowan[oey]|aktualizováno|' +
    'new|nieuw|neu|nouveau|ny|nytt|nuev[oa]|nuov[oa]|now[yea]|nov[éýá]|' +
    'accepted|geaccepteerd|zugesagt|angenommen|accepté|accepteret|akseptert|accepterad|aceptad[oa]|accettat[oa]|zaakceptowan[oey]|přijato|' +
    'confirmed|bevestigd|bestätigt|confirmé|bekræftet|bekreftet|bekräftad|confirmad[oa]|confermat[oa]|potwierdzon[oey]|potvrzeno|' +
    'urgent|important|belangrijk|spoed|wichtig|dringend|vigtigt?|viktigt?|urgente|importante|ważne|pilne|důležité)(?:\\s*(?:[:!|]|-\\s)[\\s!:]*|\\s+)',
  'iu',
);
/** What is said of every booking alike. */
const NEUTRAL =
  /^(?:(?:f?mri|mr|mrt|irm|rmn?|pet|meg|eeg|ct|us|scan(?:ner)?|slot|[137]\s?t|messung|meting|booking|boeking|buchung|réservation|reserva|bokning|prenotazione|rezerwacja|rezervace)(?:\s*[-:|]|\s)|(?:subject|onderwerp|betreff|objet|asunto|oggetto|emne|[äa]mne|temat|p[řr]edm[ěe]t)\s*:)\s*/iu;
/** `1.`, `2)`, and a time of the day. */
const NUMBERED = /^(?:\d{1,2}[.)]|\d{1,2}[:.h]\d{2}(?:\s?-\s?\d{1,2}[:.h]\d{2})?:?)\s+/u;
/** `[Prisma]`, but not `[option]`: what is not sure is not booked. */
const BRACKETED =
  /^(?!.\s*(?:\?|tent|opti|hold|reserv|wait|wacht|wart|voorl|vorl|provis|prelim|backup|pilot|test|old|was))(?:\[[^\]]*\]|\([^()]*\)|\{[^{}]*\}|【[^】]*】)\s*/iu;
const MOST_PREFIXES = 6;

/** Struck out, or crossed out with an emoji. */
const CROSSED = /~~|❌|✖|✗|✘|🚫|⛔|❎/u;
/** What divides words, in any script. Of the marks a label may hold `. _ - + #` and others, `/` only between labels. */
const DIVIDES =
  /(?:_{2,}|\u200d|\ufe0f|[\s,;:|/\\()[\]{}<>"'`*…•·◦‣、。，；\u2190-\u21ff\u27f0-\u27ff\p{Pi}\p{Pf}\p{Ps}\p{Pe}\p{So}\p{Extended_Pictographic}])+/gu;
const EDGES = /^[._+\-#!=&~]+|[._+\-#!=&~]+$/gu;
const AND = /^(?:and|en|und|et|og|och)$/iu;
/** Capitals in front of a label: `SUB-001`, `Ses_2`, but not those after its hyphen. */
const CAPITALS = /(?<![\p{L}\p{N}-])\p{Lu}\p{L}{1,4}(?=[-_]?\d|-)/gu;

interface Tidied {
  readonly text: string;
  /** Marks between words are gone, so that bare numbers may have come together by chance. */
  readonly bare: boolean;
}

/**
 * Each is tried only where none before it is read, so nothing that was ever read is read otherwise. `neutral`: words
 * that say nothing by themselves, such as names of scanners and the words of lines.
 */
export function* tidied(title: string, neutral: readonly string[] = []): Generator<Tidied> {
  const single = singleLine(title);
  yield { text: single, bare: false };
  const unquoted = single.replaceAll(/["“”„«»*`]|^['‘’]|['‘’]$/gu, '').trim();
  const own = withoutPrefixes(unquoted, neutral);
  yield { text: own, bare: false };
  yield { text: lowered(own), bare: false };
  if (CROSSED.test(own)) return;
  // what stands in brackets may be a label
  for (const text of [unquoted, own]) {
    const bare = withoutPrefixes(text.replace(NOISE, ''), neutral, text === own ? ALL : NO_BRACKETS);
    const words = wordsOf(bare, neutral);
    yield { text: words, bare: true };
    yield { text: lowered(words), bare: true };
  }
}

/** Bullets, emoji and the like in front. */
const NOISE = /^[^\p{L}\p{N}?([{【]+/u;
const NO_BRACKETS = [COPIED, SAID, NEUTRAL, NUMBERED];
const ALL = [...NO_BRACKETS, BRACKETED];

function wordsOf(text: string, neutral: readonly string[]): string {
  const silent = new Set(neutral.map((word) => word.toLowerCase()));
  return text
    .split(DIVIDES)
    .map((word) => word.replaceAll(EDGES, ''))
    .filter((word) => word !== '' && !AND.test(word) && !silent.has(word.toLowerCase()))
    .join(' ');
}

/** Without tags, entities, wide forms and blanks in a row. */
export const singleLine = (title: string): string =>
  plainText(title)
    .replaceAll(/[\uff01-\uff5e]/gu, (wide) => String.fromCodePoint((wide.codePointAt(0) ?? 0) - 0xfee0))
    .replaceAll(/\s+/gu, ' ')
    .trim();

/** `SUB-001` as `sub-001`; what follows its hyphen stays as it is. */
export const lowered = (text: string): string => text.replaceAll(CAPITALS, (word) => word.toLowerCase());

function withoutPrefixes(
  title: string,
  neutral: readonly string[],
  prefixes: readonly RegExp[] = ALL,
): string {
  let rest = title;
  for (let turn = 0; turn < MOST_PREFIXES; turn += 1) {
    const next = prefixes.reduce((text, prefix) => text.replace(prefix, ''), rest);
    const named = withoutName(next, neutral);
    if (named === rest) break;
    rest = named;
  }
  return rest;
}

function withoutName(title: string, names: readonly string[]): string {
  const lower = title.toLowerCase();
  const name = names.find((one) => lower.startsWith(one.toLowerCase()));
  const rest = title.slice(name?.length ?? 0);
  return name === undefined
    ? title
    : (/^(?:\s*[-:|]|\s)\s*(?<rest>.*)$/su.exec(rest)?.groups?.['rest'] ?? title);
}
