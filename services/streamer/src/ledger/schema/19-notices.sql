-- one matter to one recipient: what it was told last. channel: mail, or the name of a webhook or chat; empty: all who are to
-- hear of this event have. told: JSON; since: of the matter; gone: since when it is no more; claims of messages as those of deliveries
CREATE TABLE notice (
  matter   TEXT NOT NULL,
  channel  TEXT NOT NULL,
  address  TEXT NOT NULL,
  topic    TEXT NOT NULL,
  role     TEXT NOT NULL,
  heading  TEXT NOT NULL,
  told     TEXT NOT NULL,
  since    INTEGER NOT NULL,
  gone     INTEGER,
  told_at  INTEGER,
  updated  INTEGER NOT NULL,
  PRIMARY KEY (matter, channel, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_by_topic ON notice (topic, updated);

-- body: JSON, empty once it is over. unsure: an attempt may have got there
CREATE TABLE notice_message (
  id        TEXT PRIMARY KEY,
  matter    TEXT NOT NULL,
  channel   TEXT NOT NULL,
  address   TEXT NOT NULL,
  topic     TEXT NOT NULL,
  role      TEXT NOT NULL,
  kind      TEXT NOT NULL CHECK (kind IN ('new', 'changed', 'resolved', 'said')),
  body      TEXT NOT NULL,
  created   INTEGER NOT NULL,
  state     TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
  attempts  INTEGER NOT NULL DEFAULT 0,
  next_try  INTEGER,
  claim     TEXT,
  unsure    INTEGER NOT NULL DEFAULT 0,
  failure_code     TEXT,
  failure_message  TEXT,
  updated   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_message_next ON notice_message (channel, next_try) WHERE state = 'pending';
CREATE INDEX notice_message_recipient ON notice_message (channel, address, created);
CREATE INDEX notice_message_updated ON notice_message (updated);

-- topics of events since they are wanted, so that what was before is not told; and services that have answered
CREATE TABLE notice_topic (
  name   TEXT PRIMARY KEY,
  since  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
