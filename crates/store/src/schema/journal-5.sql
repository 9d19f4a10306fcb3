-- journal.db, schema version 5: people who see one account alone.

alter table user add column account integer not null default 0; -- the account that the user is tied to; 0 for all
