/** What `npm run test:faults` runs: every test that docs/faults.md names, and the rest of the streamer's. */
export const FILES = [
  'tests/faults/*.test.ts',
  'tests/integration/receiver*.test.ts',
  'tests/integration/streamer-*.test.ts',
  'tests/integration/dimse-store*.test.ts',
  'tests/integration/dimse-tls.test.ts',
  'tests/integration/dimse-move.test.ts',
  'tests/integration/transfer*.test.ts',
  'tests/integration/chassis-run.test.ts',
  'tests/integration/backup.test.ts',
  'tests/integration/splice.test.ts',
  'tests/integration/images-fuzz.test.ts',
  'tests/integration/worklist-attacks.test.ts',
  'tests/integration/worklist-performed-owners.test.ts',
  'packages/dimse/src/scp/budget.test.ts',
  'packages/dicom/src/splice*.test.ts',
  'services/streamer/src/**/*.test.ts',
];
