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
