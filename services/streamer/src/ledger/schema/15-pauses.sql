-- while ended is null, nothing is claimed for the destination; what ended stays, for people
CREATE TABLE pause (
  id           TEXT PRIMARY KEY,
  destination  TEXT NOT NULL,
  since        INTEGER NOT NULL,
  by_whom      TEXT NOT NULL,
  origin       TEXT NOT NULL,
  reason       TEXT NOT NULL,
  ended        INTEGER,
  ended_by     TEXT,
  ended_origin TEXT,
  ended_reason TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX pause_open ON pause (destination) WHERE ended IS NULL;
CREATE INDEX pause_since ON pause (since);
