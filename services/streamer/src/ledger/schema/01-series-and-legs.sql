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
