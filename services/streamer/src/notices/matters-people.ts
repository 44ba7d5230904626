/** What bookers and the people of projects should know, from what was found. Pure. */
import { verdictText, type BidsIssue, type BidsResult } from '@scanflow/bids/answer';
import type { Closing, EventFact, Facts, Matter, Recipient, SessionFact } from './types.ts';
import { localTime } from './matters-it.ts';

export interface BookerRules {
  readonly domains: ReadonlySet<string>;
  readonly topics: ReadonlySet<string>;
  readonly example: string | undefined;
  readonly contact: string | undefined;
}

export interface PeopleRules {
  readonly booker: BookerRules | undefined;
  /** By label. */
  readonly projects: ReadonlyMap<string, readonly Recipient[]>;
  readonly board: string | undefined;
  readonly zone: string;
}

/** Where an event has no organizer, all who attend are its bookers: a list of people is nobody. */
const MOST_BOOKERS = 3;
const ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?<domain>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)$/;

/** Those of them that the facility lets us write to. */
export function bookersTo(
  bookers: readonly string[],
  { domains }: Pick<BookerRules, 'domains'>,
): Recipient[] {
  if (bookers.length > MOST_BOOKERS) return [];
  const allowed = bookers
    .map((one) => one.toLowerCase())
    .filter((one) => domains.has(ADDRESS.exec(one)?.groups?.['domain'] ?? ''));
  return [...new Set(allowed)].map((address) => ({ channel: 'mail', address }));
}

export interface PeopleMatters {
  readonly matters: readonly Matter[];
  readonly closings: ReadonlyMap<string, Closing | undefined>;
}

const MINE = { event: false, urgent: false, more: 0 } as const;
const EXAMPLE = 'Project: 3010001.01\nSubject: sub-01\nSession: ses-01';

export function peopleMatters(facts: Facts, rules: PeopleRules): PeopleMatters {
  const events = eventMatters(facts, rules);
  return {
    matters: [...events.matters, ...facts.sessions.flatMap((session) => sessionMatters(session, rules))],
    closings: events.closings,
  };
}

export const eventKey = ({ calendar, uid = '', recurrenceId = '' }: EventFact): string =>
  `event:${[calendar, uid, recurrenceId].join('/')}`;

/** What is over needs no mail: only events that are still to come, or under way. */
const isToCome = ({ start, end = start }: EventFact, now: number): boolean => {
  try {
    return end !== undefined && Temporal.Instant.from(end).epochMilliseconds > now;
  } catch {
    return false;
  }
};

function eventMatters({ events, now }: Facts, { booker, zone }: PeopleRules): PeopleMatters {
  if (events === undefined || booker === undefined) return { matters: [], closings: new Map() };
  const closings = new Map<string, Closing | undefined>();
  const foot = booker.contact === undefined ? [] : [`Questions: ${booker.contact}`];
  const rejected = events.rejected.filter((one) => isToCome(one, now));
  const bookings = events.bookings.filter((one) => isToCome(one, now));
  for (const one of bookings)
    closings.set(eventKey(one), {
      heading: `Your booking of ${slotOf(one, zone)} is taken now`,
      paragraphs: [`It is on the worklist of ${one.scanner ?? 'its scanner'} as ${labelsOf(one)}.`, ...foot],
    });
  const matters = rejected.map((one): Matter => {
    // an event may hold several bookings: while one of them is wrong, it is not taken
    closings.delete(eventKey(one));
    return {
      ...MINE,
      key: eventKey(one),
      role: 'booker',
      topic: 'rejected',
      to: bookersTo(one.bookers ?? [], booker),
      heading: `Your booking of ${slotOf(one, zone)} cannot be taken`,
      items: [
        {
          id: `${one.code} ${one.start ?? ''} ${fingerprint(one.reason)}`,
          text: one.summary === undefined ? one.code : `“${one.summary}”`,
        },
      ],
      paragraphs: [
        one.reason,
        'Correct the event in the calendar; Scanflow reads it again by itself. Until then the scan is not on the worklist.',
        booker.example === undefined
          ? `In the description of the event, this is right:\n${EXAMPLE}`
          : `A title that is right:\n${booker.example}`,
        ...foot,
      ],
    };
  });
  const taken = booker.topics.has('taken') ? bookings.map((one) => takenMatter(one, booker, zone, foot)) : [];
  const all = [...(booker.topics.has('rejected') ? matters : []), ...taken];
  return { matters: all.filter(({ to }) => to.length > 0), closings };
}

function takenMatter(one: EventFact, booker: BookerRules, zone: string, foot: readonly string[]): Matter {
  return {
    ...MINE,
    event: true,
    key: `taken:${one.accessionNumber ?? eventKey(one)}`,
    role: 'booker',
    topic: 'taken',
    to: bookersTo(one.bookers ?? [], booker),
    heading: `Your booking of ${slotOf(one, zone)} is taken`,
    items: [{ id: 'taken', text: `${labelsOf(one)}, accession number ${one.accessionNumber ?? ''}` }],
    paragraphs: [
      `It is on the worklist of ${one.scanner ?? 'its scanner'} on that day.`,
      ...(one.code === 'BOOKING' ? [] : [one.reason]),
      ...foot,
    ],
  };
}

/** The day, time and scanner: what people know their booking by. */
function slotOf({ start, scanner }: EventFact, zone: string): string {
  const at = start === undefined ? '' : ` ${localTime(Temporal.Instant.from(start).epochMilliseconds, zone)}`;
  return `${scanner ?? ''}${at}`.trim();
}

