/** Why an item is not in a scanner's list: every reason there is, and which keys of its query exclude the item. Pure. */
import {
  type DataSet,
  type MatchOptions,
  formatTag,
  keywordOf,
  matcher,
  tagOf,
  type Element,
  type Tag,
} from '@scanflow/dicom';
import type { Departure } from '../board.ts';
import { isOf, type AccessPolicy } from '../domain/access.ts';
import { answers, refusal } from '../domain/answer.ts';
import { type QueryRecord, isShown, shorten } from '../domain/journal.ts';
import type { Entry, Schedule } from '../domain/schedule.ts';
import type { Problem } from '../domain/snapshot.ts';

type ReasonCode =
  | 'NOT_IN_FOLDER'
  | 'FILE_NOT_SERVED'
  | 'LEFT'
  | 'NOT_ADMITTED'
  | 'OUT_OF_VIEW'
  | 'QUERY_UNREADABLE'
  | 'QUERY_REFUSED'
  | 'KEY'
  | 'LIMIT';

/** What keeps the item from the list. */
interface Reason extends Partial<Excluding> {
  readonly code: ReasonCode;
  readonly text: string;
}

export interface Explanation {
  /** Whether the query is answered with the item. */
  readonly listed: boolean;
  readonly reasons: readonly Reason[];
  /** What else a person should know. */
  readonly notes: readonly string[];
}

/** The item and the scanner in question. */
export interface Question {
  readonly accessionNumber: string;
  readonly callingAet: string;
  /** Undefined: there is none that could be read. */
  readonly identifier: DataSet | undefined;
  /** The record of the scanner's last query, where that is the one. */
  readonly asked: QueryRecord | undefined;
}

/** What the worklist knows. */
export interface Known {
  /** Everything in the folder, and what of it is served. */
  readonly all: Schedule;
  readonly served: Schedule;
  readonly left: ReadonlyMap<Entry, Departure>;
  readonly problems: readonly Problem[];
  readonly policy: AccessPolicy;
  /** AE title of the worklist. */
  readonly calledAet: string;
  readonly matching: MatchOptions;
  readonly maxAnswers: number | undefined;
  /** Whether there is a booking record. */
  readonly booked: boolean;
  /** When the file was last written, in epoch milliseconds. */
  readonly writtenMs: (file: string) => number | undefined;
}

/** All reasons, the first one first to be looked at. */
export function explain(question: Question, known: Known): Explanation {
  const { accessionNumber, callingAet, identifier, asked } = question;
  const entries = entriesOf(accessionNumber, known.all);
  const access = admission(callingAet, known);
  const absent = entries.length === 0 ? missing(accessionNumber, known) : [];
  const query = identifier === undefined ? unreadable(asked) : refused(identifier);
  // of several steps, each is an answer of its own: one that is listed is enough
  const judged = entries.map((entry) => judge(entry, question, known));
  const best = judged.find((reasons) => reasons.length === 0) ?? judged.flat();
  const reasons = [...access, ...absent, ...query, ...(entries.length === 0 ? [] : best)];
  return { listed: reasons.length === 0, reasons, notes: notesOn(entries, question, known) };
}

/** The entries with this accession number; else those of the file that is named so, since an item may have none. */
function entriesOf(accessionNumber: string, { entries }: Schedule): readonly Entry[] {
  const found = entries.filter((entry) => entry.accessionNumber === accessionNumber);
  return found.length > 0 ? found : entries.filter(({ file }) => isFileOf(file, accessionNumber));
}

const isFileOf = (file: string, name: string): boolean => file === name || file === `${name}.wl`;

function missing(accessionNumber: string, { problems, booked, all }: Known): Reason[] {
  const file = problems.find((one) => !one.served && isFileOf(one.file, accessionNumber));
  if (file !== undefined)
    return [
      {
        code: 'FILE_NOT_SERVED',
        text: `its file ${file.file} is not served (${file.code}): ${file.message}`,
      },
    ];
  const [other] = all.entries.filter((one) => isAlike(one.accessionNumber, accessionNumber));
  const advice =
    other !== undefined
      ? `there is ${other.accessionNumber}`
      : booked
        ? 'there is a booking: its slot is outside of bookings.window, was cancelled, or is not published yet; scanflow bookings shows it'
        : 'no booking has it either; scanflow bookings CALENDAR shows what was rejected, and why';
  return [{ code: 'NOT_IN_FOLDER', text: `no item in the folder has this accession number: ${advice}` }];
}

