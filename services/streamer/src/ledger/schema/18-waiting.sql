-- since when attempts on a leg have failed; null while none has, or where the last failure is older than this column
ALTER TABLE leg ADD COLUMN waiting_since INTEGER;
