-- journal.db, schema version 1. One process writes it (the one that holds the data folder's lock), through one
-- connection; WAL, synchronous=FULL: what was answered as committed is on the disk.
--
-- A row's way:  open_push --end--> ended --filed--> records-YYYYMMDD.db
-- Each arrow is one transaction here. The last one spans two files, so it copies first, by INSERT OR IGNORE on a key
-- that follows from the row, and deletes second: a crash in between leaves a row twice, and the next copy changes
-- nothing.
--
-- Times are milliseconds since the Unix epoch, UTC. Counters are unsigned 63-bit. Addresses are 4 or 16 bytes, network
-- order, an IPv4 address inside IPv6 always as 4. Push ids are the 16 bytes of a UUIDv7.

-- One row for each start of the program, so that the open pushes of a run that died can be told from those of this one.
create table run (
  id           integer primary key autoincrement,
  node_id      blob    not null,           -- UUID of the node
  node_label   text    not null,           -- its name at that start, as its records show it
  version      text    not null,           -- of the program
  started_at   integer not null,
  heartbeat_at integer not null,           -- written each second: when the run was last known to be alive
  stopping_at  integer,                    -- an orderly stop began: what is still open then is 9/0 instead of 11/0
  stopped_at   integer                     -- the stop was completed: nothing is open
) strict;

-- Pushes that are live, or that are being let in. The row is durable before the client hears Publish.Start, and goes
-- in the transaction that writes the end. At the next start, rows of earlier runs become 11/0 or 9/0.
create table open_push (
  id           blob    primary key,
  run          integer not null,           -- run.id
  account      integer not null,
  domain       text    not null,
  app          text    not null,
  stream       text    not null,
  protocol     text    not null,
  client_ip    blob    not null,
  client_port  integer not null,
  connected_at integer not null,
  published_at integer not null,
  encoder      text,
  stream_param text,                       -- secrets masked
  bytes_in     integer not null default 0, -- these four are brought up to date every five seconds
  bytes_out    integer not null default 0,
  video_frames integer not null default 0,
  audio_frames integer not null default 0
) without rowid;
create index open_push_by_run on open_push (run);

-- Ends that are not in a record file yet. The columns are those of an interruption record; see records.sql, which also
-- explains `tie`.
create table ended (
  seq             integer primary key,     -- the order in which ends were committed, which is the order of filing
  id              blob    not null unique, -- makes writing a batch again harmless
  ended_at        integer not null,
  tie             integer not null,
  folding         integer not null,        -- 1 while equal ends may still be added to attempts: not to be filed yet
  sequence        integer not null,
  source          text    not null,
  account         integer,
  domain          text,
  app             text,
  stream          text,
  protocol        text    not null,
  client_ip       blob    not null,
  client_port     integer not null,
  node            text    not null,
  connected_at    integer not null,
  published_at    integer,
  duration_ms     integer not null,
  errcode         integer not null,
  sub_errcode     integer not null,
  side            text    not null,
  detail          text,                    -- JSON {key, params}
  attempts        integer not null,
  last_attempt_at integer,
  bytes_in        integer not null,
  bytes_out       integer not null,
  video           text,                    -- JSON
  audio           text,                    -- JSON
  encoder         text,
  stream_param    text,
  verdict_version integer not null,
  evidence_offset integer,                 -- where in the evidence file of the day of ended_at; null without evidence
  evidence_length integer
) strict;
create index ended_by_time on ended (ended_at, tie);

-- The catalog: everything admission needs. Few rows, always read as a whole, so each is one JSON document in the form
-- of the crate `model`; the keys are columns so that a row can be replaced.
create table account   (id   integer primary key, body text not null) strict;
create table domain    (name text    primary key, body text not null) strict, without rowid;
create table api_key   (id   text    primary key, body text not null) strict, without rowid;
create table forbidden (domain text not null, app text not null, stream text not null, body text not null,
                        primary key (domain, app, stream)) strict, without rowid;

-- People who may sign in to the console.
create table user (
  name          text primary key,
  password_hash text not null,             -- PHC string
  role          text not null              -- viewer | operator | admin
) strict, without rowid;

-- Everything else that has to outlive a restart, by name. `catalog_version` rises with each change of the catalog.
create table setting (key text primary key, value text not null) strict, without rowid;
insert into setting (key, value) values ('catalog_version', '0');
