/** What the other services answer, as far as the board reads it. Further keys are ignored, so that a newer service may say more. */
import { z } from 'zod';

const instant = z.string().transform((text, context) => {
  try {
    return Temporal.Instant.from(text).epochMilliseconds;
  } catch {
    context.addIssue('expected an instant like 2026-11-28T08:00:00Z');
    return z.NEVER;
  }
});
const reason = z.object({ code: z.string(), message: z.string() });
const labels = z.object({ project: z.string(), subject: z.string(), session: z.string() });
const count = z.number().int().nonnegative();

const change = z.object({
  at: instant,
  start: instant.optional(),
  end: instant.optional(),
  scanner: z.string().optional(),
  status: z.enum(['scheduled', 'cancelled', 'superseded']).optional(),
});

export const outcomeAnswer = z.object({
  outcome: z.enum(['booking', 'rejected', 'skipped', 'cancelled', 'superseded']),
  calendar: z.string(),
  scanner: z.string().default(''),
  uid: z.string().default(''),
  recurrenceId: z.string().default(''),
  code: z.string(),
  reason: z.string(),
  start: instant.optional(),
  end: instant.optional(),
  summary: z.string().optional(),
  accessionNumber: z.string().optional(),
  studyInstanceUid: z.string().optional(),
  booker: z.string().optional(),
  bookers: z.array(z.string()).optional(),
  project: z.string().optional(),
  subject: z.string().optional(),
  session: z.string().optional(),
  warnings: z.array(z.string()).default([]),
  changes: z.array(change).optional(),
});
export type OutcomeAnswer = z.infer<typeof outcomeAnswer>;

/** `/api/board/bookings` of cal2wl. */
export const bookingsAnswer = z.object({ bookings: z.array(outcomeAnswer) });

/** `/api/bookings` of cal2wl: all that the calendars hold now. */
export const outcomesAnswer = z.object({
  bookings: z.array(outcomeAnswer),
  skipped: z.array(outcomeAnswer),
  rejected: z.array(outcomeAnswer),
});

/** `/api/calendars` of cal2wl. */
export const calendarsAnswer = z.object({
  calendars: z.array(
    z.object({
      calendar: z.string(),
      scanner: z.string().default(''),
      state: z.enum(['good', 'stale', 'unknown']),
      ageSeconds: count.optional(),
      failure: reason.optional(),
      /** Why it takes no answers. */
      answer: reason.optional(),
      notes: z.array(reason).default([]),
      bookings: count,
      skipped: count,
      rejected: count,
      held: count,
    }),
  ),
});
export type CalendarAnswer = z.infer<typeof calendarsAnswer>['calendars'][number];

const item = z.object({ accessionNumber: z.string() });

/** `/api/worklist` of the worklist service. */
export const worklistAnswer = z.object({
  items: z.array(item.extend({ state: z.enum(['scheduled', 'in progress', 'completed', 'discontinued']) })),
  left: z.array(item.extend({ why: z.enum(['completed', 'discontinued', 'over']) })),
});

/** `/api/performed` of the worklist service. */
export const performedAnswer = z.object({
  steps: z.array(
    z.object({
      sopInstanceUid: z.string(),
      state: z.enum(['IN PROGRESS', 'COMPLETED', 'DISCONTINUED']),
      created: instant,
      updated: instant,
      started: instant.optional(),
      ended: instant.optional(),
      stale: z.boolean(),
      wrongItem: z.boolean(),
      scanner: z.string().nullable(),
      links: z.array(z.object({ accessionNumber: z.string(), studyInstanceUids: z.array(z.string()) })),
      items: z.array(item),
      series: z.array(z.object({ seriesInstanceUid: z.string(), images: count, others: count })),
    }),
  ),
});

const tried = {
  state: z.enum(['pending', 'done', 'failed']),
  nextTry: instant.optional(),
  failure: reason.optional(),
};

