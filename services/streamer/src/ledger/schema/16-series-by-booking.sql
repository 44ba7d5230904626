-- the day board looks for the images of a day's bookings and exams, whenever they come
ALTER TABLE series ADD COLUMN accession TEXT;
ALTER TABLE series ADD COLUMN study TEXT;
-- a NUL is no text for every database
UPDATE series SET accession = nullif(trim(json_extract(attributes, '$.AccessionNumber')), ''),
  study = nullif(trim(json_extract(attributes, '$.StudyInstanceUID')), '')
  WHERE attributes NOT LIKE '%\u0000%';
CREATE INDEX series_accession ON series (accession);
CREATE INDEX series_study ON series (study);
CREATE INDEX session_first_seen ON session (first_seen);
