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
