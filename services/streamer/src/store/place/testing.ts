/** Rules of routing for tests: the patterns of the sample, anybody sends, and doubts are shown. */
import type { RouteRules } from './route.ts';

export const PATTERNS = {
  PatientID: /^(?<project>\d{7}\.\d{2})_(?<subject>sub-?\w+)$/u,
  StudyID: /^(?<session>ses-?\w[\w.+-]*)$/u,
};

export const routeRules = (over: Partial<RouteRules> = {}): RouteRules => ({
  patterns: PATTERNS,
  patientId: '{project}_{subject}',
  patientName: '{project}_{subject}',
  timeZone: 'Europe/Amsterdam',
  senders: new Map([['PRISMA', 'prisma']]),
  admits: () => true,
  quarantined: new Set(),
  ...over,
});
