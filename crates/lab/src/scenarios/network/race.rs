//! Our probe meets the client's last words on a long path. The client has been silent until our probe was due, and what
//! it says then cannot be an answer to it.

use std::time::Duration;

use cause::Cause;

use super::{Line, NAMESPACE};
use crate::child::Step;
use crate::error::LabError;
use crate::network::Between;
use crate::scenario::{Scenario, Seen};
use crate::server::Profile;
use crate::trial::Trial;

/// One way.
const DELAY: Duration = Duration::from_millis(500);
/// The client sends for so long, and is silent for so long. Counted from when the push is live at the server, its last
/// frame arrives after 2.5 s, our probe is due at the sixth second, and the last words arrive after 6.15 s.
const SENDS: f64 = 1.5;
const SILENT: f64 = 3.65;

/// kbit/s, so few that TCP's slow start on such a path does not hold them up.
const LIGHT: u32 = 50;

pub(super) fn scenarios() -> Vec<Scenario> {
    let scenarios = [
        Scenario::new(
            "goodbye_meets_our_probe",
            Cause::DeleteStream,
            None,
            "The client says deleteStream and closes while our ping is on its way to it.",
            |t| Box::pin(meets_our_probe(t, Step::Abandon)),
        ),
        Scenario::new(
            "reset_meets_our_probe",
            Cause::Reset,
            None,
            "The client resets while our ping is on its way to it: no router has forgotten anything.",
            |t| Box::pin(meets_our_probe(t, Step::Reset)),
        ),
        Scenario::new(
            "close_meets_our_probe",
            Cause::EndOfFile,
            None,
            "The client closes while our ping is on its way to it, and its system answers the ping with a reset.",
            |t| Box::pin(meets_our_probe(t, Step::Close)),
        ),
    ];
    scenarios.into_iter().map(|scenario| scenario.needing(NAMESPACE)).collect()
}

async fn meets_our_probe(trial: Trial, last_words: Step) -> Result<Seen, LabError> {
    let between = Between::new()?;
    between.change(|path| (path.up.delay, path.down.delay) = (DELAY, DELAY));
    let steps = [Step::Stream(SENDS), Step::Idle(SILENT), last_words];
    let mut line = Line::start(&trial, between, Profile::Plain, LIGHT, &steps).await?;
    line.pusher.reaches(last_words.word()).await?;
    let seen = Seen::stream(&line.site, trial.stream()).now();
    Ok(seen.keep(line))
}
