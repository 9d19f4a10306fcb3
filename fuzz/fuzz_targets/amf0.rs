//! Any bytes: no panic, and whatever could be read is written so that it reads and writes the same.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use rtmp::amf0::{Decoder, Limits, Text, Value, encode_all};

fn written(values: &[Value]) -> BytesMut {
    let mut out = BytesMut::new();
    encode_all(values, &mut out);
    out
}

fuzz_target!(|bytes: &[u8]| {
    for text in [Text::Strict, Text::Lossy] {
        let mut decoder = Decoder::with(bytes, Limits::default(), text);
        let mut values = Vec::new();
        let error = loop {
            match decoder.next() {
                Ok(Some(value)) => values.push(value),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        let first = written(&values);
        let back = Decoder::new(&first).rest().expect("what was written can be read");
        assert_eq!(written(&back), first);
        if let Some(error) = error {
            assert!(error.offset <= bytes.len());
            let partial = decoder.partial().into_iter().collect::<Vec<_>>();
            assert!(written(&partial).is_empty() == partial.is_empty());
        }
    }
});
