-- whoever works on the leg; while it is set, next_try is when the lease ends
ALTER TABLE leg ADD COLUMN claim TEXT;
