//! Our probe meets the client's last words on a long path. The client has been silent until our probe was due, and what
//! it says then cannot be an answer to it.

use std::time::Duration;

use cause::Cause;

use super::{Line, NAMESPACE, USUAL};
use crate::child::Step;
use crate::error::LabError;
use crate::network::Between;
use crate::scenario::{Scenario, Seen};
use crate::server::Profile;
use crate::trial::Trial;

/// One way.
const DELAY: Duration = Duration::from_millis(300);
/// Three seconds of silence are seen at the sixth second of a push that has sent for two; the last words have to arrive
/// a little after that, and are 300 ms under way.
const SILENT: f64 = 3.55;

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
    let steps = [Step::Stream(2.0), Step::Idle(SILENT), last_words];
    let mut line = Line::start(&trial, between, Profile::Plain, USUAL, &steps).await?;
    line.pusher.reaches(last_words.word()).await?;
    let seen = Seen::stream(&line.site, trial.stream()).now();
    Ok(seen.keep(line))
}
