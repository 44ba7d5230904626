/** What `npm run test:faults` runs: every test that docs/faults.md names but those in containers, and the rest of the streamer's. */
export const FILES = [
  'tests/faults/*.test.ts',
  'tests/integration/bids-*.test.ts',
  'services/bids/src/work/{kills,kills-each,full-disk}.test.ts',
  'tests/integration/receiver*.test.ts',
  'tests/integration/streamer-*.test.ts',
  'tests/integration/dimse-store*.test.ts',
  'tests/integration/dimse-tls.test.ts',
  'tests/integration/dimse-move.test.ts',
  'tests/integration/transfer*.test.ts',
  'tests/integration/runtime-run.test.ts',
  'tests/integration/backup*.test.ts',
  'tests/integration/erase-everywhere.test.ts',
  'tests/integration/worklist-erased-exams.test.ts',
  'tests/integration/ledger-failover.test.ts',
  'tests/integration/{cal2wl,dashboard}-two.test.ts',
  'tests/integration/orthanc-{two,failover,forgotten}.test.ts',
  'tests/integration/notify.test.ts',
  'tests/integration/splice.test.ts',
  'tests/integration/images-fuzz.test.ts',
  'tests/integration/worklist-attacks.test.ts',
  'tests/integration/worklist-performed-owners.test.ts',
  'tests/integration/worklist-proxy.test.ts',
  'tests/integration/worklist-two.test.ts',
  'packages/dimse/src/scp/fairness.test.ts',
  'packages/orthanc/src/**/*.test.ts',
  'packages/dicom/src/splice*.test.ts',
  'services/streamer/src/**/*.test.ts',
];

/** Those of `npm run test:docker` and `npm run test:docker:long`. */
export const IN_CONTAINERS = 'tests/docker/**/*.test.ts';
