//! How evidence is stored: two bytes of version, then postcard, at most [`MAX_EVIDENCE_BYTES`].

mod version_1;

use super::{CarrierFacts, EVIDENCE_VERSION, Evidence, TlsFacts};
use crate::event::{EventCount, OCCURRENCES_KEPT, Occurrence};

/// The most that one push's evidence takes on disk, bytes.
pub const MAX_EVIDENCE_BYTES: usize = 16 * 1024;

/// The longest text that is stored, bytes. Details cut theirs shorter, so that thinning changes no verdict.
const TEXT_BYTES: usize = 512;
/// Kinds of events that are stored, and the longest text of one, bytes.
const EVENTS: usize = 32;
const EVENT_TEXT_BYTES: usize = 120;
/// Samples that thinning leaves while there is anything else to drop: the last five minutes, second by second.
const SECONDS_KEPT: usize = 300;
/// How postcard writes that a field is absent: the last of version 4, which version 3 lacks, and the one before it, which
/// version 2 lacks too.
const ABSENT: u8 = 0;
/// Bytes that a sample takes.
const SAMPLE_BYTES: usize = 14;

/// Stored evidence that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Shorter than its version number.
    #[error("evidence of {0} bytes, too short for its version")]
    Truncated(usize),
    /// Written by a newer program, or not evidence at all.
    #[error("evidence of version {0}, but this program reads versions 1 to {EVIDENCE_VERSION}")]
    UnknownVersion(u16),
    /// Its bytes do not make sense.
    #[error("evidence of version {version} that cannot be read: {reason}")]
    Broken {
        /// The version it gives.
        version: u16,
        /// Where reading stopped.
        reason: String,
    },
}

impl Evidence {
    /// The stored form: the version as two little-endian bytes, then postcard; at most [`MAX_EVIDENCE_BYTES`].
    ///
    /// What would be larger is thinned: first the oldest samples of the timeline down to the last five minutes, then
    /// the media headers and commands of the black box, then more of the timeline.
    pub fn encode(&self) -> Vec<u8> {
        let whole = self.written();
        if whole.len() <= MAX_EVIDENCE_BYTES && self.texts_fit() {
            return whole;
        }
        let mut thin = self.clone();
        thin.cut_texts();
        let steps: [fn(&mut Self, usize); 6] = [
            |e, excess| e.drop_samples(excess, SECONDS_KEPT),
            |e, _| e.black_box.drop_media(),
            |e, _| e.black_box.drop_commands(),
            |e, _| e.keep_newest_occurrences(),
            |e, excess| e.drop_samples(excess, 0),
            |e, _| e.act.iter_mut().for_each(|act| act.detail = None),
        ];
        let mut bytes = thin.written();
        for step in steps {
            let excess = bytes.len().saturating_sub(MAX_EVIDENCE_BYTES);
            if excess == 0 {
                break;
            }
            step(&mut thin, excess);
            bytes = thin.written();
        }
        bytes
    }

    /// Reads evidence of this version or an older one.
    ///
    /// # Errors
    /// When the bytes are no evidence, or were written by a newer version.
    pub fn decode(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let Some((version, body)) = bytes.split_first_chunk::<2>() else {
            return Err(EvidenceError::Truncated(bytes.len()));
        };
        let version = u16::from_le_bytes(*version);
        let broken = |reason: String| EvidenceError::Broken { version, reason };
        match version {
            EVIDENCE_VERSION => whole::<Self>(body).map_err(broken),
            3 => whole::<Self>(&[body, &[ABSENT]].concat()).map_err(broken),
            2 => whole::<Self>(&[body, &[ABSENT, ABSENT]].concat()).map_err(broken),
            1 => whole::<version_1::Evidence>(body).map(Self::from).map_err(broken),
            other => Err(EvidenceError::UnknownVersion(other)),
        }
    }

