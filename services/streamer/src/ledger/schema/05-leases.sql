-- work that is not of one series, like reading Orthanc's changes: who does it, and until when nobody else may
CREATE TABLE lease (
  name   TEXT PRIMARY KEY,
  owner  TEXT NOT NULL,
  until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
