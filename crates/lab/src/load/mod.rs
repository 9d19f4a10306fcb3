//! The load generator: many publishers and players in one thread, cheap enough not to be what is measured.
//!
//! | module | holds |
//! |---|---|
//! | `plan`, `place` | how much load, and where it goes |
//! | `engine`, `timetable`, `around` | the one thread: who is connected, what is due, what came of it |
//! | `publisher`, `player`, `socket` | the connections |
//! | `media`, `ts`, `stamp` | what is sent, made once and patched; when it was sent, in the media itself |
//! | `skim` | what comes back, looked at without keeping it |
//! | [`control`] | programs that do the least that a server can do |
//! | `tally`, `delays`, `server_use` | what happened, and what the server took for it, as one JSON object |

mod around;
pub mod control;
mod delays;
mod engine;
mod media;
mod place;
mod plan;
mod player;
mod publisher;
mod server_use;
mod skim;
mod socket;
mod stamp;
mod tally;
mod timetable;
mod ts;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use place::Place;
pub use plan::{CONNECTIONS_AT_MOST, Format, Plan, PlanError, SECONDS_AT_MOST, Transport};
pub use server_use::ServerUse;
pub use tally::{Percentiles, Report};

use crate::error::LabError;
use crate::server::{KEY, Profile, SIGNED_DOMAIN, Server, Setup};
use engine::Engine;

/// Carries out a plan that was checked: at `place`, or against a server that it starts for itself. `measuring` is
/// called when everybody is connected. `pid` is the process of the server at `place`, if its CPU and memory are to be in
/// the report. Dropping the future ends the load.
///
/// # Errors
/// What keeps the load from being made at all; refusals and losses are in the report.
pub async fn run(
    plan: Plan,
    place: Option<Place>,
    pid: Option<u32>,
    measuring: impl FnOnce() + Send + 'static,
) -> Result<Report, LabError> {
    let (place, server) = match place {
        Some(place) => (place, None),
        None => {
            let server = Server::start(Setup::new(Profile::Load)).await?;
            let push = match plan.over {
                Transport::Rtmp => server.rtmp(),
                Transport::Rtmps => server.rtmps().ok_or_else(|| LabError::Tls("it is off".to_owned()))?,
                Transport::Srt => server.srt(),
            };
            let play = if plan.format == Format::Flv { server.http() } else { server.rtmp() };
            let place = Place::own(plan.over, push, play, SIGNED_DOMAIN, KEY)?;
            (place, Some(server))
        }
    };
    let stop = Stop(Arc::default());
    let stopped = Arc::clone(&stop.0);
    let pid = server.as_ref().map(Server::pid).or(pid);
    let work = move || Engine::new(&plan, &place, &stopped, pid)?.run(measuring);
    let report = tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?;
    drop(server);
    Ok(report?)
}

/// Stops the thread when it goes.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
