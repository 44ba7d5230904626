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
