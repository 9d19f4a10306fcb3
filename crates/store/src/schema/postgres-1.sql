-- PostgreSQL, schema version 1: the interruption records of all nodes, with their evidence and the events of their
-- pushes. Each node ships from its own journal, which stays the truth: whatever is lost here can be shipped again.
--
-- Everything stands in the schema `lastframe`, on the search path of every connection. Times are milliseconds since the
-- Unix epoch, UTC, as in journal.sql. Unsigned 64-bit numbers stand in signed columns, bit by bit.

-- Tells this database from another one at the same address: a node that finds a new identity ships everything again.
create table identity (
  one boolean primary key default true check (one),
  id  uuid not null default gen_random_uuid()
);
insert into identity default values;

-- The nodes that have shipped anything.
create table node (
  id        uuid   primary key,            -- of the data folder
  label     text   not null,               -- the node's name when it was last here
  seen_at   bigint not null,
  events_to bigint not null default 0      -- its events are here up to this number of its own; moves with the events
);

-- Names, each once: a record holds their numbers, and a search for a part of a name looks at names, not at records.
-- `used_on` is the last day (since 1970) on which a record with the name was shipped: what has not been used for longer
-- than records are kept, and stands in no record, is let go.
create table domain (
  id      bigint  generated always as identity primary key,
  text    text    not null unique,
  used_on integer not null
);
create table app (like domain including all);
create table stream (like domain including all);
-- The name in lower case as the nodes see it, so that the letter case of all scripts is ignored whatever the locale.
alter table stream add column folded text not null;
create extension if not exists pg_trgm;
create index stream_by_part on stream using gin (folded gin_trgm_ops);

-- The records. The key is the push's id, a UUIDv7: its time never changes, so a record that is shipped twice, or
-- corrected, meets itself in the same partition. A partition holds the pushes of one day (UTC) by their beginning, and
-- goes as a whole once every record in it is older than what is kept. What carries no time between 2015 and 2099 goes into
-- `record_before` and `record_after`. There is no default partition: a row that came too late for its day would hide in it.
create table record (
  id              uuid     not null,
  rank            smallint not null,       -- who says so: 2 the node's own journal, 1 another node that found it dead. The
                                           -- higher one stays, whichever comes first
  ended_at        bigint   not null,
  tie             bigint   not null,       -- order within a millisecond, from the id; see records.sql
  sequence        bigint   not null,
  source          text     not null,       -- lastframe, or the name of an import
  account         bigint,
  domain_id       bigint,                  -- null where the push never got as far as naming it
  app_id          bigint,
  stream_id       bigint,
  protocol        text     not null,
  client_ip       inet     not null,       -- IPv4 always as such
  client_port     integer  not null,
  node            text     not null,       -- label of the node that took the push
  connected_at    bigint   not null,
  published_at    bigint,                  -- null if the push never went live
  duration_ms     bigint   not null,
  errcode         integer  not null,
  sub_errcode     integer  not null,
  side            text     not null,       -- client | network | server | policy | operator
  detail          json,                    -- {key, params}
  attempts        bigint   not null,       -- identical ends folded into this record; only ever rises
  last_attempt_at bigint,
  bytes_in        bigint   not null,
  bytes_out       bigint   not null,
  video           json,
  audio           json,
  encoder         text,
  stream_param    text,                    -- secrets masked
  verdict_version integer  not null,
  primary key (id)
) partition by range (id);
create table record_before partition of record for values from (minvalue) to ('014aa2ca-b000-0000-0000-000000000000');
create table record_after partition of record for values from ('03bb2cc3-d800-0000-0000-000000000000') to (maxvalue);
-- Each ends in the order of lists, newest end first when read backwards, so that a page is read without sorting.
create index record_by_time    on record (ended_at, tie);
create index record_by_stream  on record (stream_id, ended_at, tie);
create index record_by_domain  on record (domain_id, ended_at, tie);
create index record_by_account on record (account, ended_at, tie);
create index record_by_ip      on record (client_ip, ended_at, tie);
create index record_by_code    on record (errcode, sub_errcode, ended_at, tie);

-- What the verdicts rest on, in the stored form of the crate `cause`. Partitions as those of `record`; they go earlier.
create table evidence (
  id   uuid  primary key,                  -- record.id
  body bytea not null
) partition by range (id);
alter table evidence alter column body set storage external;
create table evidence_before partition of evidence for values from (minvalue) to ('014aa2ca-b000-0000-0000-000000000000');
create table evidence_after partition of evidence for values from ('03bb2cc3-d800-0000-0000-000000000000') to (maxvalue);

-- Abnormalities of live pushes: a row for each type within an interval. A partition holds a day by the end of the
-- interval, since a push may live for longer than events are kept.
create table event (
  number      bigint   generated always as identity, -- later ones are higher; the nodes' own numbers are other ones
  at          bigint   not null,           -- end of the interval
  interval_ms bigint   not null,
  push        uuid     not null,
  sequence    bigint   not null,
  account     bigint   not null,
  domain      text     not null,
  app         text     not null,
  stream      text     not null,
  client_ip   inet     not null,
  type        smallint not null,           -- 1-16 as in the callback, from 100 our own
  count       bigint   not null,
  occurrences json     not null,           -- [{at, what}]
  primary key (at, push, type)
) partition by range (at);
create table event_before partition of event for values from (minvalue) to (1420070400000);
create table event_after partition of event for values from (4102444800000) to (maxvalue);
create index event_by_number  on event (number);
create index event_by_push    on event (push);
create index event_by_stream  on event (stream, at);
create index event_by_account on event (account, at);

-- For people with psql.
create view records as
  select r.id, r.sequence, d.text as domain, a.text as app, s.text as stream,
         to_timestamp(r.ended_at / 1000.0) as ended, r.errcode || '/' || r.sub_errcode as code, r.side, r.detail,
         r.duration_ms, r.attempts, r.encoder, r.protocol, r.client_ip, r.node
    from record r
    left join domain d on d.id = r.domain_id
    left join app    a on a.id = r.app_id
    left join stream s on s.id = r.stream_id
   order by r.ended_at desc, r.tie desc;
