-- work that is not of one series, like reading Orthanc's changes: who does it, and until when nobody else may
-- cal2wl may have made it first
CREATE TABLE IF NOT EXISTS lease (
  name   TEXT PRIMARY KEY,
  owner  TEXT NOT NULL,
  until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
