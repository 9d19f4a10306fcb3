//! The live path: from an accepted connection to the end of its push.
//!
//! | room | what lives there |
//! |---|---|
//! | `ingest` | a file or folder a transport, and the listener |
//! | `arrivals` | who is connected from where, against the limits of the node |
//! | `socket` | a sensor around every socket, plain or secured, that remembers once how it ended |
//! | [`tls`] | the certificates of the node's own listeners |
//! | [`pace`] | how threads take more messages together the more of them come |
//! | `push` | a push's identity, watch, orders and end |
//! | `hub` | which push carries a live stream, who waits, who has to go |
//! | [`play`] | who may play what, and what players are sent |
//! | `relay` | live streams passed on to other servers, and proxy mode |
//! | [`pull`] | streams of other nodes, fetched for the viewers of this one |
//! | [`cluster`] | what is asked of other nodes, and done for them |
//! | `catalog` | the snapshot that admission reads, and its changes |
//! | `webrtc` | what WHIP and WHEP share: the UDP port, the peer, the resources |
//! | `drain` | taking the node out of service without cutting who can move |
//! | `auth_hook` | the third-party question before a push goes live |
//! | [`outbound`] | requests to others, held to the addresses they may go to |
//!
//! [`Live`] is the handle that the floors above hold; `start` makes it, on the ports that `listeners` bound.

mod arrivals;
mod auth_hook;
mod catalog;
mod caught;
pub mod cluster;
mod config;
mod counters;
mod drain;
mod handle;
mod hub;
mod ingest;
mod listeners;
pub mod outbound;
pub mod pace;
pub mod play;
pub mod pull;
mod push;
mod recent;
pub mod relay;
mod shared;
mod socket;
mod start;
pub mod tls;
mod udp;
mod webrtc;
mod webrtc_api;
pub use auth_hook::{
    HookChoice, HookChoiceError, HookConfigError, HookFacts, HookSample, HookState, HookTrial,
};
pub use catalog::{CatalogError, Change, NotShared, SharedCatalog, all_of};
pub use config::{
    AuthHookConfig, EventLimits, HlsConfig, HlsMode, Limits, ListenConfig, LiveConfig, PlayConfig, SrtConfig,
    WebRtcConfig, WebRtcTcp,
};
pub use counters::{LATENCY_BOUNDS_US, LiveCounters, PlayCounters};
pub use drain::{DrainPhase, DrainState};
pub use handle::{Live, OrderedBy};
pub use hub::{Switched, WatchError, feed};
pub use ingest::proxy_protocol;
pub use ingest::srt::SrtConfigError;
pub use ingest::whip::{Answered, Offer, WhipRefusal};
pub use listeners::Listeners;
pub use play::PlayError;
pub use play::whep::WhepError;
pub use push::{Declared, EventReport, EventSeen, LivePush, PushState, Second, TREND_SECONDS, Trend};
pub use socket::Line;
pub use start::StartError;
pub use webrtc::offer::OfferError;
pub use webrtc::{ResourceError, ResourceKind};
