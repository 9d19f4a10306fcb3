//! Callbacks: events told to others over HTTP.
//!
//! | module | holds |
//! |---|---|
//! | [`manage`] | templates and rules, as the APIs and the console change them |
//! | [`settings`] | how events are sent |

pub mod manage;
pub mod settings;

pub use settings::CallbackSettings;
