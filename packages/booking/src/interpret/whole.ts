/**
 * Labels of a title, whole. A pattern without an end stops at the first character that it does not know, so that
 * `ses-mri-01` would be read as `ses-mri` and two sessions would become one. A label ends where a person sees its end.
 */
import type { Labels } from '../booking.ts';
import type { Match, Matcher } from '../pattern/pattern.ts';

type Found = Readonly<Partial<Record<keyof Labels, string>>>;

export interface TitleLabels {
  readonly labels: Found;
  /** What the pattern alone takes, where that is less: so read Scanflow 0.1.0. */
  readonly former?: Found;
  /** What stands after the last label. */
  readonly rest: string;
}

interface Span {
  readonly name: keyof Labels;
  readonly from: number;
  readonly to: number;
}

const NAMES: readonly (keyof Labels)[] = ['project', 'subject', 'session'];
/** Blanks, brackets, quotes and the marks that divide words end a label; all else belongs to it. */
const GOES_ON = /^[^\s,;:|()[\]{}<>"'“”„‘’«»]+/u;
/** Marks at the end of a word: full stop, ellipsis, asterisk. */
const LAST_MARKS = /[^\p{L}\p{N}\p{M}]+$/u;
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;

/** `goesOn`: characters that belong to a label which stands before them. */
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

const texts = (title: string, spans: readonly Span[]): Found =>
  Object.fromEntries(
    NAMES.flatMap((name) =>
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
  const spans = NAMES.flatMap((name): Span[] => {
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
