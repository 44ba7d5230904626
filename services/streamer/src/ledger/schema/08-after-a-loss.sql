-- 1: the series was in Orthanc when the ledger was made anew: where it was sent before is not known
ALTER TABLE series ADD COLUMN doubtful INTEGER;
