//! Relay: a live stream passed on to other servers, and proxy mode, in which a server behind this one has the last word.
//!
//! | module | what lives there |
//! |---|---|
//! | `rule` | which streams are passed on |
//! | `pattern` | names with `*`, as rules write them |
//! | `target` | RTMP and RTMPS URLs with places for the stream key, and one place to publish to |
//! | `relays` | all relays of a node |
//! | `run` | one relay, from the first media to the end of the stream |
//! | `proxy` | a push whose upstream decides about it |
//! | `flow` | media from the hub to a link |
//! | `link` | a connection to another server: the socket, plain or TLS |
//! | `side` | what speaks on a link, without I/O, whatever it wants of the stream there |
//! | `sender` | the side that publishes |
//! | `parting` | how a connection to a target ended |
//! | `backoff` | how long to wait before the next attempt |
//! | `status` | what lists and metrics show |
//! | `tls` | whose certificates are trusted |

mod backoff;
mod flow;
pub(crate) mod link;
pub(crate) mod parting;
mod pattern;
pub(crate) mod proxy;
pub(crate) mod relays;
mod rule;
mod run;
mod sender;
pub(crate) mod side;
mod status;
pub(crate) mod target;
pub(crate) mod tls;

pub use pattern::Pattern;
pub use rule::{ProxyConfig, Rule};
pub use status::{Relay, RelayEvent, RelayFigures, RelayState, Role};
pub use target::{Endpoint, Target, TargetError};
pub use tls::{TrustError, read_authorities};
