-- PostgreSQL, schema version 3: streams that nodes fetched from each other for their viewers.

-- A node's fetches are here up to this number of its own; moves with them.
alter table node add column fetches_to bigint not null default 0;

-- How each fetch ended (FETCH is a word of SQL here); columns as in history-2.sql. Rows go when they are older than events are kept. Not partitioned: a
-- stream is fetched once by a node for all who watch it there, so these are few.
create table fetched (
  id          uuid    primary key,
  account     bigint,
  domain      text    not null,
  app         text    not null,
  stream      text    not null,
  node        text    not null,
  owner       text,
  address     text,
  revision    bigint  not null,
  since       bigint  not null,
  ended_at    bigint  not null,
  live_ms     bigint  not null,
  bytes_in    bigint  not null,
  restarts    bigint  not null,
  viewers     bigint  not null,
  why         text    not null,
  errcode     integer,
  sub_errcode integer,
  detail      json,
  events      json    not null
);
create index fetched_by_time    on fetched (ended_at, id);
create index fetched_by_stream  on fetched (stream, ended_at, id);
create index fetched_by_account on fetched (account, ended_at, id);