const labelsOf = ({
  project = '',
  subject = '',
  session = '',
}: Pick<EventFact, 'project' | 'subject' | 'session'>): string =>
  [project, subject, session].filter((one) => one !== '').join(' ');

/** Not to be reversed by chance, and short: another reason is news. */
function fingerprint(text: string): string {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1)
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return (hash >>> 0).toString(36);
}

export const SESSION = 'session:';

function sessionMatters(session: SessionFact, { booker, projects, board }: PeopleRules): Matter[] {
  const { id, increment, outcome, series, images, folder, project, name, lacking, bookers } = session;
  const bids = bidsPart(session.bids);
  const heading =
    {
      Complete: `Stored: ${series} series of ${name}`,
      Incomplete: `Incomplete: images of ${name} are missing`,
    }[outcome] ?? `Failed: not all series of ${name} are where they belong`;
  const common = {
    ...MINE,
    event: true,
    key: `${SESSION}${id}`,
    topic: 'stored',
    heading: bids === undefined ? heading : `${heading}${bids.heading}`,
    items: [
      {
        id: String(increment),
        text: `${series} series, ${images} images${folder === undefined ? '' : `, stored in ${folder}`}`,
      },
      ...(bids === undefined ? [] : [{ id: `${increment}.bids.${bids.word}`, text: bids.line }]),
      ...lacking.map((text, index) => ({ id: `${increment}.${index}`, text })),
    ],
    paragraphs: [
      ...(outcome === 'Complete'
        ? []
        : ['Images may still be at the scanner. Facility IT sees the same, and what to do.']),
      ...(bids?.paragraphs ?? []),
    ],
    ...(board === undefined ? {} : { link: `${board}/session/${encodeURIComponent(id)}` }),
  };
  const to = booker?.topics.has('stored') === true ? bookersTo(bookers, booker) : [];
  const staff = project === undefined ? [] : (projects.get(project) ?? []);
  return [
    ...(to.length === 0 ? [] : [{ ...common, role: 'booker' as const, to }]),
    ...(staff.length === 0 ? [] : [{ ...common, role: 'project' as const, to: staff }]),
  ];
}

/** What people hear of the conversion of a session to BIDS. */
interface BidsPart {
  /** Another word is news. */
  readonly word: string;
  /** The end of the heading. */
  readonly heading: string;
  readonly line: string;
  readonly paragraphs: readonly string[];
}

/** Undefined: its project has no dataset. */
export function bidsPart(bids: SessionFact['bids']): BidsPart | undefined {
  if (bids === undefined) return undefined;
  const { state, failure, result } = bids;
  if (state === 'pending') return WAITING;
  if (failure !== undefined)
    return {
      ...{
        word: 'failed',
        heading: ', not converted to BIDS',
        line: `BIDS: not converted (${failure.code})`,
      },
      paragraphs: [failure.message],
    };
  if (result === undefined || result.state === 'not configured') return undefined;
  const { verdict, counts, dataset, folder, also } = result;
  if (verdict === undefined)
    return { word: 'empty', heading: '', line: 'BIDS: no series to convert', paragraphs: seriesLeft(result) };
  const place = verdict === 'valid' && also === undefined ? `, in ${dataset}/${folder}` : '';
  return {
    word: counts.failed === 0 ? verdict : `${verdict}, partly`,
    heading: `, BIDS ${verdict}`,
    line: `BIDS: ${verdictText(result)}${place}`,
    // the worst of several parts may be that of another project
    paragraphs: also === undefined ? verdictParagraphs(result) : [PARTS],
  };
}

const PARTS = 'Some series of the session have other labels. Facility IT sees what became of each part.';

const verdictParagraphs = (result: BidsResult): string[] => [
  ...(result.verdict === 'valid'
    ? []
    : ['The session is not in the dataset, which did not change. Correct the cause, then convert it again.']),
  ...listed('Errors of the validator:', result.errors.map(issueText), result.errorCount),
  ...listed('Warnings of the validator:', result.warnings.map(issueText), result.warningCount),
  ...seriesLeft(result),
];

const WAITING: BidsPart = {
  ...{ word: 'waiting', heading: '', line: 'BIDS: not converted yet; the verdict comes by another message' },
  paragraphs: [],
};

const seriesLeft = ({ failed, conflicts, counts }: BidsResult): string[] => [
  ...listed(
    'Series that were not converted:',
    failed.map(({ series, message }) => `${series}: ${message}`),
    counts.failed,
  ),
  ...listed(
    'Conflicts:',
    conflicts.map(({ message }) => message),
    conflicts.length,
  ),
];

const MOST_LISTED = 5;

/** One paragraph, or none. `count`: how many there are; the list may be cut. */
function listed(title: string, lines: readonly string[], count: number): string[] {
  if (lines.length === 0) return [];
  const more = Math.max(count, lines.length) - Math.min(MOST_LISTED, lines.length);
  const shown = lines.slice(0, MOST_LISTED).map((line) => line.replaceAll(/\s+/g, ' '));
  return [[title, ...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('\n')];
}

function issueText({ code, message, count, files }: BidsIssue): string {
  const [first] = files;
  const where = first === undefined ? '' : count > 1 ? ` (${count} files, such as ${first})` : ` (${first})`;
  return `${code}${where}: ${message}`;
}
