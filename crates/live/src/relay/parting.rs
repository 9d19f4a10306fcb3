//! How a connection to a target ended, before it was live or after.

use std::fmt;
use std::time::Duration;

use cause::evidence::{Close, Stage};
use cause::{Detail, DetailKey};
use rtmp::Fault;

/// What servers say to a publisher whose stream name is taken, or not a good one.
pub const BAD_NAME: &str = "NetStream.Publish.BadName";
/// Longer texts of a target are cut.
const LONGEST: usize = 300;

/// Something a target said in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Such as `NetStream.Publish.BadName`; empty where it gave none.
    pub code: String,
    /// Its words; empty where it gave none.
    pub text: String,
}

impl Said {
    /// What was said, without control characters and at a bounded length.
    pub fn new(code: &str, text: &str) -> Self {
        let clean = |text: &str| -> String {
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
        };
        Self { code: clean(code), text: clean(text) }
    }

    /// Whether it says that the name is taken, which passes, other than a refusal of this very publisher.
    pub fn is_busy(&self) -> bool {
        self.code == BAD_NAME
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code.is_empty(), self.text.is_empty()) {
            (false, false) => write!(f, "{}: {}", self.code, self.text),
            (false, true) => f.write_str(&self.code),
            (true, false) => f.write_str(&self.text),
            (true, true) => f.write_str("no, without a reason"),
        }
    }
}

/// The end of a connection to a target.
#[derive(Clone, Debug, PartialEq)]
pub enum Parting {
    /// It refused: `connect`, `createStream` or `publish`.
    Refused {
        /// How far it had come.
        stage: Stage,
        /// Its words.
        said: Said,
    },
    /// It told a live stream to stop.
    Stopped(Said),
    /// It ended the connection without a word, or the way to it did.
    Closed {
        /// How far it had come.
        stage: Stage,
        /// How.
        close: Close,
    },
    /// Its name has no address, or none of them answered.
    Unreachable(String),
    /// Its certificate is not to be trusted, or it speaks no TLS.
    Untrusted(String),
    /// It did not answer, or took nothing more.
    Silent {
        /// How far it had come.
        stage: Stage,
        /// For how long.
        limit: Duration,
    },
    /// What it sent is no RTMP.
    Broken(Box<Fault>),
    /// It asked to connect again, there or elsewhere.
    Moved(Option<String>),
}

impl Parting {
    /// Whether only a person can change it: to try again soon is of no use.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused { said, .. } => !said.is_busy(),
            Self::Untrusted(_) => true,
            _ => false,
        }
    }

    /// Whether it closed the connection where others say whether the name may be had. Some say nothing to a publisher
    /// whose name is taken; they say no more to one whom they refuse for another reason.
    pub fn may_be_busy(&self) -> bool {
        let ends = [Close::EndOfFile, Close::Reset];
        matches!(self, Self::Closed { stage: Stage::StreamCreated, close } if ends.contains(close))
    }

    /// What the target said, if it spoke.
    pub fn said(&self) -> Option<&Said> {
        match self {
            Self::Refused { said, .. } | Self::Stopped(said) => Some(said),
            _ => None,
        }
    }

    /// The finding under 10/0.
    pub fn detail(&self, address: &str) -> Detail {
        let of = |key| Detail::new(key).with("address", address);
        match self {
            Self::Refused { stage, said } => {
                of(DetailKey::UpstreamRefused).with("said", said.to_string()).with("step", stage.as_str())
            }
            Self::Stopped(said) => of(DetailKey::UpstreamOrder).with("said", said.to_string()),
            Self::Moved(to) => of(DetailKey::UpstreamOrder).with(
                "said",
                format!("{} {}", rtmp::ertmp::RECONNECT_REQUEST, to.as_deref().unwrap_or_default()),
            ),
            Self::Closed { stage, close } => {
                of(DetailKey::UpstreamClosed).with("close", close.as_str()).with("step", stage.as_str())
            }
            Self::Unreachable(reason) | Self::Untrusted(reason) => {
                of(DetailKey::UpstreamUnreachable).with("reason", reason.as_str())
            }
            Self::Silent { stage, limit } => of(DetailKey::UpstreamSilent)
                .with("step", stage.as_str())
                .with("limit_ms", u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
            Self::Broken(fault) => of(DetailKey::UpstreamBroken).with("reason", fault.to_string()),
        }
    }
}

