/** What the streamer answers, as far as the board reads it: series, sessions, destinations, and how it is. */
import { z } from 'zod';
import { count, instant, labels, reason } from './answers.ts';

const tried = {
  state: z.enum(['pending', 'done', 'failed']),
  nextTry: instant.optional(),
  failure: reason.optional(),
};

const pause = z.object({ since: instant, by: z.string(), reason: z.string() });

const leg = z.object({
  ...tried,
  target: z.string(),
  attempts: count,
  done: count,
  total: count,
  path: z.string().optional(),
  waits: z.object({ message: z.string() }).optional(),
  paused: pause.optional(),
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
        at: instant,
        by: z.string(),
        reason: z.string(),
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
