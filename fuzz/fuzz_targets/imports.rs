//! Any bytes as what a server elsewhere tells of its pushes: no panic; names are bounded and hold no control characters,
//! secrets are masked, and the same told twice has one id.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Timestamp;
use store::Import;

#[path = "../../crates/web/src/import/css.rs"]
mod css;
#[path = "../../crates/web/src/import/nginx_rtmp.rs"]
mod nginx_rtmp;
#[path = "../../crates/web/src/import/srs.rs"]
mod srs;
#[path = "../../crates/web/src/import/told.rs"]
mod told;

/// As in the server, as far as its readers look at it.
pub struct Importer {
    pub name: String,
    pub account: u64,
    pub key: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportError {
    Unreadable(#[allow(dead_code)] String),
    Field(#[allow(dead_code)] &'static str),
    Signature,
}

type Read = fn(&Importer, &[u8], Timestamp) -> Result<Option<Import>, ImportError>;
const READERS: [Read; 3] = [css::read, srs::read, nginx_rtmp::read];

mod callback {
    pub mod message {
        /// What is read is to be fuzzed, and not MD5: every callback is signed with the same word.
        pub fn sign(_: &str, _: i64) -> String {
            "signed".to_owned()
        }
    }
}

const NOW: Timestamp = Timestamp(1_703_731_500_000);

fuzz_target!(|bytes: &[u8]| {
    let importer = Importer { name: "edge".into(), account: 5, key: "key".into() };
    for read in READERS {
        let told = read(&importer, bytes, NOW);
        assert_eq!(told, read(&importer, bytes, NOW));
        let Ok(Some(Import::End { row, .. })) = told else { continue };
        let record = &row.record;
        for name in [&record.domain, &record.app, &record.stream, &record.encoder].into_iter().flatten() {
            assert!(name.len() <= 255 && !name.chars().any(char::is_control), "{name:?}");
        }
        assert!(record.node.len() <= 255);
        let param = record.stream_param.as_deref().unwrap_or_default();
        assert_eq!(model::mask::mask_query(param), param, "a secret is left");
        assert!(cause::Cause::from_code(record.code()).is_some());
    }
});
