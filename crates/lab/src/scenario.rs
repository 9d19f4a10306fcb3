//! What a scenario is: a cause made to happen, and where its record must be found.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use cause::evidence::Evidence;
use cause::{Cause, DetailKey, EventKind};
use model::{Clock, Code, Record, SystemClock, Timestamp};

use crate::client::{Client, Told};
use crate::error::LabError;
use crate::process;
use crate::site::Site;
use crate::trial::Trial;

/// A heavy scenario is repeated this often at most.
const HEAVY_REPEATS: u32 = 10;

/// What a scenario needs to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing but a server: it does only what a client can do.
    Client,
    /// A server that the lab starts itself, with a configuration or a fate of its own.
    Own,
    /// Such a server, and these programs.
    With(&'static [&'static str]),
    /// Such a server, root, and these programs.
    Root(&'static [&'static str]),
}

impl Needs {
    /// Why the scenario cannot be run here, if it cannot.
    pub fn missing(self, external: bool) -> Option<String> {
        match self {
            Self::Client => None,
            _ if external => Some("needs a server that the lab starts itself".to_owned()),
            Self::Own => None,
            Self::Root(_) if !process::is_root() => Some("needs root".to_owned()),
            Self::With(programs) | Self::Root(programs) => {
                let missing: Vec<&str> =
                    programs.iter().copied().filter(|p| !process::is_installed(p)).collect();
                (!missing.is_empty()).then(|| format!("needs {}", missing.join(", ")))
            }
        }
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client => f.write_str("any server"),
            Self::Own | Self::With(_) => f.write_str("own server"),
            Self::Root(_) => f.write_str("root"),
        }
    }
}

/// A scenario being carried out.
pub type Running = Pin<Box<dyn Future<Output = Result<Seen, LabError>> + Send>>;

/// One way for a push to end.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name, in snake case.
    pub name: &'static str,
    /// The cause that the record must have.
    pub cause: Cause,
    /// The cause that is as right, where the client's system decides which of the two happens.
    pub or: Option<Cause>,
    /// The detail that it must have, where that is certain.
    pub detail: Option<DetailKey>,
    /// What is done.
    pub needs: Needs,
    /// Whether it computes much, so that only a few of its kind run side by side.
    pub heavy: bool,
    /// How soon the end must be detected after the fault, where that is a promise. On a busy machine it may be later.
    pub within: Option<Duration>,
    /// What happens, in one sentence.
    pub about: &'static str,
    /// Makes it happen.
    pub run: fn(Trial) -> Running,
}

impl Scenario {
    /// A scenario that does only what a client can do.
    pub fn new(
        name: &'static str,
        cause: Cause,
        detail: impl Into<Option<DetailKey>>,
        about: &'static str,
        run: fn(Trial) -> Running,
    ) -> Self {
        Self {
            name,
            cause,
            or: None,
            detail: detail.into(),
            needs: Needs::Client,
            heavy: false,
            within: None,
            about,
            run,
        }
    }

    /// The same with other needs.
    #[must_use]
    pub fn needing(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    /// The same for a scenario that computes much.
    #[must_use]
    pub fn heavy(self) -> Self {
        Self { heavy: true, ..self }
    }

    /// How often it is run where each is to be run `repeat` times.
    pub fn repeats(&self, repeat: u32) -> u32 {
        if self.heavy { repeat.min(HEAVY_REPEATS) } else { repeat }
    }

    /// The same where the client's system decides whether it is this instead.
    #[must_use]
    pub fn or(self, cause: Cause) -> Self {
        Self { or: Some(cause), ..self }
    }

    /// The scenario as it went by the record that was found.
    pub(crate) fn as_found(&self, code: Code) -> Self {
        let cause = self.or.filter(|or| or.code() == code).unwrap_or(self.cause);
        Self { cause, ..self.clone() }
    }

    /// The same with a promise of how soon its end is detected.
    #[must_use]
    pub fn within(self, within: Duration) -> Self {
        Self { within: Some(within), ..self }
    }
}

/// What else must be true of a record: none, or what is wrong.
pub type Check = Box<dyn Fn(&Record) -> Option<String> + Send + Sync>;

/// What else must be true of the evidence behind a record: none, or what is wrong.
pub type EvidenceCheck = Box<dyn Fn(&Evidence) -> Option<String> + Send + Sync>;

/// What has been done, so that its record can be found and compared. What has to stay until then stays with it.
pub struct Seen {
    /// The server that must have recorded it.
    pub site: Site,
    /// The stream name of the push, if it had named one.
    pub stream: Option<String>,
    /// The client's port, where the server sees the same.
    pub port: Option<u16>,
    /// When the fault was made; none where no time to detect can be told.
    pub at: Option<Timestamp>,
    /// What the client was told, where it must have been told.
    pub told: Option<Told>,
    /// Events that the record must have.
    pub events: Vec<EventKind>,
    checks: Vec<Check>,
    evidence_checks: Vec<EvidenceCheck>,
    keep: Vec<Box<dyn Any + Send + Sync>>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").field("stream", &self.stream).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Seen {
    /// A push that named its stream.
    pub fn push(site: &Site, client: &Client, stream: &str) -> Self {
        Self { stream: Some(stream.to_owned()), ..Self::connection(site, client) }
    }

    /// A connection that ended before it named a stream.
    pub fn connection(site: &Site, client: &Client) -> Self {
        Self { port: Some(client.port()), ..Self::any(site) }
    }

    /// A push whose port the lab does not know.
    pub fn stream(site: &Site, stream: &str) -> Self {
        Self { stream: Some(stream.to_owned()), ..Self::any(site) }
    }

    /// The only push that the server has seen.
    pub fn any(site: &Site) -> Self {
        let (events, checks, evidence_checks, keep) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (stream, port, at, told) = (None, None, None, None);
        Self { site: site.clone(), stream, port, at, told, events, checks, evidence_checks, keep }
    }

    /// The fault was made then.
    #[must_use]
    pub fn at(self, at: Timestamp) -> Self {
        Self { at: Some(at), ..self }
    }

    /// The fault was made now.
    #[must_use]
    pub fn now(self) -> Self {
        self.at(SystemClock.now())
    }

    /// The client was told this.
    #[must_use]
    pub fn told(self, told: Told) -> Self {
        Self { told: Some(told), ..self }
    }

    /// Such an event happened while the push was live.
    #[must_use]
    pub fn event(mut self, kind: EventKind) -> Self {
        self.events.push(kind);
        self
    }

    /// The record must also pass this check.
    #[must_use]
    pub fn check(mut self, check: impl Fn(&Record) -> Option<String> + Send + Sync + 'static) -> Self {
        self.checks.push(Box::new(check));
        self
    }

    /// The evidence behind the record must also pass this check.
    #[must_use]
    pub fn evidence(mut self, check: impl Fn(&Evidence) -> Option<String> + Send + Sync + 'static) -> Self {
        self.evidence_checks.push(Box::new(check));
        self
    }

    /// What the evidence fails of its checks.
    pub fn evidence_failed(&self, evidence: &Evidence) -> Option<String> {
        self.evidence_checks.iter().find_map(|check| check(evidence))
    }

    /// What a record fails of the checks.
    pub fn failed(&self, record: &Record) -> Option<String> {
        self.checks.iter().find_map(|check| check(record))
    }

    /// Keeps something until the record has been found.
    #[must_use]
    pub fn keep(mut self, thing: impl Any + Send + Sync) -> Self {
        self.keep.push(Box::new(thing));
        self
    }
}
