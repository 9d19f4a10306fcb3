//! Any bytes as a transport stream: no panic, bounded memory, and the same units however the bytes are cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use media::ts::{Demuxer, Faults, Output};

const LIMIT: usize = 4_096;

fn units<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<(u64, u64, Vec<u8>)>, Faults) {
    let mut demuxer = Demuxer::new(LIMIT);
    let mut units = Vec::new();
    let mut take = |output: Output<'_>| {
        if let Output::Unit(unit) = output {
            units.push((unit.pts, unit.dts, unit.data.to_vec()));
        }
    };
    for piece in pieces {
        demuxer.push(piece, &mut take);
        assert!(demuxer.buffered() <= 2 * LIMIT);
    }
    demuxer.finish(&mut take);
    (units, demuxer.faults())
}

fuzz_target!(|bytes: &[u8]| {
    let (size, stream) = bytes.split_first().unwrap_or((&0, &[]));
    let whole = units(std::iter::once(stream));
    assert_eq!(units(stream.chunks(usize::from(*size) + 1)), whole);
});
