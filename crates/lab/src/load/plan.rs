//! What is asked of the load.

use std::time::Duration;

/// Connections of one load, publishers and players together.
pub const CONNECTIONS_AT_MOST: u32 = 20_000;
/// Timestamps of RTMP need more room in the header beyond 4.6 hours, and what is sent was made before.
pub const SECONDS_AT_MOST: u64 = 14_400;
/// Descriptors besides those of connections.
const OTHER_DESCRIPTORS: u64 = 64;

/// What players ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// RTMP.
    #[default]
    Rtmp,
    /// FLV over HTTP.
    Flv,
}

/// What publishers push over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// RTMP.
    #[default]
    Rtmp,
    /// RTMP in TLS, whatever certificate the server shows.
    Rtmps,
    /// A transport stream over SRT.
    Srt,
}

impl Transport {
    /// What push URLs of it begin with.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Rtmp => "rtmp",
            Self::Rtmps => "rtmps",
            Self::Srt => "srt",
        }
    }

    /// The usual port.
    pub(super) fn port(self) -> u16 {
        match self {
            Self::Rtmp => 1935,
            Self::Rtmps => 1936,
            Self::Srt => 9000,
        }
    }

    /// That of a push URL.
    pub(super) fn of(url: &str) -> Self {
        let named = |over: &Self| url.strip_prefix(over.scheme()).is_some_and(|rest| rest.starts_with("://"));
        [Self::Rtmps, Self::Srt].into_iter().find(named).unwrap_or_default()
    }
}

/// How much load, and of what kind.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Encoders, each with a stream of its own.
    pub publishers: u32,
    /// Players, spread evenly over the streams.
    pub players: u32,
    /// Bits of a stream, kbit/s, audio included.
    pub kbps: u32,
    /// Bits of a stream that is played, where they differ.
    pub played_kbps: Option<u32>,
    /// Pictures a second.
    pub fps: u32,
    /// How long it is measured, once everybody is connected.
    pub seconds: u64,
    /// Streams that are played; those of the publishers where it is left out.
    pub streams: Option<u32>,
    /// What publishers push over, where the server is one of the load's own; a target's URL says it else.
    pub over: Transport,
    /// What players ask for.
    pub format: Format,
    /// Connections stay this long on average, leave in an orderly way, and come back.
    pub churn: Option<Duration>,
    /// Connections opened a second.
    pub ramp: u32,
}

/// Why a load cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Nobody would connect.
    #[error("neither publishers nor players: there is nothing to do")]
    Nobody,
    /// Players without anything to play.
    #[error("players need streams: give --publishers, or --streams with a target that has them")]
    NothingToPlay,
    /// A number out of its range.
    #[error("{what} must be {low} to {high}, not {found}")]
    Range {
        /// Which number.
        what: &'static str,
        /// Lowest.
        low: u64,
        /// Highest.
        high: u64,
        /// As given.
        found: u64,
    },
    /// The system does not let one program hold so many connections.
    #[error(
        "{wanted} connections need {wanted} file descriptors and some, and this program may have {limit}: raise the hard limit (ulimit -Hn)"
    )]
    Descriptors {
        /// Connections asked for.
        wanted: u64,
        /// Descriptors allowed.
        limit: u64,
    },
}

impl Plan {
    /// Checks what can be checked without connecting. `descriptors` is how many the process may have.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, descriptors: u64) -> Result<(), PlanError> {
        if self.publishers == 0 && self.players == 0 {
            return Err(PlanError::Nobody);
        }
        if self.players > 0 && self.streams() == 0 {
            return Err(PlanError::NothingToPlay);
        }
        let connections = u64::from(self.publishers) + u64::from(self.players);
        within("publishers and players together", connections, 1, CONNECTIONS_AT_MOST.into())?;
        within("--streams", self.streams().into(), 0, CONNECTIONS_AT_MOST.into())?;
        within("--kbps", self.kbps.into(), 50, 100_000)?;
        within("--played-kbps", self.played_kbps.unwrap_or(self.kbps).into(), 50, 100_000)?;
        within("--fps", self.fps.into(), 1, 120)?;
        within("--seconds", self.seconds, 1, SECONDS_AT_MOST)?;
        within("--ramp", self.ramp.into(), 1, 100_000)?;
        if let Some(churn) = self.churn {
            within("--churn in seconds", churn.as_secs(), 1, SECONDS_AT_MOST)?;
        }
        if connections.saturating_add(OTHER_DESCRIPTORS) > descriptors {
            return Err(PlanError::Descriptors { wanted: connections, limit: descriptors });
        }
        Ok(())
    }

    /// Streams that are played.
    pub fn streams(&self) -> u32 {
        self.streams.unwrap_or(self.publishers)
    }
}

fn within(what: &'static str, found: u64, low: u64, high: u64) -> Result<(), PlanError> {
    if (low..=high).contains(&found) { Ok(()) } else { Err(PlanError::Range { what, low, high, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan {
            publishers: 5,
            players: 5,
            kbps: 1_000,
            played_kbps: None,
            fps: 30,
            seconds: 3,
            streams: None,
            over: Transport::Rtmp,
            format: Format::Rtmp,
            churn: None,
            ramp: 500,
        }
    }

    #[test]
    fn a_push_url_says_what_it_is_pushed_over() {
        for over in [Transport::Rtmp, Transport::Rtmps, Transport::Srt] {
            assert_eq!(Transport::of(&format!("{}://h/live", over.scheme())), over);
        }
    }

    #[test]
    fn a_plan_out_of_its_limits_says_which_one() {
        assert_eq!(plan().check(1_000), Ok(()));
        let nobody = Plan { publishers: 0, players: 0, ..plan() };
        assert_eq!(nobody.check(1_000), Err(PlanError::Nobody));
        let nothing = Plan { publishers: 0, ..plan() };
        assert_eq!(nothing.check(1_000), Err(PlanError::NothingToPlay));
        let elsewhere = Plan { publishers: 0, streams: Some(1), ..plan() };
        assert_eq!(elsewhere.check(1_000), Ok(()));
        for wrong in [
            Plan { kbps: 0, ..plan() },
            Plan { fps: 0, ..plan() },
            Plan { seconds: 0, ..plan() },
            Plan { seconds: 20_000, ..plan() },
            Plan { players: 20_000, ..plan() },
            Plan { churn: Some(Duration::ZERO), ..plan() },
        ] {
            assert!(matches!(wrong.check(1_000_000), Err(PlanError::Range { .. })), "{wrong:?}");
        }
        let many = Plan { players: 2_000, ..plan() };
        assert_eq!(many.check(1_024), Err(PlanError::Descriptors { wanted: 2_005, limit: 1_024 }));
    }
}
