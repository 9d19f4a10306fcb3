//! The black box as a sequence between client and server.

use cause::Evidence;
use cause::black_box::{MediaEntry, MediaEntryKind, What};

use crate::console::frame::Frame;
use crate::console::show::grouped;

/// One row of the sequence.
pub(super) struct Row {
    /// Seconds from connecting.
    pub at: String,
    /// `from-client`, `from-server`, `media`, `gap`, `fault`: how the row is drawn.
    pub class: &'static str,
    /// The command's or the media's name.
    pub name: String,
    /// Arguments in short.
    pub text: String,
    /// Its size with unit.
    pub size: String,
}

/// Everything that is kept, and the offending message at the end where there was one.
pub(super) fn rows(evidence: &Evidence, f: &Frame) -> Vec<Row> {
    let mut rows: Vec<Row> =
        evidence.black_box.sequence().into_iter().map(|s| row(s.at_ms, s.what, f)).collect();
    if rows.is_empty() {
        return rows;
    }
    if let Some(cut) = evidence.cut_message.filter(|cut| cut.want > 0) {
        let values = [("have", grouped(cut.have.into())), ("want", grouped(cut.want.into()))];
        rows.push(Row {
            at: seconds(u32::try_from(evidence.lived_ms).unwrap_or(u32::MAX)),
            class: "fault",
            name: f.tn("sequence-cut", cut.message_type),
            text: f.words().with("sequence-cut-of", &values),
            size: String::new(),
        });
    }
    if let Some(fault) = &evidence.fault {
        rows.push(Row {
            at: seconds(u32::try_from(evidence.lived_ms).unwrap_or(u32::MAX)),
            class: "fault",
            name: fault.rule.clone(),
            text: format!("{} · {}", fault.found, f.tn("sequence-offset", grouped(fault.offset))),
            size: String::new(),
        });
    }
    rows
}

fn row(at_ms: u32, what: What, f: &Frame) -> Row {
    let at = seconds(at_ms);
    match what {
        What::Command(entry) => Row {
            at,
            class: if entry.from_client { "from-client" } else { "from-server" },
            name: entry.name,
            text: entry.summary,
            size: bytes(entry.size.into()),
        },
        What::NotKept(count) => Row {
            at,
            class: "gap",
            name: f.tn("sequence-not-kept", grouped(count)),
            text: String::new(),
            size: String::new(),
        },
        What::Media(entry) => Row {
            at,
            class: "media",
            name: named(&entry, f),
            text: f.tn("sequence-timestamp", grouped(entry.timestamp.into())),
            size: bytes(entry.size.into()),
        },
        What::Run { video, audio, bytes: total, span_ms } => {
            let part = |key: &str, n: u32| (n > 0).then(|| format!("{} ×{n}", f.t(key)));
            let parts = [part("media-video", video), part("media-audio", audio)];
            Row {
                at,
                class: "media run",
                name: parts.into_iter().flatten().collect::<Vec<_>>().join(", "),
                text: format!("{:.2} s", f64::from(span_ms) / 1_000.0),
                size: bytes(total),
            }
        }
    }
}

fn named(entry: &MediaEntry, f: &Frame) -> String {
    let kind = f.t(match entry.kind {
        MediaEntryKind::Audio => "media-audio",
        MediaEntryKind::Video => "media-video",
        MediaEntryKind::Data => "media-data",
    });
    match (entry.config, entry.key_frame) {
        (true, _) => f.tn("media-config", kind),
        (false, true) => f.t("media-key"),
        _ => kind,
    }
}

fn bytes(n: u64) -> String {
    format!("{} B", grouped(n))
}

fn seconds(at_ms: u32) -> String {
    format!("{:.3}", f64::from(at_ms) / 1_000.0)
}