    fn written(&self) -> Vec<u8> {
        let header = EVIDENCE_VERSION.to_le_bytes().to_vec();
        // Writing into memory cannot fail. If it did, a version without a body is read back as broken evidence, and
        // the record itself still stands.
        postcard::to_extend(self, header).unwrap_or_else(|_| EVIDENCE_VERSION.to_le_bytes().to_vec())
    }

    fn drop_samples(&mut self, excess: usize, keep: usize) {
        let samples = self.timeline.len();
        self.timeline
            .keep_newest(samples.saturating_sub(excess.div_ceil(SAMPLE_BYTES)).max(keep.min(samples)));
    }

    /// Whether nothing is longer than [`Self::cut_texts`] leaves it.
    fn texts_fit(&self) -> bool {
        let client = [&self.client.agent, &self.client.encoder, &self.client.handshake].into_iter().flatten();
        let fault = self.fault.iter().flat_map(|fault| [&fault.rule, &fault.path, &fault.found]);
        let tls = self.tls().into_iter().flat_map(TlsFacts::texts);
        client.chain(fault).chain(tls).all(|text| text.len() <= TEXT_BYTES)
            && self.events.iter().all(|event| {
                event.recent.len() <= OCCURRENCES_KEPT
                    && event.recent.iter().all(|seen| seen.text.len() <= EVENT_TEXT_BYTES)
            })
            && self.events.len() <= EVENTS
    }

    /// Cuts what a client could have made long.
    fn cut_texts(&mut self) {
        let client = [&mut self.client.agent, &mut self.client.encoder, &mut self.client.handshake];
        let fault =
            self.fault.iter_mut().flat_map(|fault| [&mut fault.rule, &mut fault.path, &mut fault.found]);
        client.into_iter().flatten().chain(fault).for_each(|text| cut(text, TEXT_BYTES));
        let tls = self.carrier.iter_mut().filter_map(CarrierFacts::tls_mut).flat_map(TlsFacts::texts_mut);
        tls.for_each(|text| cut(text, TEXT_BYTES));
        self.events.truncate(EVENTS);
        for event in &mut self.events {
            let old = event.recent.len().saturating_sub(OCCURRENCES_KEPT);
            event.recent.drain(..old);
            event.recent.iter_mut().for_each(|seen| cut(&mut seen.text, EVENT_TEXT_BYTES));
        }
    }

    /// Leaves one occurrence of each type of event.
    fn keep_newest_occurrences(&mut self) {
        for event in &mut self.events {
            event.recent = event.recent.pop().into_iter().collect();
        }
    }

    /// Bytes of memory that this evidence takes, texts included.
    pub fn memory_bytes(&self) -> usize {
        let client = [&self.client.agent, &self.client.encoder, &self.client.handshake].into_iter().flatten();
        let fault = self.fault.iter().flat_map(|fault| [&fault.rule, &fault.path, &fault.found]);
        let texts: usize = client
            .chain(fault)
            .chain(self.events.iter().flat_map(|event| event.recent.iter().map(|seen| &seen.text)))
            .map(String::capacity)
            .sum();
        let recent: usize =
            self.events.iter().map(|event| event.recent.capacity() * size_of::<Occurrence>()).sum();
        let events = self.events.capacity() * size_of::<EventCount>() + recent;
        let carrier = self.carrier.as_ref().map_or(0, CarrierFacts::heap_bytes);
        size_of::<Self>()
            + carrier
            + texts
            + events
            + self.timeline.heap_bytes()
            + self.black_box.heap_bytes()
    }
}

/// Reads one value that takes all bytes.
fn whole<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let (value, rest) = postcard::take_from_bytes::<T>(body).map_err(|error| error.to_string())?;
    if rest.is_empty() { Ok(value) } else { Err(format!("{} bytes after its end", rest.len())) }
}

/// Cuts `text` to at most `max` bytes, at a character's edge.
pub(crate) fn cut(text: &mut String, max: usize) {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max));
    }
}

#[cfg(test)]
mod tests;
