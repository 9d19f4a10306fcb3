//! Callbacks: events told to others over HTTP.
//!
//! | module | holds |
//! |---|---|
//! | [`manage`] | templates and rules, as the APIs and the console change them |
//! | [`message`] | the body that is sent, and its signature |
//! | [`send`] | one request |
//! | [`deliver`] | what is sent when: the outbox, emptied |
//! | [`trial`] | a template tried out |
//! | [`settings`] | how events are sent |

pub mod deliver;
pub mod manage;
pub mod message;
pub mod send;
pub mod settings;
pub mod trial;

pub use settings::CallbackSettings;
