//! Any bytes in the store: no panic, and what can be read gives a verdict, the same after being written and read again.

#![no_main]

use cause::{Evidence, verdict};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(evidence) = Evidence::decode(bytes) {
        let first = verdict(&evidence);
        if let Ok(again) = Evidence::decode(&evidence.encode()) {
            assert_eq!(verdict(&again).cause, first.cause);
        }
    }
});
