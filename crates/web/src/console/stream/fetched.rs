//! From which nodes others fetched the stream for their viewers, and how that ended.

use model::{FetchEnd, FetchRecord};

use crate::console::frame::Frame;
use crate::console::show::{Chip, When, duration, grouped};
use crate::present::fetch_in_language;

/// One fetch that has ended.
pub(super) struct Fetched {
    pub id: String,
    pub at: When,
    /// The node that fetched, and the one that it came from last.
    pub node: String,
    pub owner: String,
    /// Why it ended, in words.
    pub why: String,
    /// The cause; `None` where the node that fetched ended it itself.
    pub chip: Option<Chip>,
    /// The finer finding, with the owner's own words.
    pub detail: String,
    pub viewers: String,
    pub lasted: String,
}

impl Fetched {
    pub fn of(fetch: FetchRecord, f: &Frame) -> Self {
        let fetch = fetch_in_language(fetch, f.lang);
        Self {
            id: fetch.id.to_string(),
            at: When::of(fetch.ended_at),
            chip: fetch.code().map(|code| Chip::of(code, f.lang)),
            node: fetch.node,
            owner: fetch.owner.unwrap_or_default(),
            why: f.t(why(fetch.why)),
            detail: fetch.detail.map(|detail| detail.text).unwrap_or_default(),
            viewers: grouped(fetch.viewers),
            lasted: duration(f.words(), fetch.ended_at.since(fetch.since)),
        }
    }
}

fn why(end: FetchEnd) -> &'static str {
    match end {
        FetchEnd::Idle => "fetch-idle",
        FetchEnd::Over => "fetch-over",
        FetchEnd::NoOwner => "fetch-no-owner",
        FetchEnd::Here => "fetch-here",
        FetchEnd::Stopping => "fetch-stopping",
        FetchEnd::Died => "fetch-died",
    }
}
