/** Of `destinations`: which series go there (`when`), how fast (`rate`), at which hours (`schedule`), how often Scanflow tries (`retry`); with their rules. */
import { z } from 'zod';
import { DAY_MS } from '@scanflow/runtime/time';
import { aeTitle, interval, modality } from './values.ts';
import type { Finding } from './issue.ts';

const list = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(100).optional();

/** Not a regular expression: nothing that stands here can take for ever. */
const glob = z
  .string({ error: ({ input }) => `expected text, got ${JSON.stringify(input)}; put it in quotes` })
  .min(1)
  .max(64)
  .meta({ title: 'text with `*`' });

const conditions = {
  modality: list(modality),
  aet: list(aeTitle),
  project: list(glob),
  description: list(glob),
  studyDescription: list(glob),
};

const when = z
  .strictObject({
    modality: conditions.modality.describe('Only these modalities.'),
    aet: conditions.aet.describe(
      'Only images whose sender used one of these AE titles: those with which the scanner sends.',
    ),
    project: conditions.project.describe(
      "Only these projects, by their label; `*` stands for anything: `['3010*']`. A series without project does not go.",
    ),
    description: conditions.description.describe(
      "Only these Series Descriptions, in any case: `['*t1*', 'bold_*']`.",
    ),
    studyDescription: conditions.studyDescription.describe('Only these Study Descriptions, likewise.'),
    not: z
      .strictObject({
        modality: conditions.modality.describe('Not these modalities.'),
        aet: conditions.aet.describe('Not images whose sender used one of these AE titles.'),
        project: conditions.project.describe('Not these projects, and no series without project.'),
        description: conditions.description.describe("Not these Series Descriptions: `['*localizer*']`."),
        studyDescription: conditions.studyDescription.describe('Not these Study Descriptions.'),
      })
      .optional()
      .describe('What does not go: whatever one of these keys fits.'),
  })
  .optional()
  .describe('Which series are sent: those for which every key fits; all if absent.');

const RATE =
  /^(?<amount>\d{1,6}(?:\.\d{1,3})?) ?(?<unit>kB\/s|MB\/s|GB\/s|KiB\/s|MiB\/s|GiB\/s|kbit\/s|Mbit\/s|Gbit\/s|(?:images ?)?\/min)$/;
const BYTES: Readonly<Record<string, number>> = {
  'kB/s': 1e3,
  'MB/s': 1e6,
  'GB/s': 1e9,
  'KiB/s': 1024,
  'MiB/s': 1024 ** 2,
  'GiB/s': 1024 ** 3,
  'kbit/s': 1e3 / 8,
  'Mbit/s': 1e6 / 8,
  'Gbit/s': 1e9 / 8,
};
/** Slower ones would have peers end the association for idleness. */
const SLOWEST_BYTES = 100_000;
const SLOWEST_IMAGES = 6;
const EXPECTED_RATE = 'expected a rate like 20MB/s, 160Mbit/s or 600/min, or a list of both kinds';

type Rate = { readonly bytesPerSecond: number } | { readonly imagesPerMinute: number };

/** Undefined where it is too slow, or none. */
function rateOf(text: string): Rate | undefined {
  const { amount, unit = '' } = RATE.exec(text)?.groups ?? {};
  const bytesPerSecond = Number(amount) * (BYTES[unit] ?? Number.NaN);
  if (bytesPerSecond >= SLOWEST_BYTES) return { bytesPerSecond };
  const imagesPerMinute = unit.endsWith('/min') ? Number(amount) : Number.NaN;
  return imagesPerMinute >= SLOWEST_IMAGES ? { imagesPerMinute } : undefined;
}

const oneRate = z
  .string()
  .refine((text) => rateOf(text) !== undefined, {
    error: `${EXPECTED_RATE}; at least 100kB/s, and 6/min`,
  })
  .meta({ title: 'rate' });

/** One rate, or one of bytes and one of images. */
export const rates = z
  .union([oneRate, z.array(oneRate).min(1).max(2)], {
    error: `${EXPECTED_RATE}; at least 100kB/s, and 6/min`,
  })
  .transform((given) => [given].flat().map(rateOf))
  .refine(
    (rates) => rates.length === 1 || new Set(rates.map((one) => Object.keys(one ?? {})[0])).size === 2,
    {
      error: 'has two rates of one kind: leave one of them out',
    },
  )
  .transform(
    (rates) => Object.assign({}, ...rates) as Partial<Record<'bytesPerSecond' | 'imagesPerMinute', number>>,
  );

const rate = rates
  .optional()
  .describe(
    'Highest rate: `20MB/s`, `160Mbit/s`, `600/min` (images), or both: `[20MB/s, 600/min]`. It counts over all associations of one streamer together. If absent, as fast as possible.',
  );

const EXPECTED_TIME = "expected a time of day like '19:00'";
const time = (pattern: RegExp) =>
  z.string({ error: EXPECTED_TIME }).regex(pattern, EXPECTED_TIME).meta({ title: 'time of day' });

const hours = z
  .strictObject({
    from: time(/^(?:[01]\d|2[0-3]):[0-5]\d$/),
    to: time(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/),
    days: z
      .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
      .min(1)
      .max(7)
      .optional(),
  })
  .meta({ title: '`{ from, to, days }`' });

/** One window of hours, or a list. */
export const windows = z.union([hours, z.array(hours).min(1).max(20)]).transform((given) => [given].flat());

const schedule = windows
  .optional()
  .describe(
    "Hours in which the streamer sends images, in the facility's time: `{ from: '19:00', to: '07:00', days: [mon, fri] }`, or a list of them. `days` are those on which a window begins; if absent, every day. Series that are ready at other hours wait. If absent, always.",
  );

const retry = z
  .strictObject({
    first: interval(100, DAY_MS, 'from 100ms to 1d')
      .prefault('5s')
      .describe('Wait after the first failure; twice as long after each further one.'),
    most: interval(100, 7 * DAY_MS, 'from 100ms to 7d')
      .prefault('1h')
      .describe('Longest wait.'),
    giveUp: interval(100, 3650 * DAY_MS, 'of at most 3650d')
      .optional()
      .describe(
        'A series that makes no progress for this long fails (`FORWARD_GIVEN_UP`) until a person retries it. If absent, never.',
      ),
  })
  .optional()
  .describe('How what failed for now is tried again.');

/** Of each destination, whatever it speaks. */
export const sending = { when, rate, schedule, retry };

type Windows = z.output<typeof windows>;
type Retry = z.output<typeof retry>;
type Sent = { readonly schedule?: Windows | undefined; readonly retry?: Retry | undefined };

export const sendingRules = (destinations: Readonly<Record<string, Sent>>): Finding[] =>
  Object.entries(destinations).flatMap(([name, { schedule, retry }]) => [
    ...scheduleRules(['destinations', name, 'schedule'], schedule ?? []),
    ...retryRules(['destinations', name, 'retry'], retry),
  ]);

/** Of any list of hours. */
export function scheduleRules(path: readonly string[], schedule: Windows): Finding[] {
  return schedule
    .filter(({ from, to }) => from === to)
    .map(({ from }) => ({
      path,
      message: `from and to are both ${from}; the whole day is from '00:00' to '24:00'`,
    }));
}

function retryRules(path: readonly string[], retry: Retry | undefined): Finding[] {
  return retry === undefined || retry.first <= retry.most
    ? []
    : [{ path: [...path, 'most'], message: 'is shorter than first' }];
}
