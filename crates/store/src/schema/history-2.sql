-- history.db, schema version 2: streams of other nodes that this one fetched for its viewers. Kept and bounded as events
-- are.

-- How each fetch ended. These are no interruption records: those are of pushes, and each push has one.
create table fetch (
  number      integer primary key autoincrement, -- in the order in which they ended; none is given twice
  id          blob    not null unique,     -- UUIDv7 of its begin
  account     integer,
  domain      text    not null,
  app         text    not null,
  stream      text    not null,
  node        text    not null,            -- label of the node that fetched
  owner       text,                        -- label of the node that it came from last
  address     text,                        -- where that was reached
  revision    integer not null,            -- of the lease that was followed last
  since       integer not null,
  ended_at    integer not null,
  live_ms     integer not null,            -- time on connections that were live
  bytes_in    integer not null,
  restarts    integer not null,            -- connections beyond the first
  viewers     integer not null,            -- the most at once
  why         text    not null,            -- idle | over | no_owner | here | stopping | died
  errcode     integer,                     -- null where the node ended it itself
  sub_errcode integer,
  detail      text,                        -- JSON {key, params}
  events      text    not null             -- JSON [{at, event, code, text}]
) strict;
create index fetch_by_time    on fetch (ended_at, id);
create index fetch_by_stream  on fetch (stream, ended_at, id);
create index fetch_by_account on fetch (account, ended_at, id);

-- What would stand of a fetch that runs if the node died now; it goes when the fetch ends. What the next start finds here
-- it puts into `fetch`, with the last heartbeat of the run as its end.
create table fetch_running (
  id     blob primary key,
  record text not null                     -- JSON
) strict, without rowid;