const leg = z.object({
  ...tried,
  target: z.string(),
  ...{ attempts: count, done: count, total: count },
  path: z.string().optional(),
  waits: z.object({ message: z.string() }).optional(),
  paused: z.object({ since: instant, by: z.string(), reason: z.string() }).optional(),
});

const verification = z.object({
  place: z.string(),
  looked: instant.optional(),
  good: instant.optional(),
  failure: reason.optional(),
});

const series = z.object({
  id: z.string(),
  seriesInstanceUid: z.string(),
  studyInstanceUid: z.string(),
  accessionNumber: z.string(),
  modality: z.string(),
  seriesNumber: z.string(),
  seriesDescription: z.string(),
  state: z.enum(['collecting', 'working', 'complete', 'failed', 'quarantined']),
  reason: z.string().optional(),
  reasonCode: z.string().optional(),
  labels: labels.optional(),
  decision: z
    .object({ kind: z.string(), at: instant, by: z.string(), reason: z.string().optional() })
    .optional(),
  moved: z
    .array(
      z.object({
        ...{ at: instant, by: z.string(), reason: z.string() },
        from: z.object({ path: z.string() }),
        to: z.object({ path: z.string() }),
      }),
    )
    .default([]),
  moving: z.object({ reason: z.string() }).optional(),
  sender: z.string().optional(),
  cleaned: instant.optional(),
  firstSeen: instant,
  expected: count.optional(),
  images: z.object({ inOrthanc: count, stored: count }),
  session: z.string().optional(),
  legs: z.array(leg),
  verification: z.array(verification).catch([]),
});
export type SeriesAnswer = z.infer<typeof series>;

/** What became of a session's conversion to BIDS. A service of another version may say it in other words: then nothing is shown of it. */
const bids = z
  .object({
    ...tried,
    result: z
      .object({ verdict: z.string().optional(), errorCount: count, counts: z.object({ failed: count }) })
      .optional(),
  })
  .optional()
  .catch(undefined);

/** `/api/board/sessions` and `/api/board/find` of the streamer. */
export const sessionsAnswer = z.object({
  sessions: z.array(
    z.object({
      id: z.string(),
      accessionNumber: z.string(),
      studyInstanceUids: z.array(z.string()),
      labels: labels.optional(),
      complete: z.boolean(),
      firstSeen: instant,
      updated: instant,
      folder: z.string().optional(),
      failure: reason.optional(),
      bids,
      series: z.array(series),
    }),
  ),
  hooks: z.array(
    z.object({
      subject: z.string(),
      target: z.string(),
      state: z.enum(['pending', 'done', 'failed']),
      event: z.string().default(''),
      created: instant.optional(),
      updated: instant.optional(),
      attempts: count.default(0),
      failure: reason.optional(),
      output: z.string().default(''),
    }),
  ),
});
export type SessionsAnswer = z.infer<typeof sessionsAnswer>;

/** `/api/board/series` of the streamer. */
export const seriesAnswer = z.object({ total: count, series: z.array(series) });

/** Runs of a hook that are not done; `waiting`: since when the oldest is pending. */
const openRuns = z.object({ hook: z.string(), pending: count, failed: count, waiting: instant.optional() });

/** `/api/board/counts` of the streamer. */
export const countsAnswer = z.object({
  series: z.record(z.string(), count),
  legs: z.array(z.object({ target: z.string(), state: z.string(), count })),
  waiting: z.array(z.object({ target: z.string(), code: z.string(), count })),
  hooks: z.array(openRuns).default([]),
});
export type Counts = z.infer<typeof countsAnswer>;

/** `/api/board/series/ID/preview` of the streamer. `from`: where it is stored now. */
export const previewAnswer = z.object({ path: z.string(), from: z.string().optional() });

const pause = z.object({ since: instant, by: z.string(), reason: z.string() });

