/** The record of an exam, complete; tests change what they need. */
import type { ExamRecord } from '@scanflow/booking';

export const examRecord = (over: Partial<ExamRecord> = {}): ExamRecord => ({
  version: 1,
  sopInstanceUid: '1.1',
  state: 'COMPLETED',
  created: '2026-11-22T10:00:00Z',
  updated: '2026-11-22T11:00:00Z',
  modality: 'MR',
  stationAet: 'PRISMA',
  callingAet: 'PRISMA',
  wrongItem: false,
  links: [],
  items: [],
  series: [],
  attributes: {},
  ...over,
});
