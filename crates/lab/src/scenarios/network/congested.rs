//! Paths that are thin, lossy or long, and clients that leave over them.

use std::time::Duration;

use cause::{Cause, DetailKey};
use tokio::time::sleep;

use super::{Line, NAMESPACE, USUAL};
use crate::child::Step;
use crate::error::LabError;
use crate::network::{Between, Path};
use crate::process::Signal;
use crate::scenario::{Scenario, Seen};
use crate::server::Profile;
use crate::trial::Trial;

/// A push of this rate goes through an uplink of [`THIN`] kbit/s.
const BROAD: u32 = 1_500;
const THIN: u32 = 500;
/// The queue of that uplink, as home routers have it.
const QUEUE: Duration = Duration::from_millis(800);
/// The push has this long to show what it is like on a broad path.
const BROAD_FOR: Duration = Duration::from_secs(6);
const PUSH_FOR: f64 = 18.0;
const POOR_FOR: f64 = 12.0;

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{DeleteStream, EndOfFile, UplinkCollapsed};
    use DetailKey as D;
    let thinner = [
        Scenario::new(
            "goodbye_under_congestion",
            DeleteStream,
            None,
            "The uplink becomes thinner than the push, and the client says deleteStream: the goodbye wins.",
            |t| Box::pin(uplink_thinner(t, &[Step::Stream(PUSH_FOR), Step::Delete])),
        ),
        Scenario::new(
            "goodbye_lost_in_congestion",
            UplinkCollapsed,
            D::Collapse,
            "The uplink becomes thinner than the push, and the client stops with our acknowledgements unread: its system \
             throws the goodbye away and resets.",
            |t| Box::pin(uplink_thinner(t, &[Step::Deaf(PUSH_FOR), Step::Abandon])),
        ),
        Scenario::new(
            "uplink_collapsed",
            UplinkCollapsed,
            D::Collapse,
            "The uplink becomes thinner than the push, and the client resets.",
            |t| Box::pin(uplink_thinner(t, &[Step::Stream(PUSH_FOR), Step::Reset])),
        ),
        Scenario::new(
            "killed_under_congestion",
            UplinkCollapsed,
            D::Collapse,
            "The uplink becomes thinner than the push, and the client's process is killed: it looks the same.",
            |t| Box::pin(killed_under_congestion(t)),
        ),
    ];
    let poor = [
        Scenario::new(
            "lossy_uplink",
            EndOfFile,
            None,
            "A tenth of the client's packets is lost, the push keeps up, and the client closes: no collapse.",
            |t| Box::pin(poor_path(t, |path| path.up.loss = 0.1)),
        ),
        Scenario::new(
            "lossy_downlink",
            EndOfFile,
            None,
            "A third of the packets to the client is lost, the push keeps up, and the client closes: no collapse.",
            |t| Box::pin(poor_path(t, |path| path.down.loss = 0.33)),
        ),
        Scenario::new(
            "reordered_path",
            EndOfFile,
            None,
            "Packets come late, overtaken and twice, the push keeps up, and the client closes: no collapse.",
            |t| {
                Box::pin(poor_path(t, |path| {
                    path.up.jitter = Duration::from_millis(30);
                    path.up.reorder = 0.05;
                    path.up.reorder_by = Duration::from_millis(20);
                    path.up.duplicate = 0.05;
                }))
            },
        ),
        Scenario::new(
            "long_path",
            EndOfFile,
            None,
            "The path is one of 600 ms there and back, as by satellite, and the client closes: no collapse.",
            |t| Box::pin(long_path(t)),
        ),
    ];
    thinner.into_iter().chain(poor).map(|scenario| scenario.needing(NAMESPACE)).collect()
}

async fn on_thinner_uplink(trial: &Trial, steps: &[Step]) -> Result<Line, LabError> {
    let line = Line::start(trial, Between::new()?, Profile::Plain, BROAD, steps).await?;
    sleep(BROAD_FOR).await;
    line.between.limit_up(THIN, QUEUE);
    Ok(line)
}

async fn uplink_thinner(trial: Trial, steps: &[Step]) -> Result<Seen, LabError> {
    let mut line = on_thinner_uplink(&trial, steps).await?;
    if let Some(leaving) = steps.last() {
        line.pusher.reaches(leaving.word()).await?;
    }
    let seen = Seen::stream(&line.site, trial.stream()).now();
    Ok(seen.keep(line))
}

async fn killed_under_congestion(trial: Trial) -> Result<Seen, LabError> {
    let line = on_thinner_uplink(&trial, &[Step::Stream(PUSH_FOR * 2.0)]).await?;
    sleep(Duration::from_secs(10)).await;
    let seen = Seen::stream(&line.site, trial.stream()).now();
    line.pusher.signal(Signal::Kill)?;
    Ok(seen.keep(line))
}

/// The client closes in place of resetting: nobody sends a lost reset again, and then our probe is what brings the next.
async fn poor_path(trial: Trial, change: fn(&mut Path)) -> Result<Seen, LabError> {
    let steps = [Step::Stream(POOR_FOR), Step::Close];
    let mut line = Line::start(&trial, Between::new()?, Profile::Plain, USUAL, &steps).await?;
    line.between.change(change);
    line.pusher.reaches("close").await?;
    let seen = Seen::stream(&line.site, trial.stream()).now();
    Ok(seen.keep(line))
}

/// Long from the start: where the delay of a path jumps, TCP takes it for loss, and the uplink does collapse for a while.
async fn long_path(trial: Trial) -> Result<Seen, LabError> {
    let between = Between::new()?;
    between.change(|path| {
        (path.up.delay, path.down.delay) = (Duration::from_millis(300), Duration::from_millis(300));
    });
    let steps = [Step::Stream(POOR_FOR), Step::Close];
    let mut line = Line::start(&trial, between, Profile::Plain, USUAL, &steps).await?;
    line.pusher.reaches("close").await?;
    let seen = Seen::stream(&line.site, trial.stream()).now();
    Ok(seen.keep(line))
}
