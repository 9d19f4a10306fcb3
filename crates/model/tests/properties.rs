//! What holds for every input: reading never panics, signatures admit what they signed and nothing else, and masked
//! text holds no secret.

use model::Timestamp;
use model::mask::{mask_query, mask_text};
use model::sign::{Algorithm, SignError, signed_query, verify};
use model::stream_key::{Params, PushUrl};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_763_841_600_000);
const SECRET_NAMES: [&str; 8] =
    ["txSecret", "token", "password", "KEY", "streamKey", "wsSecret", "auth_key", "signature"];

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop_oneof![Just(Algorithm::Md5), Just(Algorithm::Sha256)]
}

/// `text` with the character at `at` (modulo its length) replaced by `with`.
fn changed(text: &str, at: usize, with: char) -> String {
    let at = at % text.chars().count();
    text.chars().enumerate().map(|(i, c)| if i == at { with } else { c }).collect()
}

proptest! {
    #[test]
    fn any_texts_are_read_as_a_push_url(tc_url: String, app: String, name: String) {
        let _ = PushUrl::from_rtmp(&tc_url, &app, &name);
        let _ = PushUrl::from_path(Some(&tc_url), &app, &name);
        let _ = PushUrl::from_srt_streamid(&tc_url);
    }

    #[test]
    fn texts_that_look_like_urls_are_read_as_a_push_url(
        tc_url in "rtmps?://[a-z\\[\\]:.@%0-9]{0,12}[/?=&a-z%]{0,12}",
        app in "[/?=&a-c%2F]{0,12}",
        name in "[/?=&a-c%2F]{0,12}",
    ) {
        let url = PushUrl::from_rtmp(&tc_url, &app, &name);
        let sent = tc_url.len() + app.len() + name.len();
        prop_assert!(url.app.len() + url.stream.len() + url.query.len() <= sent + 4);
    }

    /// ffmpeg's way to cut a URL (at the second slash), rtmp2sink's (at the last) and OBS's (at the end of the
    /// server field) give the same stream key and parameters.
    #[test]
    fn wherever_a_url_is_cut_the_stream_key_is_the_same(
        segments in prop::collection::vec("[a-z0-9]{1,4}", 2..5),
        value in "[a-z0-9]{1,3}(/[a-z0-9]{1,3}){0,3}",
    ) {
        let path = segments.join("/");
        let url = format!("{path}?txSecret=abc&from={value}");
        let slashes: Vec<_> = url.match_indices('/').map(|(at, _)| at).collect();
        let second = slashes.get(1).or(slashes.first()).unwrap();
        for cut in [second, slashes.last().unwrap(), &path.rfind('/').unwrap()] {
            let (app, name) = (&url[..*cut], &url[cut + 1..]);
            let read = PushUrl::from_rtmp(&format!("rtmp://h/{app}"), app, name);
            prop_assert_eq!(format!("{}/{}", read.app, read.stream), path.as_str());
            prop_assert_eq!(read.params.get("from"), Some(value.as_str()));
            prop_assert_eq!(read.query, url.split_once('?').unwrap().1);
        }
    }

    #[test]
    fn what_was_signed_is_admitted(key in "\\PC{1,40}", stream in "\\PC{1,40}", ahead in 1_000i64..1_000_000_000, algorithm in algorithm()) {
        let query = signed_query(&key, &stream, Timestamp(NOW.0 + ahead), algorithm);
        let signed = verify(&["", &key], "live", &stream, &Params::parse(&query), NOW);
        prop_assert_eq!(signed.map(|s| s.expires.secs()), Ok((NOW.0 + ahead) / 1000));
    }

    #[test]
    fn any_change_of_what_was_signed_is_refused(
        key in "[a-zA-Z0-9]{1,40}",
        stream in "[a-zA-Z0-9_-]{1,40}",
        part in 0..4usize,
        at: usize,
        with in "[a-zA-Z0-9]",
        algorithm in algorithm(),
    ) {
        let query = signed_query(&key, &stream, Timestamp(NOW.0 + 3_600_000), algorithm);
        let params = Params::parse(&query);
        let mut parts = [key, stream, params.get("txSecret").unwrap().to_owned(), params.get("txTime").unwrap().to_owned()];
        let other = changed(&parts[part], at, with.chars().next().unwrap());
        prop_assume!(other != parts[part]);
        parts[part] = other;
        let [key, stream, secret, time] = parts;
        let params = Params::parse(&format!("txSecret={secret}&txTime={time}"));
        let refused = verify(&[&key], "live", &stream, &params, NOW).unwrap_err();
        let as_expected = matches!(
            (part, &refused),
            (0..=2, SignError::SecretWrong(_))
                | (3, SignError::SecretWrong(_) | SignError::Expired { .. } | SignError::TimeMissing { .. })
        );
        prop_assert!(as_expected, "{:?}", refused);
    }

    #[test]
    fn any_parameters_are_verified_without_panic(key: String, stream: String, secret: String, time: String, now: i64) {
        let params = Params::parse(&format!("txSecret={secret}&txTime={time}"));
        let _ = verify(&[&key], "", &stream, &params, Timestamp(now));
        let _ = signed_query(&key, &stream, Timestamp(now), Algorithm::Md5);
    }

    #[test]
    fn a_time_is_well_formed_exactly_if_it_is_eight_hexadecimal_digits(time in "[0-9a-fA-FxgG+ -]{6,10}") {
        let refused = verify(&[], "", "s", &Params::parse(&format!("txTime={time}")), Timestamp(0));
        let well_formed = time.len() == 8 && time.chars().all(|c| c.is_ascii_hexdigit()) && time != "00000000";
        let missing = matches!(refused, Err(SignError::TimeMissing { .. }));
        prop_assert!(missing != well_formed || time == "00000000");
    }

    #[test]
    fn masked_text_holds_no_secret(
        name in prop::sample::select(&SECRET_NAMES[..]),
        secret in "[A-Za-z0-9+/=_-]{8,64}",
        before in "[a-f]{1,3}=[a-z0-9]{1,5}",
        after in "[a-f]{1,3}=[a-z0-9]{1,5}",
    ) {
        let query = format!("{before}&{name}={secret}&{after}");
        let masked = format!("{before}&{name}=***&{after}");
        prop_assert_eq!(&mask_query(&query), &masked);
        prop_assert_eq!(mask_text(&format!("rtmp://h:1/live/s?{query} x")), format!("rtmp://h:1/live/s?{masked} x"));
        let nested: String = query.bytes().map(|b| format!("%{b:02x}")).collect();
        prop_assert_eq!(mask_query(&format!("u=rtmp%3A%2F%2Fh%2Fs%3F{nested}")), "u=***");
        let id = format!("#!::r=live/s,{name}={secret},txTime=5C271099");
        prop_assert_eq!(mask_text(&id), format!("#!::r=live/s,{name}=***,txTime=5C271099"));
    }

    #[test]
    fn a_secret_is_masked_whatever_stands_around_it(
        text: String,
        hostile in "[a-z=:&,;/@%?\"' ]{0,40}",
        after in "[a-z=:&,;/@%?\"' ]{0,20}",
    ) {
        const SECRET: &str = "f85a2ab363fe4dea";
        for before in [text, hostile.clone(), format!("token={hostile}"), format!("rtmp://{hostile}")] {
            let text = format!("{before}&txSecret={SECRET}&{after}");
            prop_assert!(!mask_text(&text).contains(SECRET), "{}", text);
            prop_assert!(!mask_query(&text).contains(SECRET), "{}", text);
        }
    }

    #[test]
    fn text_without_assignments_and_urls_stays_as_it_is(text in "[^=:]{0,60}") {
        prop_assert_eq!(mask_text(&text), text.as_str());
        prop_assert_eq!(mask_query(&text), text.as_str());
    }
}