const isAlike = (one: string, other: string): boolean =>
  one.trim().toLowerCase() === other.trim().toLowerCase();

function admission(callingAet: string, { policy, calledAet }: Known): Reason[] {
  const decision = policy.admitsTitle(callingAet, calledAet);
  return decision.accept
    ? []
    : [{ code: 'NOT_ADMITTED', text: `${callingAet} may not query: ${decision.why}` }];
}

const unreadable = (asked: QueryRecord | undefined): Reason[] =>
  asked === undefined
    ? []
    : [
        {
          code: 'QUERY_UNREADABLE',
          text: `its last query could not be read: ${asked.why ?? 'it was too long to be kept'}`,
        },
      ];

function refused(identifier: DataSet): Reason[] {
  const why = refusal(identifier);
  return why === undefined ? [] : [{ code: 'QUERY_REFUSED', text: `the query is refused: ${why.comment}` }];
}

const LEFT: Readonly<Record<Departure, string>> = {
  completed: 'its scanner reported the exam as completed (worklist.performed: leave)',
  discontinued: 'its scanner reported the exam as discontinued (worklist.performed: leave)',
  over: 'its slot is over for longer than worklist.retain',
};

/** What keeps this entry from the answers. */
function judge(entry: Entry, { callingAet, identifier }: Question, known: Known): Reason[] {
  const { policy, served, left, problems, matching } = known;
  const reasons: Reason[] = [];
  const why = left.get(entry);
  if (why !== undefined) reasons.push({ code: 'LEFT', text: LEFT[why] });
  else if (!served.entries.includes(entry)) {
    const problem = problems.find(({ file, served: isServed }) => file === entry.file && !isServed);
    reasons.push({ code: 'FILE_NOT_SERVED', text: problem?.message ?? 'it is being read' });
  }
  const view = policy.stations(callingAet);
  if (view !== undefined && !isOf(entry, view)) reasons.push(outOfView(entry, view));
  if (identifier === undefined || refusal(identifier) !== undefined) return reasons;
  const keys = excludingKeys(identifier, entry.item, matching);
  reasons.push(...keys.map((key): Reason => ({ code: 'KEY', ...key, text: wordsOf(key) })));
  if (reasons.length === 0 && !isAnswered(entry, { callingAet, identifier }, known))
    reasons.push({
      code: 'LIMIT',
      text: `more than worklist.maxAnswers (${known.maxAnswers ?? ''}) items match before it`,
    });
  return reasons;
}

const outOfView = ({ stations }: Entry, view: readonly string[]): Reason => ({
  code: 'OUT_OF_VIEW',
  text: `it is for ${stations.join(', ') || 'no station'}, and worklist.view shows items of ${view.join(', ')} only`,
});

function wordsOf({ key, asked, has }: Excluding): string {
  return asked === undefined
    ? `the query requires another ${key} than the item has`
    : `the query requires ${key} ${asked}; the item has ${has ?? 'nothing'}`;
}

/** By the answers themselves, so that this can say nothing else than the worklist does. */
function isAnswered(
  entry: Entry,
  query: { readonly callingAet: string; readonly identifier: DataSet },
  { served, policy, matching, maxAnswers = Infinity }: Known,
): boolean {
  let place = 0;
  for (const answer of answers(served, query, policy, matching)) {
    if (answer === undefined) continue;
    place += 1;
    if (place > maxAnswers) return false;
    if (answer.entry === entry) return true;
  }
  return false;
}

