//! The fault lab: ends pushes in every way there is, on purpose, with real clients against a running server, and
//! compares the record with the truth.
//!
//! | module | holds |
//! |---|---|
//! | [`scenarios`] | every scenario, by theme, and the choice among them |
//! | [`scenario`] | what a scenario is |
//! | [`missing`] | rows of the table that no scenario can produce yet, each with the reason |
//! | [`run`](mod@run) | runs scenarios side by side and judges each |
//! | [`trial`], [`site`], [`target`] | what a run pushes to |
//! | [`truth`], [`outcome`] | what is on record, compared with what was done |
//! | [`replay`](mod@replay) | an exported record, driven against a server again |
//! | [`report`] | the closing table, the confusion matrix, the page on the causes |
//! | [`client`] | an RTMP client that can misbehave at any byte |
//! | [`child`] | the same in a process of its own, to be killed or frozen |
//! | [`encoder`] | real encoders, which the lab did not write |
//! | [`server`] | the server under test: the program itself |
//! | [`upstream`] | a server behind the server under test, for proxy mode |
//! | `nats` | a NATS server, for a node of a cluster |
//! | [`network`] | network namespaces, and what can go wrong in them |
//! | [`load`] | the load generator: many publishers and players at once, and what became of their media |
//! | `background` | other pushes that go on meanwhile |
//! | [`api`], [`hook`], [`process`], [`media`] | the server's API, an authentication hook, processes, media |
#![warn(missing_docs)]

pub mod api;
mod background;
pub mod child;
pub mod client;
pub mod encoder;
mod error;
pub mod hook;
pub mod load;
pub mod media;
pub mod missing;
mod nats;
pub mod network;
pub mod outcome;
pub mod process;
pub mod replay;
pub mod report;
pub mod run;
pub mod scenario;
pub mod scenarios;
pub mod server;
pub mod site;
pub mod target;
pub mod trial;
pub mod truth;
pub mod upstream;
mod whip;

pub use background::BackgroundOutcome;
pub use error::LabError;
pub use outcome::{Judgement, Outcome};
pub use run::{Plan, Run, run};
pub use scenario::Scenario;
pub use scenarios::{Choice, choose};
pub use target::Target;