/// For logs and the API.
impl fmt::Display for Parting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { stage, said } => write!(f, "refused ({}): {said}", words(*stage)),
            Self::Stopped(said) => write!(f, "told to stop: {said}"),
            Self::Closed { stage, close } => {
                write!(f, "the connection ended by {} ({})", close.as_str().replace('_', " "), words(*stage))
            }
            Self::Unreachable(reason) => write!(f, "cannot be reached: {reason}"),
            Self::Untrusted(reason) => write!(f, "not to be trusted: {reason}"),
            Self::Silent { stage, limit } => write!(f, "stood still for {limit:?} ({})", words(*stage)),
            Self::Broken(fault) => write!(f, "what it sent is no RTMP: {fault}"),
            Self::Moved(Some(to)) => write!(f, "asked to reconnect to {}", model::mask::mask_text(to)),
            Self::Moved(None) => f.write_str("asked to reconnect"),
        }
    }
}

fn words(stage: Stage) -> &'static str {
    match stage {
        Stage::NoBytes => "before its first byte",
        Stage::TlsHandshake => "in the TLS handshake",
        Stage::RtmpHandshake => "in the handshake",
        Stage::BeforeConnect => "before it answered connect",
        Stage::Connected => "before it answered createStream",
        Stage::StreamCreated => "before it answered publish",
        _ => "while live",
    }
}

#[cfg(test)]
mod tests {
    use cause::Lang;

    use super::*;

    #[test]
    fn what_a_target_said_stands_in_the_detail_and_is_bounded() {
        let said = Said::new("NetStream.Publish.Denied", &format!("no\nkey {}", "x".repeat(9_000)));
        let parting = Parting::Refused { stage: Stage::StreamCreated, said };
        let text = parting.detail("origin:1935").text(Lang::En);
        assert!(text.contains("origin:1935") && text.contains("Denied: no key xx"), "{text}");
        assert!(text.contains("after createStream") && text.len() < 700, "{text}");
        assert!(parting.is_refusal());
    }

    #[test]
    fn a_name_that_is_taken_is_worth_another_try_soon() {
        let busy = Said::new("NetStream.Publish.BadName", "Already publishing");
        assert!(!Parting::Refused { stage: Stage::StreamCreated, said: busy }.is_refusal());
        assert!(!Parting::Closed { stage: Stage::Live, close: Close::Reset }.is_refusal());
        assert!(Parting::Untrusted("expired".to_owned()).is_refusal());
    }

    #[test]
    fn only_a_close_in_place_of_an_answer_to_publish_may_mean_that_the_name_is_taken() {
        let closed = |stage, close| Parting::Closed { stage, close };
        assert!(closed(Stage::StreamCreated, Close::EndOfFile).may_be_busy());
        assert!(closed(Stage::StreamCreated, Close::Reset).may_be_busy());
        assert!(!closed(Stage::StreamCreated, Close::TimedOut).may_be_busy());
        assert!(!closed(Stage::Connected, Close::EndOfFile).may_be_busy());
        assert!(!Parting::Stopped(Said::new("", "")).may_be_busy());
    }

    #[test]
    fn every_parting_has_a_detail_of_its_cause_and_words() {
        let partings = [
            Parting::Stopped(Said::new("", "")),
            Parting::Closed { stage: Stage::Live, close: Close::EndOfFile },
            Parting::Unreachable("no address".to_owned()),
            Parting::Silent { stage: Stage::BeforeConnect, limit: Duration::from_secs(5) },
            Parting::Moved(Some("rtmp://a/b?token=secret".to_owned())),
        ];
        for parting in partings {
            let detail = parting.detail("h:1");
            assert!(detail.key.causes().contains(&cause::Cause::ProxyToldToStop), "{detail:?}");
            assert!(!parting.to_string().is_empty() && !parting.to_string().contains("secret"));
        }
    }
}
