//! Signed URLs, as Tencent Cloud CSS signs them: `txSecret` is the lower-case hex of MD5 or SHA-256 over
//! key, StreamName and the text of `txTime`; `txTime` is the end of the URL's validity in Unix seconds, 8 hex digits.
//!
//! Domain, app and other parameters are not signed. The text of `txTime` is hashed as written, since both letter
//! cases are in use.

use md5::{Digest, Md5};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::clock::Timestamp;
use crate::stream_key::Params;

/// The parameter that carries the signature.
pub const TX_SECRET: &str = "txSecret";
/// The parameter that carries the end of validity.
pub const TX_TIME: &str = "txTime";

/// So much of a malformed `txTime` is told: enough for a decimal time, too little for a signature put in its place.
const SHOWN_TIME: usize = 12;

/// The hash behind a signature; told apart by the signature's length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// 32 hex digits.
    #[default]
    Md5,
    /// 64 hex digits.
    Sha256,
}

/// Why a signature is not good. The variants stand in the order in which [`verify`] checks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// 18/500: no `txTime`, or one that is not exactly 8 hexadecimal digits. (Were other lengths allowed, a URL
    /// signed for stream `live1` could be cut so that it opens `live`, as the hashed texts would be the same.)
    #[error("txTime is missing or not 8 hexadecimal digits")]
    TimeMissing {
        /// What stood in its place, at most 12 characters; `None` if there was no `txTime`.
        found: Option<String>,
    },
    /// 18/501: the URL's validity has ended.
    #[error("the URL expired at {at}")]
    Expired {
        /// When it ended.
        at: Timestamp,
    },
    /// 18/502: no `txSecret`, or an empty one.
    #[error("txSecret is missing")]
    SecretMissing,
    /// 18/503: `txSecret` does not match any key.
    #[error("txSecret is wrong")]
    SecretWrong(SecretFault),
}

/// What is known about a `txSecret` that does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretFault {
    /// There is no key to match: both are empty.
    NoKey,
    /// Not 32 or 64 characters long.
    Length(usize),
    /// Right but for upper-case letters: the signer prints hex in the wrong case.
    UpperCase,
    /// Right for `app/stream`: the signer hashes the whole path in place of the stream name.
    PathSigned,
    /// Right for another letter case of `txTime`: the signer hashes a text that it does not send.
    TimeCase,
    /// None of these: a wrong key, another stream's signature, or a forgery.
    Mismatch,
}

/// What a good signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// When the URL's validity ends. A push that is live by then goes on.
    pub expires: Timestamp,
}

/// MD5 signature: 32 lower-case hex digits.
pub fn tx_secret_md5(key: &str, stream: &str, tx_time: &str) -> String {
    hex::encode(hash::<Md5>(key, stream, tx_time))
}

/// SHA-256 signature: 64 lower-case hex digits.
pub fn tx_secret_sha256(key: &str, stream: &str, tx_time: &str) -> String {
    hex::encode(hash::<Sha256>(key, stream, tx_time))
}

/// Checks `txTime` and `txSecret` in `params` for a stream: the time is there and well-formed (18/500), has not
/// passed (18/501), the signature is there (18/502) and is that of one of `keys` (18/503). Empty keys never match.
/// How long the comparison takes does not depend on where signatures differ.
///
/// `app` only serves to tell a wrong signature's likely origin.
///
/// # Errors
/// The first check that fails.
pub fn verify(
    keys: &[&str],
    app: &str,
    stream: &str,
    params: &Params,
    now: Timestamp,
) -> Result<Signed, SignError> {
    let tx_time = params.get(TX_TIME);
    let missing =
        || SignError::TimeMissing { found: tx_time.map(|text| text.chars().take(SHOWN_TIME).collect()) };
    let (tx_time, expires) = tx_time.and_then(|t| Some((t, parse_tx_time(t)?))).ok_or_else(missing)?;
    if now >= expires {
        return Err(SignError::Expired { at: expires });
    }
    let secret = params.get(TX_SECRET).filter(|s| !s.is_empty()).ok_or(SignError::SecretMissing)?;
    if matches_any(keys, stream, tx_time, secret) {
        return Ok(Signed { expires });
    }
    Err(SignError::SecretWrong(explain(keys, app, stream, tx_time, secret)))
}

