//! Any texts a client can send: no panic, names without empty segments, the path read from a URL reads the same
//! again, and a secret is masked whatever stands around it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::mask::{mask_query, mask_text};
use model::stream_key::{Params, PushUrl};

const SECRET: &str = "f85a2ab363fe4dea";

fuzz_target!(|texts: (&str, &str, &str)| {
    let (tc_url, app, name) = texts;
    let _ = PushUrl::from_srt_streamid(tc_url);
    let _ = PushUrl::from_path(Some(tc_url), app, name);
    let url = PushUrl::from_rtmp(tc_url, app, name);
    assert_eq!(Params::parse(&url.query), url.params);
    // Percent signs, question marks and the like would be read anew.
    let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    if plain(&url.stream) && !url.stream.is_empty() && url.app.split('/').all(plain) {
        assert!(url.app.is_empty() || url.app.split('/').all(|segment| !segment.is_empty()));
        let again = PushUrl::from_rtmp(tc_url, &url.app, &format!("{}?{}", url.stream, url.query));
        if !url.app.is_empty() {
            assert_eq!((&again.app, &again.stream), (&url.app, &url.stream));
        }
    }
    if [tc_url, app].iter().any(|text| text.contains(SECRET)) {
        return;
    }
    let after_anything = format!("{tc_url}&txSecret={SECRET}&{app}");
    assert!(!mask_query(&after_anything).contains(SECRET));
    assert!(!mask_text(&after_anything).contains(SECRET));
});
