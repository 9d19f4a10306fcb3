//! What clients are known to do, in one table: their habits look like faults to whoever does not know them.
//!
//! A row is there because it was seen with the very client; the fault lab's scenarios with real encoders see it again.

use crate::evidence::ClientFacts;

/// A habit of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// It answers no RTMP pings, so that a missing answer says nothing about the program.
    AnswersNoPings,
    /// It reads nothing while it publishes: what of ours it leaves unread turns its clean stop into a reset, and on a full
    /// path its system throws the goodbye away.
    ReadsNothing,
    /// It closes right behind its goodbye, and what we were still sending is answered with a reset.
    ResetsAfterGoodbye,
}

impl Quirk {
    /// As a stable word of a detail.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AnswersNoPings => "answers_no_pings",
            Self::ReadsNothing => "reads_nothing",
            Self::ResetsAfterGoodbye => "resets_after_goodbye",
        }
    }
}

/// What is known of one client.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What people call it.
    pub client: &'static str,
    /// How it names itself in `encoder` of onMetaData, or in `flashVer`: this text, and its version behind it.
    named: &'static str,
    /// The newest major version that does it; `None` means every one.
    up_to: Option<u32>,
    /// What it does.
    pub quirk: Quirk,
    /// Where that was seen.
    pub source: &'static str,
}

/// The table.
pub const QUIRKS: [Row; 3] = [
    Row {
        client: "OBS",
        named: "libobs version ",
        up_to: None,
        quirk: Quirk::AnswersNoPings,
        source: "OBS 29.0.2 answered 0 of 41 pings; its output never looks at user control messages",
    },
    Row {
        client: "ffmpeg",
        named: "Lavf",
        // libavformat 60 is ffmpeg 6.
        up_to: Some(60),
        quirk: Quirk::ResetsAfterGoodbye,
        source: "ffmpeg 5.1 and 6.0: a reset behind FCUnpublish and deleteStream while an answer of ours was under way",
    },
    Row {
        client: "GStreamer",
        named: "GStreamer ",
        up_to: None,
        quirk: Quirk::ReadsNothing,
        source: "GStreamer 1.22 rtmpsink, which is librtmp; rtmp2sink names itself alike, and does read",
    },
];

/// The habits of this client.
pub fn known(client: &ClientFacts) -> impl Iterator<Item = &'static Row> {
    let names = [client.encoder.as_deref(), client.agent.as_deref()];
    QUIRKS.iter().filter(move |row| names.iter().flatten().any(|name| row.is_of(name)))
}

impl Row {
    fn is_of(&self, name: &str) -> bool {
        let Some((_, version)) = name.split_once(self.named) else { return false };
        let digits = version.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        match (digits.parse::<u32>(), self.up_to) {
            (Ok(major), Some(newest)) => major <= newest,
            (Ok(_), None) => true,
            (Err(_), _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quirks(encoder: &str, agent: &str) -> Vec<Quirk> {
        let (encoder, agent) = (Some(encoder.to_owned()), Some(agent.to_owned()));
        known(&ClientFacts { encoder, agent, ..ClientFacts::default() }).map(|row| row.quirk).collect()
    }

    #[test]
    fn clients_are_known_by_what_they_call_themselves() {
        let obs = "obs-output module (libobs version 29.0.2)";
        assert_eq!(quirks(obs, "FMLE/3.0 (compatible; FMSc/1.0)"), [Quirk::AnswersNoPings]);
        assert_eq!(
            quirks("Lavf59.27.100", "FMLE/3.0 (compatible; Lavf59.27.100)"),
            [Quirk::ResetsAfterGoodbye]
        );
        assert_eq!(quirks("Lavf63.1.102", ""), [], "it waits for the answer");
        assert_eq!(quirks("GStreamer 1.22.0 FLV muxer", "LNX 10,0,32,18"), [Quirk::ReadsNothing]);
        for stranger in ["", "Lavf", "Lavfx", "libobs version", "An encoder of 1999"] {
            assert_eq!(quirks(stranger, stranger), [], "{stranger}");
        }
    }

    #[test]
    fn every_row_says_where_it_was_seen() {
        for row in QUIRKS {
            assert!(row.source.contains(char::is_numeric), "{}: no version in `{}`", row.client, row.source);
        }
    }
}
