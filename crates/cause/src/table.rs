//! The table: 70 causes, each with its code, its side, and its wording in three languages.
//!
//! The rows stand below, in the order of the table. What is said about them stands in one file per language, each a
//! `match` over all causes, so that a row without words does not compile.

mod en;
mod ja;
mod lang;
mod side;
mod streamer;
#[cfg(test)]
mod tests;
mod zh;

use std::fmt;
use std::str::FromStr;

use model::Code;
use serde::{Deserialize, Serialize};

pub use lang::{Lang, LangError};
pub use side::{Side, SideError};
pub use streamer::Plain;

/// What is said about one cause in one language.
struct Text {
    /// The table's message. Several rows share one.
    errmsg: &'static str,
    /// One sentence: what happened. Each row has its own.
    meaning: &'static str,
    /// What to do about it. Each row has its own.
    advice: &'static str,
}

/// Makes [`Cause`] and its numbers from the rows.
macro_rules! causes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $errcode:literal / $sub_errcode:literal, $side:ident;)+) => {
        /// Why a push ended: one row of the table. As text and in JSON it is its code, such as `18/503`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Cause {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Cause {
            /// Every row, in the order of the table.
            pub const ALL: [Self; 70] = [$(Self::$variant),+];

            /// The row's numbers.
            pub const fn code(self) -> Code {
                match self {
                    $(Self::$variant => Code::new($errcode, $sub_errcode),)+
                }
            }

            /// The row with these numbers, if there is one.
            pub const fn from_code(code: Code) -> Option<Self> {
                match (code.errcode, code.sub_errcode) {
                    $(($errcode, $sub_errcode) => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// Who ended a push that has this cause.
            pub const fn side(self) -> Side {
                match self {
                    $(Self::$variant => Side::$side,)+
                }
            }
        }
    };
}

causes! {
    /// The push ended and no other row explains it. Expected never; counted as a defect.
    Unknown = 0/0, Server;
    /// `deleteStream` of the published stream was received.
    DeleteStream = 1/0, Client;
    /// `closeStream` was received, or `FCUnpublish` and then nothing that says otherwise.
    CloseStream = 2/0, Client;
    /// End of file on the socket, without a goodbye.
    EndOfFile = 3/0, Client;
    /// The connection was reset by the peer.
    Reset = 4/0, Client;
    /// The push's task failed: a panic or a broken invariant.
    TaskFailed = 5/0, Server;
    /// The RTMP protocol was broken: handshake, chunk header, message, order of commands.
    ProtocolBroken = 6/0, Client;
    /// One RTMP message was larger than the limit.
    MessageTooLarge = 7/0, Client;
    /// Went live and sent no media for the idle limit.
    NeverSentMedia = 8/0, Policy;
    /// This node was stopped in an orderly way.
    NodeStopped = 9/0, Server;
    /// This node was passing the push on, and was told to stop.
    ProxyToldToStop = 10/0, Server;
    /// This node died; written from the journal at the next start.
    NodeDied = 11/0, Server;
    /// The path was lost: our own bytes stayed unacknowledged until TCP gave up.
    PathLost = 12/0, Network;
    /// Host or network unreachable.
    Unreachable = 13/0, Network;
    /// Sending to the client failed, and nothing else was seen.
    SendFailed = 14/0, Network;
    /// The client closed or reset, but its uplink had collapsed before.
    UplinkCollapsed = 15/0, Network;
    /// The push fell behind real time by more than the lag limit.
    LagLimit = 16/0, Network;
    /// A secured or datagram transport was lost.
    TransportLost = 17/0, Network;
    /// The catalog was not available.
    CatalogUnavailable = 18/100, Server;
    /// The stream registry was not reachable.
    RegistryUnreachable = 18/101, Server;
    /// The stream registry answered with a conflict that did not resolve in time.
    RegistryConflict = 18/102, Server;
    /// The journal could not be written.
    JournalUnwritable = 18/103, Server;
    /// Overload: connections, memory, file descriptors or CPU above the limit.
    Overload = 18/104, Server;
    /// The account that owns the domain could not be found.
    AccountUnknown = 18/200, Policy;
    /// The account is stopped.
    AccountStopped = 18/201, Policy;
    /// The account is in arrears.
    AccountOverdue = 18/202, Policy;
    /// The account is force-stopped.
    AccountForceStopped = 18/203, Policy;
    /// The push URL names an IP address, and that is not allowed.
    PushByIp = 18/300, Policy;
    /// The domain is not in the catalog.
    DomainUnknown = 18/301, Policy;
    /// The domain is missing or not a valid domain name.
    DomainInvalid = 18/302, Policy;
    /// The domain is disabled.
    DomainDisabled = 18/303, Policy;
    /// The app is disabled.
    AppDisabled = 18/304, Policy;
    /// The stream is forbidden until its resume time.
    StreamForbidden = 18/305, Policy;
    /// The domain is in channel mode and has no such channel.
    ChannelMissing = 18/306, Policy;
    /// The domain is in channel mode and the channel is stopped.
    ChannelStopped = 18/307, Policy;
    /// Illegal characters or length in the stream name.
    StreamNameIllegal = 18/308, Policy;
    /// Illegal characters or length in the app name.
    AppNameIllegal = 18/309, Policy;
    /// The client's address is on the blocklist.
    IpBlocked = 18/400, Policy;
    /// The client's address is not on the allowlist.
    IpNotAllowed = 18/401, Policy;
    /// `txTime` is missing or not exactly 8 hexadecimal digits.
    ExpiryMissing = 18/500, Policy;
    /// `txTime` has passed.
    Expired = 18/501, Policy;
    /// `txSecret` is missing.
    SignatureMissing = 18/502, Policy;
    /// `txSecret` is wrong.
    SignatureWrong = 18/503, Policy;
    /// The account or domain already has as many pushes as allowed.
    TooManyPushes = 18/600, Policy;
    /// This stream key already has as many pushes as allowed.
    TooManyPushesOfStream = 18/601, Policy;
    /// The push's priority is lower than that of the push that is live.
    PriorityLower = 18/602, Policy;
    /// The third-party authentication hook said no or did not answer.
    HookRefused = 19/0, Policy;
    /// Sent media, then none for the idle limit, while the path was alive.
    MediaStopped = 20/0, Policy;
    /// An operator dropped the live stream.
    Dropped = 21/100, Operator;
    /// An operator forbade the live stream.
    Forbidden = 21/101, Operator;
    /// A new push of the same stream key took over.
    TakenOver = 21/102, Policy;
    /// A new push of the same stream key took over from this one, which had sent no data.
    TakenOverEmpty = 21/103, Policy;
    /// Left before the first byte.
    LeftBeforeFirstByte = 22/0, Client;
    /// Media content is broken, and the domain is strict about it.
    MediaBroken = 23/0, Client;
    /// The live pipeline behind the push failed: hub, muxer, relay.
    PipelineFailed = 24/0, Server;
    /// Left in the RTMP handshake.
    LeftInRtmpHandshake = 25/0, Client;
    /// Left after the handshake, before `connect`.
    LeftBeforeConnect = 26/0, Client;
    /// Left after `connect`, before a stream was created.
    LeftAfterConnect = 27/0, Client;
    /// Left after `createStream`, before `publish` was accepted.
    LeftBeforePublish = 28/0, Client;
    /// Left in the TLS handshake.
    LeftInTlsHandshake = 29/0, Client;
    /// Left in the SRT handshake.
    LeftInSrtHandshake = 30/0, Client;
    /// Left in the set-up of WHIP, ICE or DTLS.
    LeftInWebrtcSetup = 31/0, Client;
    /// Left while the authentication hook was deciding.
    LeftInAuthHook = 32/0, Client;
    /// The AMF of a command is broken.
    AmfBroken = 33/0, Client;
    /// Imported from elsewhere without a known reason.
    Imported = 34/0, Client;
    /// Stopped in the way of a newer transport: SRT shutdown, WHIP DELETE.
    TransportGoodbye = 35/0, Client;
    /// The push's journal row could not be read.
    RowUnreadable = 36/0, Client;
    /// Nobody played the stream for the unplayed limit.
    Unplayed = 37/0, Policy;
    /// Ownership of the stream was lost.
    OwnershipLost = 38/0, Server;
    /// The frame rate was above the limit.
    FrameRateLimit = 39/0, Policy;
}

impl Cause {
    /// The table's message. In Japanese it is verbatim that of the public table; several rows share one.
    pub const fn errmsg(self, lang: Lang) -> &'static str {
        self.text(lang).errmsg
    }

    /// What happened, in one sentence.
    pub const fn meaning(self, lang: Lang) -> &'static str {
        self.text(lang).meaning
    }

    /// What to do about it.
    pub const fn advice(self, lang: Lang) -> &'static str {
        self.text(lang).advice
    }

    const fn text(self, lang: Lang) -> Text {
        match lang {
            Lang::Ja => ja::text(self),
            Lang::En => en::text(self),
            Lang::Zh => zh::text(self),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code().fmt(f)
    }
}

impl From<Cause> for Code {
    fn from(cause: Cause) -> Self {
        cause.code()
    }
}

impl From<Cause> for String {
    fn from(cause: Cause) -> Self {
        cause.to_string()
    }
}

/// Text or numbers that name no row of the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no cause of the table: write its code, such as 18/503, or the errcode alone when its sub_errcode is 0"
)]
pub struct CauseError(pub String);

impl FromStr for Cause {
    type Err = CauseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().ok().and_then(Self::from_code).ok_or_else(|| CauseError(text.to_owned()))
    }
}

impl TryFrom<String> for Cause {
    type Error = CauseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl TryFrom<Code> for Cause {
    type Error = CauseError;

    fn try_from(code: Code) -> Result<Self, Self::Error> {
        Self::from_code(code).ok_or_else(|| CauseError(code.to_string()))
    }
}
