//! Accounts, domains with their lists, limits, rules and channels, and API keys. Keys and secrets are shown once: when
//! they are made.

pub mod accounts;
pub mod api_keys;
pub mod channels;
pub mod domains;

use crate::problem::{Kind, Problem};

/// A fresh secret: so many random bytes as hexadecimal digits.
fn secret(bytes: usize) -> Result<String, Problem> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(|error| {
        tracing::error!(%error, "the system gives no random numbers");
        Problem::new(Kind::Internal, "the system gives no random numbers")
    })?;
    Ok(hex::encode(random))
}

fn invalid(field: &'static str, why: &str) -> Problem {
    Problem::new(Kind::BadRequest, why).with_field(field)
}
