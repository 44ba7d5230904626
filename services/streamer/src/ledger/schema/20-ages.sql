-- since when a leg is pending, whatever was tried meanwhile; null: it is not, or since before this column
ALTER TABLE leg ADD COLUMN since INTEGER;
UPDATE leg SET since = updated WHERE state = 'pending';
-- which of the files that are verified by themselves were not looked at for the longest time
CREATE INDEX verification_age ON verification ((coalesce(looked, stored))) WHERE due IS NOT NULL;
