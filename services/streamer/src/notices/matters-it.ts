/** What facility IT should know, from what was found. Accession numbers and codes only: no labels, and nothing from images. Pure. */
import type { Facts, Item, Matter, Recipient, SeriesFact } from './types.ts';

export interface ItRules {
  readonly to: readonly Recipient[];
  readonly topics: ReadonlySet<string>;
  readonly urgent: ReadonlySet<string>;
  /** In milliseconds. */
  readonly stale: number;
  readonly certificate: number;
  readonly away: number;
  readonly waiting: number;
  /** Where people open the day board. */
  readonly board: string | undefined;
  readonly zone: string;
}

type Draft = Pick<Matter, 'key' | 'topic' | 'heading' | 'items'> &
  Partial<Pick<Matter, 'paragraphs' | 'link'>>;

export function itMatters(facts: Facts, rules: ItRules): Matter[] {
  if (rules.to.length === 0) return [];
  const drafts = [
    ...seriesDrafts(facts, rules),
    ...hookDrafts(facts),
    ...calendarDrafts(facts, rules),
    ...storageDrafts(facts),
    ...certificateDrafts(facts, rules),
    ...serviceDrafts(facts, rules),
  ];
  return drafts
    .filter(({ topic, items }) => rules.topics.has(topic) && items.length > 0)
    .map((draft) => ({
      role: 'it',
      to: rules.to,
      event: false,
      urgent: rules.urgent.has(draft.topic),
      more: 0,
      paragraphs: [],
      ...(rules.board === undefined ? {} : { link: `${rules.board}/health` }),
      ...draft,
    }));
}

function seriesDrafts(facts: Facts, { board, zone, waiting }: ItRules): Draft[] {
  const page = (query: string): Pick<Draft, 'link'> =>
    board === undefined ? {} : { link: `${board}/series?${query}` };
  const list = (all: readonly SeriesFact[], withCode = true): Item[] =>
    all.map((one) => seriesItem(one, zone, withCode));
  const by = (all: readonly SeriesFact[]): [string, SeriesFact[]][] => [
    ...Map.groupBy(all, ({ target }) => target),
  ];
  return [
    {
      key: 'quarantine',
      topic: 'quarantine',
      heading: `${seriesCount(facts.quarantined)} in quarantine`,
      items: list(facts.quarantined),
      paragraphs: [
        'They are neither stored nor sent. Correct the booking, or: scanflow series show ID, then scanflow series release ID.',
      ],
      ...page('state=quarantined'),
    },
    ...by(facts.failed).map(([target, all]) => ({
      key: `failed:${target}`,
      topic: 'failed',
      heading: `${seriesCount(all)} failed at ${target}`,
      items: list(all),
      paragraphs: [...remedies(all), 'Once it is put right: scanflow series retry ID.'],
      ...page('state=failed'),
    })),
    ...by(facts.waiting).map(([target, all]) => ({
      key: `waiting:${target}`,
      topic: 'waiting',
      heading: `${seriesCount(all)} longer than ${span(waiting)} on the way to ${target}`,
      items: list(all, false),
      paragraphs: [...remedies(all), 'Scanflow goes on trying by itself.'],
      ...page(`waits=1&target=${encodeURIComponent(target)}`),
    })),
    ...by(facts.verification).map(([place, all]) => ({
      key: `verification:${place}`,
      topic: 'verification',
      heading: `${seriesCount(all)} with missing or changed files in ${place === 'copy' ? 'the copy' : 'project storage'}`,
      items: list(all),
      paragraphs: remedies(all),
      ...page('state=failed'),
    })),
  ];
}

const SHORT = 12;
/** As the look into the ledger is bounded. */
export const MOST_SERIES = 500;

const seriesCount = (all: readonly SeriesFact[]): string =>
  all.length > MOST_SERIES ? `More than ${MOST_SERIES} series` : `${all.length} series`;

/** What waits changes its reason all the time; only another series is news. */
function seriesItem(
  { series, code, accession, firstSeen }: SeriesFact,
  zone: string,
  withCode: boolean,
): Item {
  const short = series.slice(0, SHORT);
  const of = accession === '' ? '' : `, accession number ${accession}`;
  return {
    id: withCode ? `${short} ${code}` : short,
    text: `${code}: series ${short}${of}, came ${localTime(firstSeen, zone)}`,
  };
}

const MOST_REMEDIES = 3;

/** What the failures say, each once. They name no patient. */
const remedies = (all: readonly { readonly message: string }[]): string[] =>
  [...new Set(all.map(({ message }) => message))].slice(0, MOST_REMEDIES);

