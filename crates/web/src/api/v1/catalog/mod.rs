//! Accounts, domains with their lists, limits, rules and channels, and API keys. Keys and secrets are shown once: when
//! they are made.

pub mod accounts;
pub mod api_keys;
pub mod channels;
pub mod domains;
