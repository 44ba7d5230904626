-- people search series. sender: the AE title that sent its first image; null: before this column was, or uploaded by HTTP
ALTER TABLE series ADD COLUMN sender TEXT;
CREATE INDEX series_sender ON series (sender, first_seen) WHERE sender IS NOT NULL;
CREATE INDEX series_first_seen ON series (first_seen, id);
-- PostgreSQL takes no long texts into an index
CREATE INDEX series_path ON series ((substr(path, 1, 500)));
CREATE INDEX series_reason ON series (reason_code) WHERE reason_code IS NOT NULL;
CREATE INDEX series_modality ON series ((attributes ->> 'Modality'), first_seen);
CREATE INDEX series_project ON series ((labels ->> 'project'), first_seen);
CREATE INDEX series_subject ON series ((labels ->> 'subject'));
CREATE INDEX series_label_session ON series ((labels ->> 'session'));
CREATE INDEX leg_failure ON leg (failure_code) WHERE failure_code IS NOT NULL;
CREATE INDEX session_folder ON session ((substr(folder, 1, 500)));
