//! Any bytes: no panic, and whatever could be read is written so that it reads and writes the same.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use rtmp::amf3::{Decoder, Value, encode};

fn read(bytes: &[u8]) -> (Vec<Value>, bool) {
    let mut decoder = Decoder::new(bytes);
    let mut values = Vec::new();
    loop {
        match decoder.next() {
            Ok(Some(value)) => values.push(value),
            Ok(None) => return (values, true),
            Err(error) => {
                assert!(error.offset <= bytes.len());
                return (values, false);
            }
        }
    }
}

fn written(values: &[Value]) -> BytesMut {
    let mut out = BytesMut::new();
    values.iter().for_each(|value| encode(value, &mut out));
    out
}

fuzz_target!(|bytes: &[u8]| {
    let (values, _) = read(bytes);
    let first = written(&values);
    let (back, whole) = read(&first);
    assert!(whole, "what was written can be read");
    assert_eq!(written(&back), first);
});
