//! A playlist as it goes over the wire: plain, or compressed.

use std::io::Write;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// A playlist, once for all who ask. It is compressed when somebody asks for that first.
#[derive(Debug)]
pub struct Text {
    plain: Bytes,
    gzip: OnceLock<Bytes>,
}

impl Text {
    /// This text.
    pub fn new(text: String) -> Self {
        Self { plain: Bytes::from(text), gzip: OnceLock::new() }
    }

    /// As it is.
    pub fn plain(&self) -> &Bytes {
        &self.plain
    }

    /// Compressed (RFC 1952).
    pub fn gzip(&self) -> &Bytes {
        self.gzip.get_or_init(|| compress(&self.plain))
    }
}

fn compress(text: &[u8]) -> Bytes {
    // Playlists repeat themselves so much that more effort finds little more.
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
    // Writing to memory cannot fail; if it did, what has been written would still be no playlist.
    let written = encoder.write_all(text).and_then(|()| encoder.finish());
    written.map(Bytes::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn what_was_compressed_is_what_it_was_and_smaller() {
        let line = "#EXT-X-PART:DURATION=0.30000,URI=\"part-7-1.m4s\"\n";
        let text = Text::new(line.repeat(50));
        let mut read = String::new();
        GzDecoder::new(&text.gzip()[..]).read_to_string(&mut read).unwrap();
        assert_eq!(read.as_bytes(), &text.plain()[..]);
        assert!(text.gzip().len() * 5 < text.plain().len());
    }
}
