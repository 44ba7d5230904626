/** An event that is a booking, rules that take it, and the record of a booking: complete; tests change what they need. */
import {
  identify,
  interpret,
  type BookableEvent,
  type BookingRecord,
  type BookingRules,
  type Outcome,
} from '@scanflow/booking';

export const patterns = [/^(?<project>\d{7}\.\d{2})[ _](?<subject>sub-?\w+)[ _](?<session>ses-?\w+)/u];
export const at = (time: string): Temporal.Instant => Temporal.Instant.from(`2026-11-23T${time}Z`);

export const event = (more: Partial<BookableEvent> = {}): BookableEvent => ({
  uid: 'a',
  start: at('09:00'),
  end: at('10:00'),
  allDay: false,
  summary: '3010000.01 sub-001 ses-mri01',
  description: '',
  attendees: [],
  status: 'CONFIRMED',
  transparency: 'OPAQUE',
  class: 'PUBLIC',
  ...more,
});

export const rules: BookingRules = {
  calendar: 'prisma',
  zone: 'Europe/Amsterdam',
  scanner: { name: 'prisma' },
  patterns,
  keys: { project: ['Project'], subject: ['Subject'], session: ['Session'] },
  defaults: {},
  normalise: {},
  tentative: 'skip',
  private: 'take',
  busy: 'reject',
  defaultLength: 3_600_000,
  modalities: { prisma: 'MR', skyra: 'MR' },
  patientId: '{project}_{subject}',
  patientName: '{project}_{subject}',
};

export const judge = (more: Partial<BookableEvent> = {}, own: Partial<BookingRules> = {}): Outcome =>
  interpret(event(more), { ...rules, ...own });

/** `Project: … ` and so on as a description. */
export const lines = (project: string, subject: string, session: string): Partial<BookableEvent> => ({
  summary: 'x',
  description: `Project: ${project}\nSubject: ${subject}\nSession: ${session}`,
});

/** Its identity follows from source and labels, as that of a published booking does. */
export function bookingRecord(more: Partial<BookingRecord> = {}): BookingRecord {
  const {
    source = { calendar: 'prisma', uid: 'a' },
    labels = { project: 'p', subject: 's1', session: '1' },
  } = more;
  return {
    version: 1,
    ...identify(source, labels),
    status: 'scheduled',
    scanner: 'prisma',
    modality: 'MR',
    start: '2026-11-24T09:00:00Z',
    end: '2026-11-24T10:00:00Z',
    labels,
    title: '',
    patientId: '',
    patientName: '',
    source,
    ...more,
  };
}
