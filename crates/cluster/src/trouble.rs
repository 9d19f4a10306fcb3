//! Why NATS cannot be reached, for the log: each reason once until the connection is there, though it is tried every second.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_nats::{ClientError, Event};
use rustls::pki_types::ServerName;

/// More reasons than this are not told apart.
const REASONS: usize = 32;

/// The reasons so far.
#[derive(Debug, Default)]
pub(crate) struct Trouble(Mutex<HashSet<String>>);

impl Trouble {
    /// A server has shown a certificate that is not accepted.
    pub fn certificate(&self, name: &ServerName<'_>, error: &rustls::Error) {
        self.say(format!(
            "the certificate of {} is not accepted: {error}; `[cluster] ca` names authorities beside the system's",
            name.to_str()
        ));
    }

    /// The client says what happened to its connection.
    pub fn heard(&self, event: &Event) {
        match event {
            Event::Connected => {
                self.lock().clear();
                tracing::info!("connected to NATS");
            }
            Event::Disconnected => tracing::warn!("the connection to NATS is lost"),
            Event::ClientError(ClientError::Other(reason)) => self.say(told(reason)),
            other => tracing::info!(event = %other, "NATS"),
        }
    }

    fn say(&self, reason: String) {
        let mut said = self.lock();
        if said.len() < REASONS && said.insert(reason.clone()) {
            tracing::warn!(reason, "NATS cannot be reached");
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client's own words, and where they name no reason a person could act upon, what they mean.
fn told(reason: &str) -> String {
    match reason {
        "authorization violation" => {
            format!(
                "{reason}: it does not take the user, the password or the credentials that are configured"
            )
        }
        other => other.to_owned(),
    }
}
