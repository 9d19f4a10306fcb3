//! Runs scenarios side by side and judges each.

use std::sync::Arc;

use model::{Clock, SystemClock};
use tokio::sync::{Semaphore, mpsc};

use crate::background::{Background, BackgroundOutcome};
use crate::error::LabError;
use crate::outcome::{Judgement, Outcome};
use crate::scenario::Scenario;
use crate::target::Target;
use crate::trial::{Bench, Trial};
use crate::truth;

/// Scenarios under way at once, and heavy ones beside them.
const AT_ONCE: usize = 24;
const HEAVY_AT_ONCE: usize = 5;

/// How scenarios are to be run.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Somebody else's server; without one the lab starts its own.
    pub target: Option<Target>,
    /// How often each is run.
    pub repeat: u32,
    /// Other pushes that go on meanwhile, on the lab's own server that most scenarios share.
    pub background: u32,
}

/// How a run came out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// Every outcome, in the order of the scenarios.
    pub outcomes: Vec<Outcome>,
    /// What became of the pushes in the background, where there were any.
    pub background: Option<BackgroundOutcome>,
}

/// Runs each scenario as often as planned, and hands every outcome to `told` as it comes.
///
/// # Errors
/// When the pushes in the background could not be started or looked at; never for a scenario.
pub async fn run(
    scenarios: &[Scenario],
    plan: Plan,
    mut told: impl FnMut(&Outcome),
) -> Result<Run, LabError> {
    let Plan { target, repeat, background } = plan;
    let external = target.is_some();
    let bench = Arc::new(Bench::new(target));
    let (room, heavy_room) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(Semaphore::new(HEAVY_AT_ONCE)));
    let tag = format!("{:x}", SystemClock.now().millis());
    let background = match background {
        0 => None,
        count => Some(Background::start(bench.shared().await?, count, &format!("lab-{tag}")).await?),
    };
    let (done, mut outcomes) = mpsc::unbounded_channel();
    let mut index = 0_usize;
    for turn in 0..repeat {
        for scenario in scenarios.iter().filter(|scenario| turn < scenario.repeats(repeat)) {
            let stream = format!("lab-{}-{tag}-{turn}", scenario.name.replace('_', "-"));
            let trial = Trial::new(Arc::clone(&bench), stream);
            let room = Arc::clone(if scenario.heavy { &heavy_room } else { &room });
            let (scenario, done) = (scenario.clone(), done.clone());
            tokio::spawn(async move {
                let _room = room.acquire().await;
                let outcome = match scenario.needs.missing(external) {
                    Some(reason) => Outcome::without_record(&scenario, Judgement::Skipped(reason)),
                    None => judged(&scenario, trial).await,
                };
                // Nobody listens any more only when the run was given up.
                let _ = done.send((index, outcome));
            });
            index = index.saturating_add(1);
        }
    }
    drop(done);
    let mut all = Vec::with_capacity(index);
    while let Some((index, outcome)) = outcomes.recv().await {
        told(&outcome);
        all.push((index, outcome));
    }
    all.sort_by_key(|(index, _)| *index);
    let background = match background {
        Some(background) => Some(background.finish().await?),
        None => None,
    };
    Ok(Run { outcomes: all.into_iter().map(|(_, outcome)| outcome).collect(), background })
}

async fn judged(scenario: &Scenario, trial: Trial) -> Outcome {
    match attempt(scenario, trial).await {
        Ok(outcome) => outcome,
        Err(LabError::Skipped(reason)) => Outcome::without_record(scenario, Judgement::Skipped(reason)),
        Err(error) => Outcome::without_record(scenario, Judgement::Wrong(error.to_string())),
    }
}

async fn attempt(scenario: &Scenario, trial: Trial) -> Result<Outcome, LabError> {
    let started = SystemClock.now();
    let seen = (scenario.run)(trial).await?;
    let found = truth::find(&seen, started).await?;
    let scenario = &found.as_ref().map_or_else(|| scenario.clone(), |found| scenario.as_found(found.code));
    let judgement = match truth::compare(scenario, &seen, found.as_ref()) {
        Some(wrong) => Judgement::Wrong(wrong),
        None => Judgement::Right,
    };
    let mut outcome = Outcome::without_record(scenario, judgement);
    if let Some(found) = found {
        (outcome.got, outcome.detail, outcome.detect_ms) = (Some(found.code), found.detail, found.detect_ms);
    }
    Ok(outcome)
}
