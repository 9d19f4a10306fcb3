//! PostgreSQL: the records of all nodes.
//!
//! Each node's journal is the truth and the buffer; a thread of its own, the shipper, copies from it. Everything here
//! may be repeated: what is shipped twice meets itself. Calls block, for a time that has a limit; the connections are
//! driven by one thread.
//!
//! | module | holds |
//! |---|---|
//! | [`place`] | the URL, TLS |
//! | [`link`] | the connections, and calls with a limit |
//! | [`migrate`] | the schema and its versions |
//! | [`partition`] | a partition a day: made ahead, dropped when old |
//! | [`names`] | the dictionary of names |
//! | [`put`] | records into the database |
//! | [`lanes`] | many records at once |
//! | [`events`] | events into the database, and out of it |
//! | [`fetches`] | fetches into the database, and out of it |
//! | [`columns`] | a record as columns, and back |
//! | [`plan`] | the conditions of a query as SQL |
//! | [`scan`] | how the records of a page are searched for |
//! | [`find`] | pages, lists and single records |
//! | [`count`] | counts and summaries |
//! | [`told`] | ends told by another node than the push's own |
//! | [`shipper`] | the thread that ships |

mod columns;
mod count;
mod events;
mod fetches;
mod find;
mod lanes;
mod link;
mod migrate;
mod names;
mod partition;
mod place;
mod plan;
mod put;
mod scan;
pub(crate) mod shipper;
mod told;

pub(crate) use link::Database;
pub(crate) use place::Place;
