-- history.db, schema version 1: what was told to others, and what happened to pushes while they were live. Kept for some
-- days, bounded by rows; written by a thread of its own and not synced at each commit, since nothing depends on it.
--
-- Times and ids as in journal.sql.

-- Each try to deliver an event of the outbox.
create table delivery (
  id         integer primary key,
  delivery   text    not null,             -- outbox.id
  attempt    integer not null,             -- from 1
  outcome    text    not null,             -- delivered | retry | given_up | test
  template   integer not null,
  push       blob    not null,
  event_type integer not null,             -- 1 | 0 | 321
  account    integer,
  domain     text    not null,
  app        text    not null,
  stream     text    not null,
  event_at   integer not null,             -- when the event was made
  sent_at    integer not null,
  took_ms    integer not null,
  status     integer,                      -- of HTTP; null without an answer
  reason     text,                         -- why it was not delivered
  url        text    not null,             -- secrets masked
  request    text    not null,             -- the body; secrets masked
  response   text    not null              -- the beginning of the answer's body
) strict;
create index delivery_by_time    on delivery (sent_at);
create index delivery_by_stream  on delivery (stream, sent_at);
create index delivery_by_account on delivery (account, sent_at);

-- Abnormalities of live pushes: a row for each type within an interval.
create table event (
  id        integer primary key,
  at        integer not null,              -- end of the interval
  interval_ms integer not null,
  push      blob    not null,
  sequence  integer not null,
  account   integer not null,
  domain    text    not null,
  app       text    not null,
  stream    text    not null,
  client_ip blob    not null,
  type      integer not null,              -- 1-16 as in the callback, from 100 our own
  count     integer not null,
  occurrences text  not null               -- JSON [{at, what}]
) strict;
create index event_by_time    on event (at);
create index event_by_stream  on event (stream, at);
create index event_by_account on event (account, at);
create index event_by_push    on event (push);
