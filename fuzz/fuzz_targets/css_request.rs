//! Any bytes as the authorization header, the form and the JSON of a call to the CSS API: no panic, and what was read
//! reads the same when it is written again.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../crates/web/src/api/css/auth/authorization.rs"]
mod authorization;
#[allow(dead_code)]
#[path = "../../crates/web/src/api/css/error.rs"]
mod error;
#[path = "../../crates/web/src/api/css/request/form.rs"]
mod form;
#[allow(dead_code)]
#[path = "../../crates/web/src/api/css/request/value.rs"]
mod value;

/// The place by which these know each other.
mod api {
    pub mod css {
        pub(crate) use crate::error;
    }
}

use authorization::Authorization;
use value::{Params, Value};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        for text in [text.to_owned(), format!("TC3-HMAC-SHA256 {text}")] {
            if let Ok(read) = Authorization::parse(&text) {
                let (id, date, service) = (&read.secret_id, &read.date, &read.service);
                let (headers, signature) = (read.signed_headers.join(";"), hex::encode(read.signature));
                let again = format!(
                    "TC3-HMAC-SHA256 Credential={id}/{date}/{service}/tc3_request, SignedHeaders={headers}, \
                     Signature={signature}"
                );
                // Blanks around a part are no part of it, so only what has none inside must read back.
                if again.len() <= 4_096 {
                    assert_eq!(Authorization::parse(&again).as_ref(), Ok(&read));
                }
            }
        }
    }
    if let Ok(params) = form::read(bytes) {
        let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let pairs = params.iter().map(|(name, value)| match value {
            Value::Text(text) => format!("{}={}", escaped(name), escaped(text)),
            other => panic!("a form holds text alone, not {other:?}"),
        });
        let again = pairs.collect::<Vec<_>>().join("&");
        assert_eq!(form::read(again.as_bytes()).as_ref(), Ok(&params));
    }
    let _ = Params::from_json(bytes);
});
