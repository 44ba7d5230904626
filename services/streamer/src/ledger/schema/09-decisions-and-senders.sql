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
