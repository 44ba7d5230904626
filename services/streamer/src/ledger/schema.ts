/** The ledger's tables. Migrations are only ever added; the database keeps the number of those that were applied. */
import { FailureError } from '@scanflow/failure';
import { COMMITMENT } from '../commitment/schema.ts';
import { JOINING } from '../joining/sql.ts';
import { VERIFICATION } from '../verify/schema.ts';
import { VERSIONS } from '../versions/schema.ts';
import { HOOKS_AND_SESSIONS } from '../hooks/schema.ts';
import { ROOTS } from '../roots/schema.ts';
import { RECOVERY } from '../rebuild/schema.ts';

/** A ledger of a version that this Scanflow does not know is left alone. */
export const tooNew = (version: number): FailureError =>
  new FailureError({
    kind: 'permanent',
    code: 'LEDGER_TOO_NEW',
    message: `The ledger was written by a newer Scanflow (version ${version}). Run that one, or restore a backup.`,
  });

export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE cursor (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    seq       INTEGER NOT NULL,
    database  TEXT
  ) STRICT;

  CREATE TABLE series (
    id          TEXT PRIMARY KEY,
    state       TEXT NOT NULL CHECK (state IN ('collecting', 'working', 'complete', 'failed', 'quarantined')),
    due         INTEGER,
    first_seen  INTEGER NOT NULL,
    updated     INTEGER NOT NULL,
    attributes  TEXT NOT NULL DEFAULT '{}',
    labels      TEXT,
    path        TEXT,
    increment   INTEGER NOT NULL DEFAULT 0,
    in_orthanc  INTEGER NOT NULL DEFAULT 0,
    stored      INTEGER NOT NULL DEFAULT 0,
    untagged    INTEGER NOT NULL DEFAULT 0,
    digest      TEXT,
    reason_code     TEXT,
    reason_message  TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX series_due ON series (due) WHERE due IS NOT NULL;
  CREATE INDEX series_state ON series (state, first_seen);
  CREATE INDEX series_updated ON series (updated);

  CREATE TABLE leg (
    series    TEXT NOT NULL REFERENCES series (id),
    target    TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
    attempts  INTEGER NOT NULL DEFAULT 0,
    next_try  INTEGER,
    failure_code     TEXT,
    failure_message  TEXT,
    done      INTEGER NOT NULL DEFAULT 0,
    total     INTEGER NOT NULL DEFAULT 0,
    through   INTEGER NOT NULL DEFAULT 0,
    updated   INTEGER NOT NULL,
    PRIMARY KEY (series, target)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX leg_next ON leg (target, next_try) WHERE state = 'pending';
  CREATE INDEX leg_state ON leg (target, state);

  CREATE TABLE progress (
    series    TEXT NOT NULL,
    target    TEXT NOT NULL,
    instance  TEXT NOT NULL,
    outcome   TEXT NOT NULL CHECK (outcome IN ('done', 'failed')),
    detail    TEXT NOT NULL,
    PRIMARY KEY (series, target, instance)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- whoever works on the leg; while it is set, next_try is when the lease ends
  ALTER TABLE leg ADD COLUMN claim TEXT;
  `,
  `
  -- an outcome more, again: a person wants the instance tried again
  ALTER TABLE progress RENAME TO progress_before;
  CREATE TABLE progress (
    series    TEXT NOT NULL,
    target    TEXT NOT NULL,
    instance  TEXT NOT NULL,
    outcome   TEXT NOT NULL CHECK (outcome IN ('done', 'failed', 'again')),
    detail    TEXT NOT NULL,
    PRIMARY KEY (series, target, instance)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO progress SELECT series, target, instance, outcome, detail FROM progress_before;
  DROP TABLE progress_before;
  `,
  HOOKS_AND_SESSIONS,
  `
  -- work that is not of one series, like reading Orthanc's changes: who does it, and until when nobody else may
  CREATE TABLE lease (
    name   TEXT PRIMARY KEY,
    owner  TEXT NOT NULL,
    until  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  COMMITMENT,
  `
  -- a leg that was done is open again, because files may be missing: nothing new came
  ALTER TABLE leg ADD COLUMN recheck INTEGER NOT NULL DEFAULT 0;
  -- folder of the series in the copy of everything, below the copy's root
  ALTER TABLE series ADD COLUMN copy_path TEXT;
  `,
  RECOVERY,
  `
  -- JSON: what a person decided of it last; weak signs against its booking; a move that is under way; those that are done
  ALTER TABLE series ADD COLUMN decision TEXT;
  ALTER TABLE series ADD COLUMN doubts TEXT;
  ALTER TABLE series ADD COLUMN moving TEXT;
  ALTER TABLE series ADD COLUMN moved TEXT;
  -- who sent images; '' where Orthanc does not tell
  CREATE TABLE sender (
    aet         TEXT NOT NULL,
    called      TEXT NOT NULL,
    address     TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    PRIMARY KEY (aet, called, address)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sender_seen ON sender (last_seen);
  `,
  ROOTS,
  VERIFICATION,
  VERSIONS,
  `
  -- JSON: what a person should look at; series are looked for by their labels
  ALTER TABLE series ADD COLUMN warnings TEXT;
  CREATE INDEX series_warned ON series (updated) WHERE warnings IS NOT NULL OR doubts IS NOT NULL;
  CREATE INDEX series_labels ON series (labels);
  `,
  JOINING,
];
