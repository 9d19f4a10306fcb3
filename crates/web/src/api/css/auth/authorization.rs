//! The `Authorization` header of TC3-HMAC-SHA256:
//! `TC3-HMAC-SHA256 Credential=<SecretId>/<date>/<service>/tc3_request, SignedHeaders=<a;b>, Signature=<hex>`.

use crate::api::css::error::{Code, CssError};

/// The longest header that is read, bytes.
const MAX_LENGTH: usize = 4_096;
/// Headers that may be signed at most.
const MAX_SIGNED: usize = 32;
/// The name of the algorithm.
pub const ALGORITHM: &str = "TC3-HMAC-SHA256";

/// What the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Which key.
    pub secret_id: String,
    /// `YYYY-MM-DD`, the UTC date of the timestamp.
    pub date: String,
    /// The product: the text before the first dot of the endpoint for some clients, `live` for others.
    pub service: String,
    /// Lower-case names of the signed headers, as listed.
    pub signed_headers: Vec<String>,
    /// The signature.
    pub signature: [u8; 32],
}

impl Authorization {
    /// Reads the header.
    ///
    /// # Errors
    /// `AuthFailure.InvalidAuthorization`, with what is wrong.
    pub fn parse(text: &str) -> Result<Self, CssError> {
        if text.len() > MAX_LENGTH {
            return Err(wrong("is too long"));
        }
        let rest = text.strip_prefix(ALGORITHM).and_then(|rest| rest.strip_prefix(' '));
        let rest = rest.ok_or_else(|| wrong("does not begin with TC3-HMAC-SHA256"))?;
        let (mut credential, mut signed, mut signature) = (None, None, None);
        for part in rest.split(',') {
            let (name, value) = part.trim().split_once('=').ok_or_else(|| wrong("has a part without `=`"))?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed,
                "Signature" => &mut signature,
                _ => return Err(wrong("has a part that is not known")),
            };
            if place.replace(value).is_some() {
                return Err(wrong("has a part twice"));
            }
        }
        let part = |part: Option<&str>, name: &str| {
            part.map(str::to_owned).ok_or_else(|| wrong(&format!("has no {name}")))
        };
        let credential = part(credential, "Credential")?;
        let mut scope = credential.split('/').map(str::to_owned);
        let mut next = || scope.next().filter(|text| !text.is_empty());
        let scope_of_four = next().zip(next()).zip(next()).zip(next());
        let Some((((secret_id, date), service), end)) = scope_of_four.filter(|_| scope.next().is_none())
        else {
            return Err(wrong("has a Credential that is not SecretId/date/service/tc3_request"));
        };
        if end != "tc3_request" {
            return Err(wrong("has a Credential that does not end in tc3_request"));
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(part(signature, "Signature")?, &mut bytes)
            .map_err(|_| wrong("has a Signature that is not 64 hexadecimal digits"))?;
        let signed_headers = signed_headers(&part(signed, "SignedHeaders")?)?;
        Ok(Self { secret_id, date, service, signed_headers, signature: bytes })
    }
}

fn signed_headers(text: &str) -> Result<Vec<String>, CssError> {
    let names: Vec<String> = text.split(';').map(str::to_ascii_lowercase).collect();
    if names.len() > MAX_SIGNED {
        return Err(wrong("signs too many headers"));
    }
    let twice = names.iter().enumerate().any(|(at, name)| names.iter().take(at).any(|before| before == name));
    if twice || names.iter().any(String::is_empty) {
        return Err(wrong("has a SignedHeaders with an empty or a repeated name"));
    }
    if !["content-type", "host"].iter().all(|must| names.iter().any(|name| name == must)) {
        return Err(wrong("must sign content-type and host"));
    }
    Ok(names)
}

fn wrong(what: &str) -> CssError {
    CssError::new(Code::InvalidAuthorization, format!("The Authorization header {what}."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(credential: &str, signed: &str, signature: &str) -> String {
        format!("{ALGORITHM} Credential={credential}, SignedHeaders={signed}, Signature={signature}")
    }

    #[test]
    fn a_header_as_the_official_clients_send_it_is_read() {
        let text =
            header("AKID/2026-11-22/localhost:8080/tc3_request", "content-type;host", &"ab".repeat(32));
        let read = Authorization::parse(&text).unwrap();
        assert_eq!((read.secret_id.as_str(), read.service.as_str()), ("AKID", "localhost:8080"));
        assert_eq!(read.date, "2026-11-22");
        assert_eq!(read.signed_headers, ["content-type", "host"]);
        assert_eq!(read.signature, [0xab; 32]);
    }

    #[test]
    fn every_other_form_is_refused() {
        let good = ("AKID/2026-11-22/live/tc3_request", "content-type;host", "ab".repeat(32));
        let mut headers = vec![
            String::new(),
            "Bearer x:y".to_owned(),
            ALGORITHM.to_owned(),
            format!("{ALGORITHM} Credential=a/b/c/tc3_request"),
            format!("{ALGORITHM}  , , "),
            format!("{}, Signature={}", header(good.0, good.1, &good.2), good.2),
            format!("{}, Extra=1", header(good.0, good.1, &good.2)),
            header(good.0, good.1, &"ab".repeat(31)),
            header(good.0, good.1, &"zz".repeat(32)),
            header(&"x".repeat(5_000), good.1, &good.2),
        ];
        for credential in
            ["AKID", "/2026-11-22/live/tc3_request", "a/b/c/d", "a/b/c/tc3_request/e", "a//c/tc3_request"]
        {
            headers.push(header(credential, good.1, &good.2));
        }
        for signed in
            ["", "host", "content-type", "content-type;host;host", "content-type;;host", "Host;HOST"]
        {
            headers.push(header(good.0, signed, &good.2));
        }
        for text in headers {
            let error = Authorization::parse(&text).unwrap_err();
            assert_eq!(error.code, Code::InvalidAuthorization, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_authorization_or_an_error(text in ".{0,300}") {
            let _ = Authorization::parse(&text);
        }

        #[test]
        fn nearly_right_text_is_an_authorization_or_an_error(
            text in "TC3-HMAC-SHA256 (Credential|SignedHeaders|Signature)=[a-z0-9/;=, ]{0,80}"
        ) {
            let _ = Authorization::parse(&text);
        }
    }
}
