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
