//! The texts that clients sign, and the signatures over them.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::authorization::{ALGORITHM, Authorization};
use crate::api::css::error::CssError;
use crate::api::css::request::value::Value;
use crate::api::css::request::{ParameterSignature, Raw, header};

/// The header by which a client leaves its payload out of the signature, and the text that then stands for it.
const CONTENT_HASH: &str = "x-tc-content-sha256";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Whether a TC3 signature is that of `secret` over the request.
///
/// # Errors
/// A header that is no text.
pub fn tc3_fits(raw: &Raw, auth: &Authorization, timestamp: i64, secret: &str) -> Result<bool, CssError> {
    let payload: &[u8] = match header(raw, CONTENT_HASH)? {
        Some(UNSIGNED) => UNSIGNED.as_bytes(),
        _ if raw.method == Method::GET => b"",
        _ => &raw.body,
    };
    let payload = hex::encode(Sha256::digest(payload));
    let query = if raw.method == Method::GET { raw.query.as_str() } else { "" };
    let key = [&auth.date, &auth.service, "tc3_request"]
        .iter()
        .fold(format!("TC3{secret}").into_bytes(), |key, part| hmac_sha256(&key, part.as_bytes()));
    for host in hosts(header(raw, "host")?.unwrap_or_default()) {
        // The written rules lower the case of values; the official clients sign them as they send them.
        for lower in [false, true] {
            let Some(headers) = signed_headers(raw, auth, host, lower)? else { return Ok(false) };
            let names = auth.signed_headers.join(";");
            let canonical = format!("{}\n/\n{query}\n{headers}\n{names}\n{payload}", raw.method);
            let hash = hex::encode(Sha256::digest(canonical));
            let scope = format!("{}/{}/tc3_request", auth.date, auth.service);
            let text = format!("{ALGORITHM}\n{timestamp}\n{scope}\n{hash}");
            if hmac_sha256(&key, text.as_bytes()).ct_eq(&auth.signature).into() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether a signature over all parameters is that of `secret`.
///
/// # Errors
/// A header that is no text.
pub fn parameters_fit(raw: &Raw, given: &ParameterSignature, secret: &str) -> Result<bool, CssError> {
    let Ok(signature) = STANDARD.decode(&given.signature) else { return Ok(false) };
    let mut pairs: Vec<(String, &str)> = Vec::with_capacity(given.signed.count());
    for (name, value) in given.signed.iter() {
        let Value::Text(value) = value else { return Ok(false) };
        pairs.push((name.clone(), value));
    }
    let as_sent = pairs.clone();
    // One official client signs names with dots in place of underscores.
    pairs.iter_mut().for_each(|(name, _)| *name = name.replace('_', "."));
    pairs.sort();
    for pairs in [as_sent, pairs] {
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let pairs = pairs.join("&");
        for host in hosts(header(raw, "host")?.unwrap_or_default()) {
            let text = format!("{}{host}/?{pairs}", raw.method);
            let expected = match given.sha256 {
                true => hmac_sha256(secret.as_bytes(), text.as_bytes()),
                false => hmac_sha1(secret.as_bytes(), text.as_bytes()),
            };
            if expected.ct_eq(&signature).into() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// What a client may have signed as its host: the header as it is (one official client puts a scheme into it), without
/// the scheme, and without the port, which another leaves out of the signed text alone.
fn hosts(header: &str) -> impl Iterator<Item = &str> {
    let bare = header.strip_prefix("http://").or_else(|| header.strip_prefix("https://")).unwrap_or(header);
    let name = bare.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let name = name.map_or(bare, |(name, _)| name);
    let bare_differs = bare != header;
    let name_differs = name != bare;
    [Some(header), bare_differs.then_some(bare), name_differs.then_some(name)].into_iter().flatten()
}

/// The lines of the signed headers; `None` if one of them is not there.
fn signed_headers(
    raw: &Raw,
    auth: &Authorization,
    host: &str,
    lower: bool,
) -> Result<Option<String>, CssError> {
    let mut lines = String::new();
    for name in &auth.signed_headers {
        let value = match name.as_str() {
            "host" => host,
            // A name that can be no header's is not there.
            name if axum::http::HeaderName::from_bytes(name.as_bytes()).is_err() => return Ok(None),
            name => match header(raw, name)? {
                Some(value) => value.trim(),
                None => return Ok(None),
            },
        };
        let value = if lower { value.to_ascii_lowercase() } else { value.to_owned() };
        lines.push_str(&format!("{name}:{value}\n"));
    }
    Ok(Some(lines))
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    // A key of any length is good.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|hmac| hmac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

fn hmac_sha1(key: &[u8], text: &[u8]) -> Vec<u8> {
    Hmac::<Sha1>::new_from_slice(key)
        .map(|hmac| hmac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_tried_as_sent_without_scheme_and_without_port() {
        let all = |header| hosts(header).collect::<Vec<_>>();
        assert_eq!(all("live.example"), ["live.example"]);
        assert_eq!(all("127.0.0.1:8080"), ["127.0.0.1:8080", "127.0.0.1"]);
        assert_eq!(all("http://127.0.0.1:8080"), ["http://127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1"]);
        assert_eq!(all("[::1]:8080"), ["[::1]:8080", "[::1]"]);
        assert_eq!(all(""), [""]);
    }

    #[test]
    fn hmacs_are_those_of_the_published_vectors() {
        // RFC 4231 and RFC 2202, test case 2.
        let (key, text) = (b"Jefe".as_slice(), b"what do ya want for nothing?".as_slice());
        assert_eq!(
            hex::encode(hmac_sha256(key, text)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(hex::encode(hmac_sha1(key, text)), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }
}
