/** The ledger's tables. Migrations are only ever added; the database keeps the number of those that were applied. */
import { FailureError } from '@scanflow/failure';

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
  // Sessions, and deliveries to hooks.
  `
  -- how many of its images are other bytes under a UID that was there; what the scanner said that it has; its Series
  -- Instance UID; its session;
  -- when it was deleted from Orthanc, negative while it is
  ALTER TABLE series ADD COLUMN differing INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE series ADD COLUMN expected INTEGER;
  ALTER TABLE series ADD COLUMN uid TEXT;
  ALTER TABLE series ADD COLUMN session TEXT;
  ALTER TABLE series ADD COLUMN cleaned INTEGER;
  CREATE INDEX series_session ON series (session);
  CREATE INDEX series_clean ON series (updated) WHERE state = 'complete' AND (cleaned IS NULL OR cleaned < 0);

  -- due: when somebody looks whether it is complete; null once it was told
  CREATE TABLE session (
    id         TEXT PRIMARY KEY,
    due        INTEGER,
    first_seen INTEGER NOT NULL,
    updated    INTEGER NOT NULL,
    increment  INTEGER NOT NULL DEFAULT 0,
    digest     TEXT,
    folder     TEXT,
    failure_code     TEXT,
    failure_message  TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX session_due ON session (due) WHERE due IS NOT NULL;
  CREATE INDEX session_updated ON session (updated);

  -- one event for one hook; of one subject (a series or a session) they are told in the order of ord
  CREATE TABLE delivery (
    id        TEXT PRIMARY KEY,
    event     TEXT NOT NULL,
    hook      TEXT NOT NULL,
    kind      TEXT NOT NULL CHECK (kind IN ('stored', 'forwarded', 'complete', 'failed')),
    subject   TEXT NOT NULL,
    ord       INTEGER NOT NULL,
    target    TEXT,
    increment INTEGER NOT NULL,
    cause_code     TEXT,
    cause_message  TEXT,
    created   INTEGER NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
    attempts  INTEGER NOT NULL DEFAULT 0,
    next_try  INTEGER,
    claim     TEXT,
    failure_code     TEXT,
    failure_message  TEXT,
    output    TEXT NOT NULL DEFAULT '',
    updated   INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX delivery_subject ON delivery (subject, hook, ord);
  CREATE INDEX delivery_next ON delivery (hook, next_try) WHERE state = 'pending';
  CREATE INDEX delivery_open ON delivery (subject) WHERE state <> 'done';
  CREATE INDEX delivery_updated ON delivery (updated);
  CREATE INDEX delivery_state ON delivery (state, updated);
  `,
  `
  -- work that is not of one series, like reading Orthanc's changes: who does it, and until when nobody else may
  CREATE TABLE lease (
    name   TEXT PRIMARY KEY,
    owner  TEXT NOT NULL,
    until  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // Storage commitment.
  `
  -- counts what happens to a leg while somebody may hold it
  ALTER TABLE leg ADD COLUMN news INTEGER NOT NULL DEFAULT 0;

  -- one request for storage commitment, written down before it goes out; target: the leg; items: JSON
  CREATE TABLE commitment (
    uid      TEXT PRIMARY KEY,
    series   TEXT NOT NULL,
    target   TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('asked', 'accepted', 'expired', 'closed', 'answered')),
    round    INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    items    TEXT NOT NULL,
    updated  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX commitment_leg ON commitment (series, target) WHERE state <> 'answered';
  CREATE INDEX commitment_over ON commitment (updated) WHERE state IN ('answered', 'closed');
  `,
  `
  -- a leg that was done is open again, because files may be missing: nothing new came
  ALTER TABLE leg ADD COLUMN recheck INTEGER NOT NULL DEFAULT 0;
  -- folder of the series in the copy of everything, below the copy's root
  ALTER TABLE series ADD COLUMN copy_path TEXT;
  `,
  // After a loss.
  `
  -- 1: the series was in Orthanc when the ledger was made anew: where it was sent before is not known
  ALTER TABLE series ADD COLUMN doubtful INTEGER;
  `,
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
  // Roots: their owners, and the ledger's last heartbeat on each.
  `
  CREATE TABLE installation (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    id   TEXT NOT NULL
  ) STRICT;

  CREATE TABLE root (
    name        TEXT PRIMARY KEY,
    id          TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    -- who may write the next heartbeat, its number, and until when
    beat_owner  TEXT,
    beat        INTEGER NOT NULL DEFAULT 0,
    beat_until  INTEGER NOT NULL DEFAULT 0,
    -- series up to this one were opened again; null: there is nothing to look at
    examined    TEXT
  ) STRICT, WITHOUT ROWID;
  `,
  // Verification.
  `
  -- a series in project storage, or its copy. due: when it is looked at next, or while it is, when the lease ends
  CREATE TABLE verification (
    series   TEXT NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    place    TEXT NOT NULL CHECK (place IN ('storage', 'copy')),
    stored   INTEGER NOT NULL,
    due      INTEGER,
    claim    TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    looked   INTEGER,
    good     INTEGER,
    files    INTEGER NOT NULL DEFAULT 0,
    bytes    INTEGER NOT NULL DEFAULT 0,
    since    INTEGER,
    failure_code     TEXT,
    failure_message  TEXT,
    findings TEXT NOT NULL DEFAULT '[]',
    digest   TEXT,
    trouble_code     TEXT,
    trouble_message  TEXT,
    known_digest  TEXT,
    known_by      TEXT,
    known_at      INTEGER,
    known_reason  TEXT,
    PRIMARY KEY (series, place)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX verification_due ON verification (due) WHERE due IS NOT NULL;
  CREATE INDEX verification_ended ON verification (stored) WHERE due IS NULL;
  CREATE INDEX verification_failing ON verification (failure_code) WHERE failure_code IS NOT NULL;
  CREATE INDEX verification_trouble ON verification (trouble_code) WHERE trouble_code IS NOT NULL;
  -- due at the next start, where the configuration says so
  INSERT INTO verification (series, place, stored)
    SELECT s.id, l.target, l.updated FROM series s JOIN leg l ON l.series = s.id
    WHERE l.state <> 'pending' AND ((l.target = 'storage' AND s.stored > 0 AND s.path IS NOT NULL)
      OR (l.target = 'copy' AND l.done > 0));

  -- what a person asked for, series by series; next_try null: it has ended. outcome: JSON
  CREATE TABLE verify_job (
    id       TEXT PRIMARY KEY,
    created  INTEGER NOT NULL,
    asker    TEXT NOT NULL,
    repair   INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX verify_job_created ON verify_job (created);
  CREATE TABLE verify_item (
    job      TEXT NOT NULL REFERENCES verify_job (id) ON DELETE CASCADE,
    series   TEXT NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    place    TEXT NOT NULL,
    next_try INTEGER,
    claim    TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    state    TEXT,
    restored INTEGER NOT NULL DEFAULT 0,
    outcome  TEXT,
    PRIMARY KEY (job, series, place)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX verify_item_next ON verify_item (next_try) WHERE next_try IS NOT NULL;
  CREATE INDEX verify_item_state ON verify_item (job, state);
  CREATE INDEX verify_item_series ON verify_item (series);
  `,
  // The same images may come again under another patient or study.
  `
  CREATE INDEX series_uid ON series (uid);
  `,
  `
  -- JSON: what a person should look at; series are looked for by their labels
  ALTER TABLE series ADD COLUMN warnings TEXT;
  CREATE INDEX series_warned ON series (updated) WHERE warnings IS NOT NULL OR doubts IS NOT NULL;
  CREATE INDEX series_labels ON series (labels);
  `,
  // Series that came under several UIDs.
  `
  -- a series of Orthanc's, and the one that stands for it in the ledger: itself, or another whose part it is. alike, at: by what
  -- further parts are known; null: there are none. digest: of its own images, when they were stored last
  CREATE TABLE joined (
    series  TEXT PRIMARY KEY,
    lead    TEXT NOT NULL,
    alike   TEXT,
    at      INTEGER,
    study   TEXT NOT NULL,
    uid     TEXT NOT NULL,
    digest  TEXT,
    ord     INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX joined_lead ON joined (lead);
  CREATE INDEX joined_alike ON joined (alike) WHERE alike IS NOT NULL;
  `,
];
