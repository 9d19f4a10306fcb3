//! Evidence as version 1 wrote it: events with one sentence instead of occurrences, commands without their place among
//! the media messages.

use serde::Deserialize;

use crate::black_box::{BlackBox, CommandsOfVersion1, MediaRing};
use crate::event::{EventCount, Occurrence};
use crate::evidence::{
    Act, ClientFacts, Close, CutMessage, Errno, Goodbye, LimitFacts, MediaState, ProtocolFault, Silence,
    Stage, TcpFacts, Transport,
};
use crate::timeline::Timeline;

/// Field by field what stands in the bytes.
#[derive(Deserialize)]
pub(super) struct Evidence {
    version: u16,
    transport: Transport,
    stage: Stage,
    close: Close,
    goodbye: Option<Goodbye>,
    act: Option<Act>,
    fault: Option<ProtocolFault>,
    write_error: Option<Errno>,
    cut_message: Option<CutMessage>,
    media: MediaState,
    silence: Silence,
    tcp: Option<TcpFacts>,
    behind_proxy: bool,
    client: ClientFacts,
    limits: LimitFacts,
    timeline: Timeline,
    events: Vec<Event>,
    black_box: (CommandsOfVersion1, MediaRing),
    lived_ms: u64,
}

#[derive(Deserialize)]
struct Event {
    kind: u8,
    count: u32,
    first_ms: u32,
    last_ms: u32,
    last: String,
}

impl From<Event> for EventCount {
    fn from(event: Event) -> Self {
        let Event { kind, count, first_ms, last_ms, last } = event;
        let seen = Occurrence { at_ms: last_ms, text: last, ..Occurrence::default() };
        Self { kind, count, first_ms, last_ms, recent: vec![seen] }
    }
}

impl From<Evidence> for crate::Evidence {
    fn from(old: Evidence) -> Self {
        let (commands, media) = old.black_box;
        Self {
            version: old.version,
            transport: old.transport,
            stage: old.stage,
            close: old.close,
            goodbye: old.goodbye,
            act: old.act,
            fault: old.fault,
            write_error: old.write_error,
            cut_message: old.cut_message,
            media: old.media,
            silence: old.silence,
            tcp: old.tcp,
            behind_proxy: old.behind_proxy,
            client: old.client,
            limits: old.limits,
            timeline: old.timeline,
            events: old.events.into_iter().map(EventCount::from).collect(),
            black_box: BlackBox::of_version_1(commands, media),
            lived_ms: old.lived_ms,
            carrier: None,
            quality: None,
        }
    }
}
