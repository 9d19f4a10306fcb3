//! What Lastframe's crates share, without any I/O: ids and time, the stream key of a push URL, the catalog and the
//! pure admission decision over it, URL signing, and the interruption record as people and programs see it.
//!
//! | module | holds |
//! |---|---|
//! | [`clock`] | the [`Clock`] trait: the only place where time and push ids come from |
//! | [`id`] | [`PushId`] and [`Sequence`] |
//! | [`code`] | [`Code`]: an `errcode`/`sub_errcode` pair |
//! | [`stream_key`] | domain, app and stream, and how they are read from what encoders send |
//! | [`catalog`] | accounts, domains, apps, keys, lists, limits, rules: everything admission needs |
//! | [`admission`] | the decision whether a push may go live, in one documented order |
//! | [`playback`] | which live stream a play URL means, and whether it may be played |
//! | [`sign`] | `txSecret`/`txTime` of push and play URLs |
//! | [`stream_url`] | the URLs that people paste into encoders and players |
//! | [`record`] | the interruption record and its JSON |
//! | [`fetch`] | the record of a fetch, and its JSON |
//! | [`mask`] | secrets taken out of what is kept or shown |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod admission;
pub mod catalog;
pub mod clock;
pub mod code;
pub mod fetch;
pub mod id;
pub mod mask;
pub mod playback;
pub mod record;
pub mod sign;
pub mod stream_key;
pub mod stream_url;

pub use admission::{Admission, AdmissionSettings, PushRequest, Refusal, Refused};
pub use catalog::Catalog;
pub use clock::{Clock, SystemClock, Timestamp};
pub use code::Code;
pub use fetch::{FetchEnd, FetchRecord};
pub use id::{PushId, Sequence};
pub use playback::{PlayGrant, PlayRefusal};
pub use record::Record;
pub use stream_key::{PushUrl, StreamKey};
pub use stream_url::{StreamUrl, UrlKind};
