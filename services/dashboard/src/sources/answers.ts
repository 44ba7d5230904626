/**
 * What the other services answer, as far as the board reads it; the streamer's answers stand beside. Further keys are ignored, so that
 * a newer service may say more.
 */
import { z } from 'zod';

export const instant = z.string().transform((text, context) => {
  try {
    return Temporal.Instant.from(text).epochMilliseconds;
  } catch {
    context.addIssue('expected an instant like 2026-11-28T08:00:00Z');
    return z.NEVER;
  }
});
export const reason = z.object({ code: z.string(), message: z.string() });
export const labels = z.object({ project: z.string(), subject: z.string(), session: z.string() });
export const count = z.number().int().nonnegative();

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

/** `/api/worklist` of the worklist service: files that are no item. */
export const problemsAnswer = z.object({
  items: z.array(z.unknown()),
  problems: z.array(z.object({ file: z.string().default(''), reason: z.string().default('') })),
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
