-- PostgreSQL, schema version 2: callbacks of lost nodes.

-- Pushes whose end another node tells, since their own was lost: that one asks here when it is back, and tells the rest.
-- A row is noted once the telling node has the event on its own disk, and goes when it is older than events are kept.
create table told (
  push uuid   primary key,
  node uuid   not null,                    -- who tells it, as in node.id
  at   bigint not null
);
create index told_by_time on told (at);
