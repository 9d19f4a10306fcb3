//! Evidence on disk: one append-only file a day, beside the record file of that day, deleted as a whole when evidence
//! is older than `keep_evidence`. It is written once, straight to where it stays: blobs of many KiB would otherwise be
//! written four times on their way through two databases and their WALs.
//!
//! An entry is, numbers little-endian:
//!
//! ```text
//! "LFev" | push id, 16 bytes | length, u32 | checksum, u64 | the evidence
//! ```
//!
//! The record holds offset and length of the whole entry. An entry is durable before the record that points to it; what a
//! crash leaves half-written at the end of the file is pointed to by nobody.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use model::PushId;

use crate::layout::{self, Day};
use crate::limits::{MAX_EVIDENCE, MAX_OPEN_DAYS};

const MAGIC: [u8; 4] = *b"LFev";
const HEADER: usize = 32;

/// Where an entry stands in the file of its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub offset: u64,
    pub length: u64,
}

/// The evidence files being written.
pub(crate) struct EvidenceFiles {
    dir: PathBuf,
    open: BTreeMap<Day, OpenFile>,
}

struct OpenFile {
    file: File,
    /// Length up to which entries are durable.
    durable: u64,
    /// Entries not written yet.
    buffer: Vec<u8>,
}

impl EvidenceFiles {
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, open: BTreeMap::new() }
    }

    /// Adds an entry; it is durable after the next [`EvidenceFiles::sync`].
    pub fn append(&mut self, day: Day, id: PushId, evidence: &[u8]) -> io::Result<Place> {
        let file = match self.open.entry(day) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => entry.insert(open(&self.dir, day)?),
        };
        let offset = file.durable + file.buffer.len() as u64;
        write_entry(&mut file.buffer, id, evidence);
        Ok(Place { offset, length: (HEADER + evidence.len()) as u64 })
    }

    /// Makes what was appended durable. On failure none of it is, and the files are as before.
    pub fn sync(&mut self) -> io::Result<()> {
        let outcome = self.open.values_mut().try_for_each(OpenFile::sync);
        if outcome.is_err() {
            self.discard();
        }
        while self.open.len() > MAX_OPEN_DAYS {
            self.open.pop_first();
        }
        outcome
    }

    /// Forgets what was appended since the last sync. Files are opened anew, since after a failed sync nobody knows
    /// what of them is on the disk.
    pub fn discard(&mut self) {
        for (_, open) in std::mem::take(&mut self.open) {
            if let Err(error) = open.file.set_len(open.durable) {
                tracing::warn!(%error, "an evidence file could not be cut back; its tail is unused");
            }
        }
    }
}

impl OpenFile {
    fn sync(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.file.write_all(&self.buffer)?;
        self.file.sync_data()?;
        self.durable += self.buffer.len() as u64;
        self.buffer.clear();
        self.buffer.shrink_to(1 << 20);
        Ok(())
    }
}

fn open(dir: &Path, day: Day) -> io::Result<OpenFile> {
    let path = layout::evidence_file(dir, day);
    let mut file = layout::private().open(&path)?;
    let durable = file.seek(SeekFrom::End(0))?;
    if durable == 0 {
        File::open(layout::records_dir(dir))?.sync_all()?;
    }
    Ok(OpenFile { file, durable, buffer: Vec::new() })
}

/// Why an entry could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EntryError {
    #[error("the evidence file cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("there is no whole evidence entry of this push at its place")]
    Broken,
}

/// Reads an entry; `None` when the file has aged out.
pub(crate) fn read(dir: &Path, day: Day, place: Place, id: PushId) -> Result<Option<Vec<u8>>, EntryError> {
    let mut file = match File::open(layout::evidence_file(dir, day)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let length = usize::try_from(place.length).map_err(|_| EntryError::Broken)?;
    if !(HEADER..=HEADER + MAX_EVIDENCE).contains(&length) {
        return Err(EntryError::Broken);
    }
    let mut entry = vec![0; length];
    file.seek(SeekFrom::Start(place.offset))?;
    file.read_exact(&mut entry).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => EntryError::Broken,
        _ => error.into(),
    })?;
    let evidence = read_entry(&entry, id).ok_or(EntryError::Broken)?;
    Ok(Some(evidence.to_vec()))
}

