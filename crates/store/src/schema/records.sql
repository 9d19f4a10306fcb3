-- records-YYYYMMDD.db, schema version 1: the interruption records of pushes that ended on one day (UTC). Filled from
-- the journal by one thread, read by many, deleted as a whole when the day is older than `keep`.
--
-- Times, counters, addresses and ids as in journal.sql.

-- The names that occur on this day, each once. Records hold the numbers.
create table domain (id integer primary key, text text not null unique) strict;
create table app    (id integer primary key, text text not null unique) strict;
create table stream (id integer primary key, text text not null unique) strict;

-- Finds stream names by any part of three or more characters, whatever their letter case. It holds no text of its own
-- (external content), and one entry per name, not per record.
create virtual table stream_trigram using fts5 (text, content = 'stream', content_rowid = 'id', tokenize = 'trigram');

-- What records are found by, narrow so that many fit a page. The key is the position in time:
--
--   row = (ended_at - midnight) << 36 | tie
--
-- where `tie` is 36 bits of the push id, so that the key follows from the record alone (filing it twice changes
-- nothing), newest-first is the key's order read backwards, and a page continues from the key of the last record of
-- the page before. If two records should ever meet on one key, the second one takes the next free key.
create table record (
  row         integer primary key,
  sequence    integer not null,            -- 63 bits of the push id; finds a record by id or by sequence
  domain_id   integer,                     -- null where the push never got as far as naming it
  app_id      integer,
  stream_id   integer,
  errcode     integer not null,
  sub_errcode integer not null,
  side        text    not null,            -- client | network | server | policy | operator
  account     integer,
  client_ip   blob    not null
) strict;
-- Each index ends in the row key, so each gives its records newest first without sorting.
create index record_by_sequence on record (sequence);
create index record_by_domain   on record (domain_id);
create index record_by_app      on record (app_id);
create index record_by_stream   on record (stream_id);
create index record_by_code     on record (errcode, sub_errcode);
create index record_by_side     on record (side);
create index record_by_account  on record (account);
create index record_by_ip       on record (client_ip);

-- What records tell beyond that; same key.
create table fact (
  row             integer primary key,
  id              blob    not null,        -- the push's id
  source          text    not null,        -- lastframe, or the name of an import
  protocol        text    not null,        -- rtmp | rtmps | srt | whip
  client_port     integer not null,
  node            text    not null,        -- label of the node that took the push
  connected_at    integer not null,
  published_at    integer,                 -- null if the push never went live
  ended_at        integer not null,
  duration_ms     integer not null,        -- from going live to the end
  detail          text,                    -- JSON {key, params}: the finer finding under the cause
  attempts        integer not null,        -- identical ends folded into this record
  last_attempt_at integer,
  bytes_in        integer not null,
  bytes_out       integer not null,
  video           text,                    -- JSON
  audio           text,                    -- JSON
  encoder         text,
  stream_param    text,                    -- secrets masked
  verdict_version integer not null,        -- of the rules that gave the verdict
  evidence_offset integer,                 -- of the entry in evidence-YYYYMMDD.log; null without evidence
  evidence_length integer
) strict;

-- For people with the sqlite3 shell.
create view records as
  select f.id, r.sequence, domain.text as domain, app.text as app, stream.text as stream,
         strftime('%Y-%m-%dT%H:%M:%fZ', f.ended_at / 1000.0, 'unixepoch') as ended,
         r.errcode || '/' || r.sub_errcode as code, r.side, f.detail, f.duration_ms, f.attempts, f.encoder, f.protocol
    from record r join fact f using (row)
    left join domain on domain.id = r.domain_id
    left join app on app.id = r.app_id
    left join stream on stream.id = r.stream_id
   order by r.row desc;
