-- journal.db, schema version 3: what people keep in the console.

-- Links by which somebody without an account reads one record. The token itself is not kept.
create table share (
  digest     blob    primary key,          -- SHA-256 of the token
  push       blob    not null,             -- the record's push
  who        text    not null,             -- the user who made it
  created_at integer not null,
  expires_at integer not null
) strict, without rowid;
create index share_by_push on share (push);

-- Filters that a user gave a name.
create table saved_view (
  user  text not null,
  page  text not null,                     -- records | events
  name  text not null,
  query text not null,                     -- of the page's URL
  primary key (user, page, name)
) strict, without rowid;
