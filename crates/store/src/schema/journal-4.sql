-- journal.db, schema version 4: what the database of all nodes does not have yet. Empty where `[store] url` names none.

-- Whether records are shipped, and to which database: one that was replaced by another gets everything once more.
create table shipping (
  one      integer primary key check (one = 1),
  database text                            -- identity.id of the database; null before it has answered once
) strict;

-- Records to be shipped, in the order in which they came. A row goes once the database has the record; what changes
-- afterwards (attempts of a fold) puts a new row here, whose number is higher than any that is being shipped.
create table unshipped (
  seq      integer primary key autoincrement,
  id       blob    not null unique,        -- the push's
  ended_at integer not null,               -- its record is in the journal, or in the file of this day
  stuck    integer not null default 0      -- 1: the database will not take this record; not tried again in this run
) strict;
create index unshipped_by_time on unshipped (ended_at);

-- Triggers, so that no way into `ended` can forget it.
create trigger ended_is_shipped after insert on ended when exists (select 1 from shipping)
begin
  insert or replace into unshipped (id, ended_at) values (new.id, new.ended_at);
end;
create trigger attempts_are_shipped after update on ended
  when new.attempts <> old.attempts and exists (select 1 from shipping)
begin
  insert or replace into unshipped (id, ended_at) values (new.id, new.ended_at);
end;

-- Record files from before shipping began: the rows below this key are still to be shipped, newest first.
create table backfill (
  day   integer primary key,               -- since 1970
  below integer not null
) strict;