/// `txSecret=...&txTime=...` for a stream, valid until `expires` (to the second; times that 8 hex digits cannot
/// hold are moved to the nearest that they can).
pub fn signed_query(key: &str, stream: &str, expires: Timestamp, algorithm: Algorithm) -> String {
    let tx_time = format!("{:08X}", u32::try_from(expires.secs().max(0)).unwrap_or(u32::MAX));
    let secret = match algorithm {
        Algorithm::Md5 => tx_secret_md5(key, stream, &tx_time),
        Algorithm::Sha256 => tx_secret_sha256(key, stream, &tx_time),
    };
    format!("{TX_SECRET}={secret}&{TX_TIME}={tx_time}")
}

fn hash<D: Digest>(key: &str, stream: &str, tx_time: &str) -> impl AsRef<[u8]> {
    D::new().chain_update(key).chain_update(stream).chain_update(tx_time).finalize()
}

/// The time in a `txTime`, if it is exactly 8 hexadecimal digits.
fn parse_tx_time(text: &str) -> Option<Timestamp> {
    let well_formed = text.len() == 8 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let secs = well_formed.then(|| u32::from_str_radix(text, 16).ok()).flatten()?;
    Some(Timestamp(i64::from(secs) * 1000))
}

fn matches_any(keys: &[&str], stream: &str, tx_time: &str, secret: &str) -> bool {
    let mut found = Choice::from(0);
    for key in keys.iter().filter(|key| !key.is_empty()) {
        let expected = match secret.len() {
            32 => tx_secret_md5(key, stream, tx_time),
            64 => tx_secret_sha256(key, stream, tx_time),
            _ => return false,
        };
        found |= expected.as_bytes().ct_eq(secret.as_bytes());
    }
    found.into()
}

