//! Other pushes that go on meanwhile, so that no verdict is given by a server that has nothing else to do.

use std::fmt;
use std::time::Duration;

use cause::Cause;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::{Client, Pace};
use crate::error::LabError;
use crate::site::Site;

/// So little that hundreds of them leave the machine free for the scenarios.
const PACE: Pace = Pace { fps: 10, kbps: 60, speed: 1.0 };
/// How often a push looks whether it is over.
const LOOK: Duration = Duration::from_secs(1);
/// Their records are there after this time.
const RECORDED: Duration = Duration::from_secs(3);

/// Pushes under way.
#[derive(Debug)]
pub struct Background {
    site: Site,
    streams: Vec<String>,
    pushes: JoinSet<Result<(), LabError>>,
    over: watch::Sender<bool>,
}

/// What became of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackgroundOutcome {
    /// How many there were.
    pub pushes: usize,
    /// How many of them went on until they were stopped, and have one record that says so.
    pub kept: usize,
}

impl fmt::Display for BackgroundOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pushes, kept } = self;
        write!(f, "{kept} of {pushes} pushes in the background went on until they were stopped")
    }
}

impl Background {
    /// Starts so many pushes, whose names begin with `tag`, and waits until all are live.
    pub async fn start(site: Site, count: u32, tag: &str) -> Result<Self, LabError> {
        let (over, _) = watch::channel(false);
        let mut background = Self { site, streams: Vec::new(), pushes: JoinSet::new(), over };
        for number in 0..count {
            let stream = format!("{tag}-background-{number}");
            let client = background.site.live(&stream).await?;
            background.pushes.spawn(push(client, background.over.subscribe()));
            background.streams.push(stream);
        }
        Ok(background)
    }

    /// Stops them in an orderly way and looks at their records.
    pub async fn finish(mut self) -> Result<BackgroundOutcome, LabError> {
        self.over.send_replace(true);
        while self.pushes.join_next().await.is_some() {}
        sleep(RECORDED).await;
        let mut kept = 0_usize;
        for stream in &self.streams {
            let records = self.site.api.records_of(stream).await?;
            let [record] = records.as_slice() else { continue };
            kept = kept.saturating_add(usize::from(record.code() == Cause::DeleteStream.code()));
        }
        Ok(BackgroundOutcome { pushes: self.streams.len(), kept })
    }
}

async fn push(mut client: Client, over: watch::Receiver<bool>) -> Result<(), LabError> {
    while !*over.borrow() {
        client.stream(PACE, LOOK).await?;
    }
    client.delete_stream().await.map(drop)
}
