-- a leg that was done is open again, because files may be missing: nothing new came
ALTER TABLE leg ADD COLUMN recheck INTEGER NOT NULL DEFAULT 0;
-- folder of the series in the copy of everything, below the copy's root
ALTER TABLE series ADD COLUMN copy_path TEXT;
