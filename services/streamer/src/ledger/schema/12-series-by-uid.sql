CREATE INDEX series_uid ON series (uid);
