//! Admission's refusals as details.

use model::Refusal;

use super::{Detail, DetailKey};

impl From<&Refusal> for Detail {
    /// The refusal's own key and facts; those about other pushes take the keys that the hub gives too, so that one
    /// finding has one key.
    fn from(refusal: &Refusal) -> Self {
        let limit = |scope: &str, max: u32| {
            Self::new(DetailKey::LimitOf).with("scope", scope).with("limit", max)
        };
        match refusal {
            Refusal::AccountFull { max } => limit("account", *max),
            Refusal::DomainFull { max } => limit("domain", *max),
            Refusal::StreamFull { max } => limit("stream", *max),
            Refusal::Duel { live, newcomer } => Self::new(DetailKey::Duel)
                .with("live", live.to_string())
                .with("refused", newcomer.to_string()),
            Refusal::PriorityLower { own, live } => {
                Self::new(DetailKey::PriorityBelow).with("priority", *own).with("live_priority", *live)
            }
            other => other
                .facts()
                .into_iter()
                .fold(Self::new(other.key().into()), |detail, (name, value)| detail.with(&name, value)),
        }
    }
}
