-- journal.db, schema version 2: callbacks, the audit log, and pushes that run elsewhere.

-- Callback templates and rules; documents in the form of the crate `model`, like the rest of the catalog. Whether a
-- template has a URL for a kind of event is a column too, since the writer asks for it at each open and close.
create table callback_template (
  id        integer primary key,
  begins    integer not null,              -- 1: events 1 (push started) are sent
  ends      integer not null,              -- 1: events 0 (push interrupted)
  exceptions integer not null,             -- 1: events 321 (push error)
  body      text    not null
) strict;
create table callback_rule (
  domain    text    not null,
  app       text    not null,              -- '*': every app of the domain that has no rule of its own
  template  integer not null,              -- callback_template.id
  body      text    not null,
  primary key (domain, app)
) strict, without rowid;

-- What a callback needs to know of an open push beyond its record.
alter table open_push add column callback_param text;                 -- the query as received, with its secrets; only
                                                                      -- where a rule applies, and only while it is open
alter table open_push add column announced integer not null default 0; -- 1: event 1 was put into the outbox, so that
                                                                      -- event 0 has to follow

-- Events that are to be delivered. A row comes in the transaction that opens or closes the push, and goes in the one
-- that keeps the outcome of its delivery. Each is delivered at least once, those of one push in the order of `seq`.
create table outbox (
  seq        integer primary key,
  id         text    not null unique,      -- the delivery's id: follows from the push and the event, so that writing a
                                           -- batch again is harmless, and a receiver can tell a repetition
  template   integer not null,             -- callback_template.id; URL and key are looked up when it is sent
  push       blob    not null,
  event_type integer not null,             -- 1 | 0 | 321
  account    integer,
  domain     text    not null,
  app        text    not null,
  stream     text    not null,
  created_at integer not null,             -- event_time of the callback
  next_at    integer not null,             -- not to be sent before
  attempts   integer not null default 0,
  held       integer not null default 0,   -- 1: waits whether the stream comes back (`[callback] flap`)
  body       text    not null              -- JSON: what the callback tells
) strict;
create index outbox_by_template on outbox (template, next_at);
create index outbox_by_push     on outbox (push);

-- Every change of the catalog and every order to a stream: who, what, when, from where. Never a secret.
create table audit (
  id      integer primary key,
  at      integer not null,
  who     text    not null,                -- id of the API key, or name of the user
  via     text    not null,                -- api | console | css_api | configuration
  origin  text,                            -- address of the client
  account integer,                         -- whose thing was changed; null: nobody's
  action  text    not null,                -- put_domain, forbid, drop, ...
  target  text    not null,                -- name or id of the thing
  what    text    not null                 -- JSON: each field that changed with its value before and after
) strict;
create index audit_by_account on audit (account);

-- Pushes that run elsewhere, known from the callbacks of the server there: live until their end is told.
create table import_open (
  source    text    not null,              -- name of the importer
  key       text    not null,              -- what start and end of one push have in common there
  opened_at integer not null,
  body      text    not null,              -- JSON: what the start told
  primary key (source, key)
) strict, without rowid;
create index import_open_by_age on import_open (opened_at);
