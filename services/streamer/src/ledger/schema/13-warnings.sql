-- JSON: what a person should look at; series are looked for by their labels
ALTER TABLE series ADD COLUMN warnings TEXT;
CREATE INDEX series_warned ON series (updated) WHERE warnings IS NOT NULL OR doubts IS NOT NULL;
CREATE INDEX series_labels ON series (labels);
