//! The scenarios, by theme.

mod client_stops;
mod cluster;
mod damage;
mod encoders;
mod events;
mod imported;
mod network;
mod operator;
mod policy;
mod protocol;
mod proxy;
mod refusal;
mod refused_write;
mod replayed;
mod secured;
mod server;
mod setup;
mod signature;
mod silence;
mod srt;
mod takeover;
mod weekly;
mod whip;
mod whip_clients;
mod whip_tcp;

use cause::Cause;

use crate::error::LabError;
use crate::missing;
use crate::scenario::Scenario;

/// Every scenario, by theme.
pub fn all() -> Vec<Scenario> {
    [
        client_stops::scenarios(),
        protocol::scenarios(),
        setup::scenarios(),
        policy::scenarios(),
        signature::scenarios(),
        silence::scenarios(),
        takeover::scenarios(),
        operator::scenarios(),
        refused_write::scenarios(),
        server::scenarios(),
        proxy::scenarios(),
        cluster::scenarios(),
        damage::scenarios(),
        imported::scenarios(),
        events::scenarios(),
        replayed::scenarios(),
        network::scenarios(),
        encoders::scenarios(),
        srt::scenarios(),
        secured::scenarios(),
        weekly::scenarios(),
        whip::scenarios(),
        whip_clients::scenarios(),
        whip_tcp::scenarios(),
    ]
    .concat()
}

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The scenarios, each once, in the order of [`all`].
    pub scenarios: Vec<Scenario>,
    /// Rows of the table that no scenario can produce yet, each with the reason.
    pub missing: Vec<(Cause, &'static str)>,
}

/// The scenarios of these codes and names; `all` means all.
///
/// # Errors
/// [`LabError::UnknownScenario`] for the first word that is none of these.
pub fn choose(words: &[String]) -> Result<Choice, LabError> {
    let known = all();
    let is_all = |word: &str| word == "all";
    let matches = |scenario: &Scenario, word: &str| {
        is_all(word) || scenario.name == word || word.parse() == Ok(scenario.cause)
    };
    let reason = |cause: Cause| missing::reason(cause);
    for word in words {
        let is_missing = word.parse().is_ok_and(|cause| reason(cause).is_some());
        if !is_all(word) && !is_missing && !known.iter().any(|scenario| matches(scenario, word)) {
            return Err(LabError::UnknownScenario(word.clone()));
        }
    }
    let wanted = |cause: Cause| words.iter().any(|word| is_all(word) || word.parse() == Ok(cause));
    let missing = Cause::ALL.into_iter().filter(|cause| wanted(*cause));
    Ok(Choice {
        missing: missing.filter_map(|cause| Some((cause, reason(cause)?))).collect(),
        scenarios: known.into_iter().filter(|s| words.iter().any(|word| matches(s, word))).collect(),
    })
}

#[cfg(test)]
mod tests;