function notesOn(entries: readonly Entry[], { asked }: Question, { problems, writtenMs }: Known): string[] {
  const files = new Set(entries.map(({ file }) => file));
  const flaws = problems
    .filter(({ file, served }) => served && files.has(file))
    .map(({ message }) => `the item is served, but ${message}`);
  const written = Math.max(...[...files].map((file) => writtenMs(file) ?? -Infinity));
  const askedMs = asked === undefined ? Infinity : Temporal.Instant.from(asked.at).epochMilliseconds;
  // the record's instant is cut to seconds
  const isOlder = askedMs + 1_000 < written;
  const since = isOlder
    ? Temporal.Instant.fromEpochMilliseconds(Math.floor(written)).toString({ smallestUnit: 'second' })
    : '';
  return [
    ...flaws,
    ...(isOlder
      ? [`the scanner sent its last query before the item was there (${since}): let it query again`]
      : []),
  ];
}

/** A key that the item does not match. Values stand only where they say nothing of a person. */
interface Excluding {
  /** Such as `ScheduledProcedureStepSequence.Modality`; start date and time together where both are ranges. */
  readonly key: string;
  readonly asked?: string;
  readonly has?: string;
}

const START: readonly Tag[] = [
  tagOf('ScheduledProcedureStepStartDate'),
  tagOf('ScheduledProcedureStepStartTime'),
];

/** Makes a query of one key at its place. */
type Wrap = (keys: DataSet) => DataSet;

/** The keys that exclude the item; empty where the query matches it. */
export function excludingKeys(identifier: DataSet, item: DataSet, options: MatchOptions): Excluding[] {
  const isMatch = (keys: DataSet): boolean => matcher(keys, options)(item);
  if (isMatch(identifier)) return [];
  const found = walk(identifier, [item], '', (keys) => keys, isMatch);
  // several items of a sequence that only exclude it together
  return found.length > 0 ? found : [{ key: 'the combination of its sequences' }];
}

function walk(
  keys: DataSet,
  items: readonly DataSet[],
  path: string,
  wrap: Wrap,
  isMatch: (keys: DataSet) => boolean,
): Excluding[] {
  return groups(keys).flatMap((group): Excluding[] => {
    if (isMatch(wrap(new Map(group)))) return [];
    const [[tag, key] = [0, undefined]] = group;
    const inner = key?.kind === 'sequence' && key.items.length === 1 ? key.items[0] : undefined;
    if (inner !== undefined) {
      const below = items.flatMap((item) => itemsOf(item.get(tag)));
      const inside: Wrap = (one) =>
        wrap(new Map<Tag, Element>([[tag, { vr: 'SQ', kind: 'sequence', items: [one] }]]));
      const found = walk(inner, below, `${path}${nameOf(tag)}.`, inside, isMatch);
      if (found.length > 0) return found;
    }
    return [describe(group, items, path)];
  });
}

/** Each key by itself, but start date and time together: as ranges they are one period (PS3.4 table K.6-1). */
function groups(keys: DataSet): (readonly [Tag, Element])[][] {
  const start = START.flatMap((tag): (readonly [Tag, Element])[] => {
    const key = keys.get(tag);
    return key === undefined ? [] : [[tag, key]];
  });
  const isPeriod = start.length === 2 && start.every(([, key]) => valueOf(key).includes('-'));
  const others = [...keys].filter(([tag]) => !isPeriod || !START.includes(tag));
  return [...(isPeriod ? [start] : []), ...others.map((one) => [one])];
}

function describe(
  group: readonly (readonly [Tag, Element])[],
  items: readonly DataSet[],
  path: string,
): Excluding {
  const key = group.map(([tag]) => path + nameOf(tag)).join(' and ');
  if (!group.every(([tag, one]) => one.kind === 'text' && isShown(nameOf(tag), valueOf(one)))) return { key };
  const has = items.map((item) => group.map(([tag]) => valueOf(item.get(tag)) || 'nothing').join(' '));
  const asked = group.map(([, one]) => valueOf(one)).join(' ');
  return { key, asked: shorten(asked), has: shorten(has.join(', ') || 'nothing') };
}

const nameOf = (tag: Tag): string => keywordOf(tag) ?? formatTag(tag);
const itemsOf = (element: Element | undefined): readonly DataSet[] =>
  element?.kind === 'sequence' ? element.items : [];
const valueOf = (element: Element | undefined): string =>
  element?.kind === 'text' ? element.values.join('\\') : '';
