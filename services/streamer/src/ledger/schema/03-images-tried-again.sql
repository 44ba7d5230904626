-- an outcome more, again: a person wants the instance tried again
ALTER TABLE progress RENAME TO progress_before;
CREATE TABLE progress (
  series    TEXT NOT NULL,
  target    TEXT NOT NULL,
  instance  TEXT NOT NULL,
  outcome   TEXT NOT NULL CHECK (outcome IN ('done', 'failed', 'again')),
  detail    TEXT NOT NULL,
  PRIMARY KEY (series, target, instance)
) STRICT, WITHOUT ROWID;
INSERT INTO progress SELECT series, target, instance, outcome, detail FROM progress_before;
DROP TABLE progress_before;
