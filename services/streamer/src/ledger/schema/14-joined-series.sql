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
