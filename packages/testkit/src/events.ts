/** An event that is a booking and rules that take it, for the tests of interpretation. */
import { interpret, type BookableEvent, type BookingRules, type Outcome } from '@scanflow/booking';

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
