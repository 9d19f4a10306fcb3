//! What people and programs see of Lastframe over HTTP. It asks `live` and `store`; the console and the APIs call the
//! same functions.
//!
//! | module | holds |
//! |---|---|
//! | [`console`] | pages for people: sign-in, interruption records, one record, causes; one folder a page |
//! | [`api`] | `/api/v1`: the same for programs; `/`: the API of Tencent Cloud CSS |
//! | [`callback`] | events told to others: templates, rules, delivery |
//! | [`manage`] | accounts, domains, keys, users: changed through here by API and console |
//! | [`metrics`] | `/metrics`, read at each scrape |
//! | [`health`] | `/healthz`, `/readyz` |
//! | [`import`] | records of pushes that run elsewhere |
//! | [`query`] | the filters of records, shared by console and API |
//! | [`csv`] | records for spreadsheets |
//! | [`incidents`] | ends that have something in common |
//! | [`present`] | a record in the reader's language |
//! | [`actions`] | drop, forbid, resume |
//! | `challenges` | proofs for an ACME authority |
//! | [`client`] | who asks: address behind trusted proxies, TLS or not, and what that opens |
//! | [`diagnose`] | what happened to a stream in a window of time |
//! | [`edit`] | changes of the catalog, decided on its newest state |
//! | [`guard`] | headers that every answer carries |
//! | `play` | playback: what viewers read |
//! | [`problem`] | errors as problem documents (RFC 9457) |
//! | [`password`] | hashes of console passwords |
//! | [`server`] | the accept loop, with its limits |
//! | [`state`] | what the handlers share |
//! | `webrtc` | WHIP and WHEP: offers, and the resources of sessions |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod actions;
pub mod api;
pub mod callback;
mod challenges;
pub mod client;
pub mod console;
pub mod csv;
pub mod diagnose;
pub mod edit;
pub mod guard;
pub mod health;
pub mod import;
pub mod incidents;
pub mod manage;
pub mod metrics;
pub mod password;
mod play;
pub mod present;
pub mod problem;
pub mod query;
pub mod router;
pub mod server;
pub mod state;
mod webrtc;

pub use callback::CallbackSettings;
pub use challenges::Challenges;
pub use router::{Surface, router};
pub use server::{ServerLimits, serve};
pub use state::{Door, Retention, WebConfig, WebState};