export const localTime = (at: number, zone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(zone)
    .toPlainDateTime()
    .toString({ smallestUnit: 'minute' })
    .replace('T', ' ');

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function span(ms: number): string {
  if (ms >= 2 * DAY_MS) return `${Math.round(ms / DAY_MS)} days`;
  if (ms >= 2 * HOUR_MS) return `${Math.round(ms / HOUR_MS)} hours`;
  return `${Math.max(1, Math.round(ms / 60_000))} minutes`;
}

const hookDrafts = ({ hooks }: Facts): Draft[] =>
  [...Map.groupBy(hooks, ({ hook }) => hook)].map(([hook, all]) => ({
    key: `hooks:${hook}`,
    topic: 'hooks',
    heading: `${all.length > MOST_SERIES ? `More than ${MOST_SERIES}` : all.length} failed runs of the hook ${hook}`,
    items: all.map(({ event, code }) => ({ id: event.slice(0, SHORT), text: `${code}: event ${event}` })),
    paragraphs: [
      ...remedies(all),
      'scanflow series show ID has the output of a run; scanflow series retry ID runs it again.',
    ],
  }));

const renamedDraft = (calendar: string, message: string | undefined): Draft => ({
  key: `renamed:${calendar}`,
  topic: 'calendar',
  heading: `The calendar ${calendar} seems to have a new name`,
  items:
    message === undefined ? [] : [{ id: 'renamed', text: 'CALENDAR_RENAMED: the worklist stays as it is' }],
  paragraphs: message === undefined ? [] : [message],
});

function calendarDrafts({ calendars = [] }: Facts, { stale }: ItRules): Draft[] {
  return calendars.flatMap(({ calendar, state, ageSeconds, failure, held = 0 }): Draft[] => {
    const isRenamed = failure?.code === 'CALENDAR_RENAMED';
    const old = state !== 'good' && !isRenamed && (ageSeconds === undefined || ageSeconds * 1000 >= stale);
    const since = ageSeconds === undefined ? 'never' : `${span(ageSeconds * 1000)} ago`;
    return [
      {
        key: `calendar:${calendar}`,
        topic: 'calendar',
        heading: `The calendar ${calendar} cannot be read`,
        items: old
          ? [{ id: failure?.code ?? state, text: `${failure?.code ?? state}: last read ${since}` }]
          : [],
        paragraphs: [
          ...(failure === undefined ? [] : [failure.message]),
          'The worklist keeps what the calendar said last. New bookings do not reach the scanner.',
        ],
      },
      renamedDraft(calendar, isRenamed ? failure.message : undefined),
      {
        key: `held:${calendar}`,
        topic: 'calendar',
        heading: `The calendar ${calendar} lost many bookings at once`,
        items:
          held > 0
            ? [{ id: 'held', text: `${held} bookings stay on the worklist until a person decides` }]
            : [],
        paragraphs: [`If the calendar is right: scanflow calendars accept ${calendar}.`],
      },
    ];
  });
}

function storageDrafts({ troubles, machines }: Facts): Draft[] {
  const disks = [...machines].flatMap(([service, machine]) =>
    (machine?.disks ?? []).map(({ path, problem }) => ({
      key: `storage:disk:${service}:${path}`,
      topic: 'storage',
      heading: `The disk of ${path} (${service}) ${problem}`,
      items: [{ id: problem.replaceAll(/\d[\d.]*/g, ''), text: `${path}: ${problem}` }],
      paragraphs: ['Free space, or make it larger. Scanflow goes on by itself.'],
    })),
  );
  return [
    ...troubles.map(({ code, about, message }) => ({
      key: `storage:${about}:${code}`,
      topic: 'storage',
      heading: `Trouble with ${about}: ${code}`,
      items: [{ id: code, text: code }],
      paragraphs: [message],
    })),
    ...disks,
  ];
}

function certificateDrafts({ machines, now }: Facts, { certificate, zone }: ItRules): Draft[] {
  return [...machines].flatMap(([service, machine]) =>
    (machine?.certificates ?? []).map(({ key, ends, failure }): Draft => {
      const end = ends === undefined ? undefined : Temporal.Instant.from(ends).epochMilliseconds;
      const soon = end !== undefined && end - now <= certificate;
      const over = end !== undefined && end <= now;
      const text = `${key} of ${service} ${over ? 'ended' : 'ends'} ${localTime(end ?? now, zone)}`;
      return {
        key: `certificate:${service}:${key}`,
        topic: 'certificate',
        heading:
          failure === undefined
            ? `A certificate ${over ? 'has run out' : 'runs out soon'}: ${key}`
            : `A certificate cannot be read: ${key}`,
        items: [
          ...(soon ? [{ id: `${ends ?? ''} ${String(over)}`, text }] : []),
          ...(failure === undefined ? [] : [{ id: failure, text: `${key} of ${service}: ${failure}` }]),
        ],
        paragraphs: ['Replace the file: services read it anew within a minute.'],
      };
    }),
  );
}

const serviceDrafts = ({ away, now }: Facts, rules: ItRules): Draft[] =>
  away
    .filter(({ since }) => now - since >= rules.away)
    .map(({ service, since }) => ({
      key: `service:${service}`,
      topic: 'service',
      heading: `The service ${service} does not answer`,
      items: [{ id: 'away', text: `${service} has not answered since ${localTime(since, rules.zone)}` }],
      paragraphs: [
        `See why: docker compose ps, docker compose logs --tail 50 ${service}; then docker compose up -d.`,
      ],
    }));