/** `/api/destinations` of the streamer. */
export const destinationsAnswer = z.object({
  destinations: z.array(z.object({ name: z.string(), paused: pause.extend({ waiting: count }).optional() })),
  ended: z
    .array(
      pause.extend({ destination: z.string(), until: instant, endedBy: z.string(), endedReason: z.string() }),
    )
    .default([]),
});
export type DestinationAnswer = z.infer<typeof destinationsAnswer>['destinations'][number];

/** `/api/series/ID` of the streamer, of a series in quarantine. */
export const quarantinedAnswer = z.object({
  series: z.object({
    attributes: z.record(z.string(), z.string()).default({}),
    acquired: instant.optional(),
    sender: z.string().optional(),
  }),
});

/** `/api/machine` of each service. */
export const machineAnswer = z.object({
  disks: z.array(
    z.object({
      path: z.string(),
      free: count.optional(),
      total: count.optional(),
      least: count.optional(),
      failure: z.string().optional(),
    }),
  ),
  certificates: z.array(
    z.object({
      key: z.string(),
      subject: z.string().optional(),
      ends: instant.optional(),
      failure: z.string().optional(),
    }),
  ),
});
export type MachineAnswer = z.infer<typeof machineAnswer>;

/** `/api/try/SECTION` of a service. */
export const triedAnswer = z.object({
  at: instant,
  results: z.array(
    z.object({
      check: z.string(),
      state: z.enum(['ok', 'warning', 'failed', 'skipped']),
      message: z.string(),
      code: z.string().optional(),
      todo: z.string().optional(),
    }),
  ),
});

/** A fault in `/healthz`. */
export const faultAnswer = z.object({
  state: z.enum(['failing', 'degraded']),
  code: z.string(),
  message: z.string(),
});

/** `/healthz` of the streamer, as far as Orthanc and the ledger are concerned. */
export const streamerHealth = z.object({
  orthanc: z.object({
    answers: z.boolean(),
    version: z.string().optional(),
    forSeconds: count.optional(),
    code: z.string().optional(),
    message: z.string().optional(),
  }),
  ledger: z.string(),
  warning: z.string().optional(),
});

/** `/api/worklist` of the worklist service: files that are no item. */
export const problemsAnswer = z.object({
  items: z.array(z.unknown()),
  problems: z.array(z.object({ file: z.string().default(''), reason: z.string().default('') })),
});

/** `/api/senders` of the streamer. */
export const strangersAnswer = z.object({
  senders: z.array(z.object({ aet: z.string(), admitted: z.boolean(), lastSeen: instant })),
});

/** `/api/storage` of the streamer. */
export const rootsAnswer = z.object({
  roots: z.array(
    z.object({
      name: z.string(),
      root: z.string(),
      code: z.string().optional(),
      message: z.string().optional(),
    }),
  ),
});

/** `/api/board/scanners` of the worklist service. */
export const scannersAnswer = z.object({
  scanners: z.array(
    z.object({ scanner: z.string(), lastQuery: z.object({ at: instant, items: count }).optional() }),
  ),
});

/** `/api/senders` of the receiver. */
export const sendersAnswer = z.object({
  lastImages: z.array(z.object({ scanner: z.string(), at: instant })).default([]),
});

/** Whom a service refused, the latest first. They chose their AE titles. */
const refusedCallers = z
  .array(
    z.object({
      callingAet: z.string(),
      calledAet: z.string(),
      address: z.string(),
      count,
      last: instant,
      why: z.string().default(''),
    }),
  )
  .default([]);
export type RefusedCallers = z.infer<typeof refusedCallers>;

/** `/api/senders` of the receiver, and `/api/rejected` of the worklist service. */
export const refusedAnswer = z.object({ refused: refusedCallers });
export const rejectedAnswer = z.object({ rejected: refusedCallers });

/** `/api/board/walk-in` of cal2wl, `…/ACCESSION/withdraw`, and what it says where it refuses. */
export const addedAnswer = z.object({ accessionNumber: z.string(), isNew: z.boolean() });
export const withdrawnAnswer = z.object({ withdrawn: z.boolean() });
export const refusalAnswer = z.object({ code: z.string(), error: z.string() });