/// An entry as it is written.
fn write_entry(out: &mut Vec<u8>, id: PushId, evidence: &[u8]) {
    out.extend_from_slice(&header(id, evidence));
    out.extend_from_slice(evidence);
}

/// The evidence in an entry, if the entry is whole and this push's.
fn read_entry(entry: &[u8], id: PushId) -> Option<&[u8]> {
    let (found, evidence) = entry.split_at_checked(HEADER)?;
    (found == header(id, evidence)).then_some(evidence)
}

fn header(id: PushId, evidence: &[u8]) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(id.as_bytes());
    header.extend_from_slice(&u32::try_from(evidence.len()).unwrap_or(u32::MAX).to_le_bytes());
    header.extend_from_slice(&checksum(evidence).to_le_bytes());
    header
}

/// Finds torn and misplaced entries at the speed of memory: each step can be undone, so two texts that differ in one word
/// never have the same sum. Not meant against anyone who forges.
fn checksum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(bytes.len() as u64, |sum, word| step(sum, u64::from_le_bytes(*word)));
    rest.iter().fold(sum, |sum, byte| step(sum, u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn day() -> Day {
        Day::of(Timestamp(1_763_841_600_000))
    }

    fn files() -> (tempfile::TempDir, EvidenceFiles) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(layout::records_dir(dir.path())).unwrap();
        let files = EvidenceFiles::new(dir.path().to_owned());
        (dir, files)
    }

    fn id(n: u128) -> PushId {
        PushId::from_parts(Timestamp(1_763_841_600_000), n)
    }

    #[test]
    fn an_entry_reads_back_after_the_file_was_opened_anew() {
        let (dir, mut files) = files();
        let first = files.append(day(), id(1), b"first").unwrap();
        files.sync().unwrap();
        let mut files = EvidenceFiles::new(dir.path().to_owned());
        let second = files.append(day(), id(2), b"second").unwrap();
        files.sync().unwrap();
        assert_eq!(read(dir.path(), day(), first, id(1)).unwrap().unwrap(), b"first");
        assert_eq!(read(dir.path(), day(), second, id(2)).unwrap().unwrap(), b"second");
        assert!(matches!(read(dir.path(), day(), first, id(2)), Err(EntryError::Broken)));
    }

    #[test]
    fn discarded_entries_leave_no_gap() {
        let (dir, mut files) = files();
        files.append(day(), id(1), b"kept").unwrap();
        files.sync().unwrap();
        files.append(day(), id(2), b"discarded").unwrap();
        files.discard();
        let place = files.append(day(), id(3), b"next").unwrap();
        files.sync().unwrap();
        assert_eq!(place.offset, (HEADER + 4) as u64);
        assert_eq!(read(dir.path(), day(), place, id(3)).unwrap().unwrap(), b"next");
    }

    #[test]
    fn evidence_that_aged_out_is_none() {
        let (dir, _files) = files();
        assert!(read(dir.path(), day(), Place { offset: 0, length: 40 }, id(1)).unwrap().is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_entry_or_none(entry in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_entry(&entry, id(1));
        }

        #[test]
        fn any_changed_byte_is_noticed(
            evidence in proptest::collection::vec(any::<u8>(), 0..200), at: proptest::sample::Index, flip in 1u8..,
        ) {
            let mut entry = Vec::new();
            write_entry(&mut entry, id(1), &evidence);
            prop_assert_eq!(read_entry(&entry, id(1)), Some(&*evidence));
            prop_assert_eq!(read_entry(&entry, id(2)), None);
            let at = at.index(entry.len());
            entry[at] ^= flip;
            prop_assert_eq!(read_entry(&entry, id(1)), None);
            entry.truncate(at);
            prop_assert_eq!(read_entry(&entry, id(1)), None);
        }
    }

    #[test]
    fn a_place_outside_of_the_file_is_an_error() {
        let (dir, mut files) = files();
        files.append(day(), id(1), b"some").unwrap();
        files.sync().unwrap();
        for place in [(0, 35), (1, 36), (0, 37), (36, 36), (u64::MAX >> 1, 36), (0, u64::MAX), (0, 0)] {
            let place = Place { offset: place.0, length: place.1 };
            assert!(read(dir.path(), day(), place, id(1)).is_err(), "{place:?}");
        }
    }
}