fn explain(keys: &[&str], app: &str, stream: &str, tx_time: &str, secret: &str) -> SecretFault {
    let upper_time = tx_time.to_ascii_uppercase();
    let lower_time = tx_time.to_ascii_lowercase();
    if keys.iter().all(|key| key.is_empty()) {
        SecretFault::NoKey
    } else if ![32, 64].contains(&secret.len()) {
        SecretFault::Length(secret.len())
    } else if matches_any(keys, stream, tx_time, &secret.to_ascii_lowercase()) {
        SecretFault::UpperCase
    } else if matches_any(keys, &format!("{app}/{stream}"), tx_time, secret) {
        SecretFault::PathSigned
    } else if [upper_time, lower_time].iter().any(|time| matches_any(keys, stream, time, secret)) {
        SecretFault::TimeCase
    } else {
        SecretFault::Mismatch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "e12c46f2612d5106e2034781ab261ca3";
    const SECRET: &str = "f85a2ab363fe4deaffef9754d79da6fe";
    const BEFORE: Timestamp = Timestamp(0x5C27_1099 * 1000 - 1);

    fn check(keys: &[&str], stream: &str, query: &str, now: Timestamp) -> Result<Signed, SignError> {
        verify(keys, "live", stream, &Params::parse(query), now)
    }

    fn query(secret: &str) -> String {
        format!("txSecret={secret}&txTime=5C271099")
    }

    #[test]
    fn signatures_are_those_of_css() {
        assert_eq!(tx_secret_md5(KEY, "test", "5C271099"), SECRET);
        assert_eq!(tx_secret_md5("somestring", "test", "5c2acacc"), "b77e812107e1d8b8f247885a46e1bd34");
        // sha256sum of the same text.
        let sha256 = "2fe51d13bff48deaddd7e4e086265e69d5a04a64db9a2cbc737bd585c472fd07";
        assert_eq!(tx_secret_sha256(KEY, "test", "5C271099"), sha256);
        assert!(check(&[KEY], "test", &query(sha256), BEFORE).is_ok());
    }

    #[test]
    fn a_signature_is_good_until_its_time() {
        let signed = check(&[KEY], "test", &query(SECRET), BEFORE);
        let expires = Timestamp(0x5C27_1099 * 1000);
        assert_eq!(signed, Ok(Signed { expires }));
        assert_eq!(check(&[KEY], "test", &query(SECRET), expires), Err(SignError::Expired { at: expires }));
    }

    #[test]
    fn either_key_is_good_and_an_empty_one_never() {
        assert!(check(&["other", KEY], "test", &query(SECRET), BEFORE).is_ok());
        assert!(check(&[KEY, ""], "test", &query(SECRET), BEFORE).is_ok());
        let keyless = tx_secret_md5("", "test", "5C271099");
        for keys in [&["", ""][..], &[]] {
            let no_key = Err(SignError::SecretWrong(SecretFault::NoKey));
            assert_eq!(check(keys, "test", &query(&keyless), BEFORE), no_key);
        }
    }

    #[test]
    fn a_time_is_exactly_eight_hexadecimal_digits() {
        for time in
            ["", "5C27109", "5C2710990", "0x5C2710", "+5C27109", "5C27109G", "５C271099", "1545999513"]
        {
            let found = Some(time.to_owned());
            let query = format!("txTime={time}&txSecret={}", tx_secret_md5(KEY, "test", time));
            assert_eq!(check(&[KEY], "test", &query, BEFORE), Err(SignError::TimeMissing { found }));
        }
        let absent = Err(SignError::TimeMissing { found: None });
        assert_eq!(check(&[KEY], "test", &format!("txSecret={SECRET}"), BEFORE), absent);
    }

    #[test]
    fn a_signature_put_in_the_place_of_the_time_is_not_told() {
        let swapped = format!("txTime={SECRET}&txSecret=5C271099");
        let found = Some(SECRET[..12].to_owned());
        assert_eq!(check(&[KEY], "test", &swapped, BEFORE), Err(SignError::TimeMissing { found }));
    }

    #[test]
    fn a_signature_for_one_stream_opens_no_other() {
        // The hashed text of `test` with time 5C271099 is that of `tes` with time t5C271099.
        let query = format!("txSecret={SECRET}&txTime=t5C271099");
        assert!(matches!(check(&[KEY], "tes", &query, BEFORE), Err(SignError::TimeMissing { .. })));
    }

    #[test]
    fn a_missing_signature_is_told_from_a_wrong_one() {
        for query in ["txTime=5C271099", "txTime=5C271099&txSecret=", "txTime=5C271099&TXSECRET=00"] {
            assert_eq!(check(&[KEY], "test", query, BEFORE), Err(SignError::SecretMissing));
        }
    }

    #[test]
    fn a_wrong_signature_tells_its_likely_origin() {
        let vectors = [
            (SECRET.to_uppercase(), SecretFault::UpperCase),
            (tx_secret_md5(KEY, "live/test", "5C271099"), SecretFault::PathSigned),
            (tx_secret_md5(KEY, "test", "5c271099"), SecretFault::TimeCase),
            (tx_secret_md5("other", "test", "5C271099"), SecretFault::Mismatch),
            (SECRET[1..].to_owned(), SecretFault::Length(31)),
        ];
        for (secret, fault) in vectors {
            let wrong = Err(SignError::SecretWrong(fault));
            assert_eq!(check(&[KEY], "test", &query(&secret), BEFORE), wrong, "{secret}");
        }
    }

    #[test]
    fn a_signed_query_holds_times_that_fit() {
        let query = |ms| signed_query(KEY, "test", Timestamp(ms), Algorithm::Md5);
        assert_eq!(query(0x5C27_1099 * 1000 + 999), format!("txSecret={SECRET}&txTime=5C271099"));
        assert!(query(-5).ends_with("txTime=00000000"));
        assert!(query(i64::MAX).ends_with("txTime=FFFFFFFF"));
    }
}
