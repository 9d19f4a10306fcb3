//! A request taken apart: who says to have signed it and how, which action it wants, and its parameters.

pub mod form;
pub mod value;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, header};
use cause::Lang;

use super::auth::authorization::Authorization;
use super::error::{Code, CssError};
use value::{Params, shown};

/// The one version of the API.
const VERSION: &str = "2018-08-01";
/// Parameters of older signatures that are no action's.
const COMMON: [&str; 11] = [
    "Action",
    "Version",
    "Timestamp",
    "Region",
    "Token",
    "Language",
    "RequestClient",
    "SecretId",
    "Signature",
    "SignatureMethod",
    "Nonce",
];
/// Headers that must not come twice: two readers could believe different ones.
const SINGLE: [&str; 12] = [
    "host",
    "authorization",
    "content-type",
    "x-tc-action",
    "x-tc-version",
    "x-tc-timestamp",
    "x-tc-region",
    "x-tc-token",
    "x-tc-language",
    "x-tc-requestclient",
    "x-tc-traceid",
    "x-tc-content-sha256",
];

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Raw {
    /// GET or POST.
    pub method: Method,
    /// The query as written; empty without one.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// How a request says it was signed.
#[derive(Clone, Debug, PartialEq)]
pub enum Signed {
    /// TC3-HMAC-SHA256, in the `Authorization` header.
    Tc3(Authorization),
    /// HmacSHA1 or HmacSHA256, over all parameters.
    Parameters(ParameterSignature),
}

/// A signature over all parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSignature {
    /// Which key.
    pub secret_id: String,
    /// The signature, base64.
    pub signature: String,
    /// HmacSHA256 in place of HmacSHA1.
    pub sha256: bool,
    /// Every parameter but the signature, as it is signed.
    pub signed: Params,
}

/// A request that could be read.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which action.
    pub action: String,
    /// Unix seconds, as the client says.
    pub timestamp: i64,
    /// Its signature.
    pub signed: Signed,
    /// The language of texts in the answer.
    pub lang: Lang,
    /// The parameters of the action.
    pub params: Params,
    /// Whether they keep the types of JSON, or all are text.
    pub typed: bool,
}

impl Wanted {
    /// Takes a request apart.
    ///
    /// # Errors
    /// What keeps it from being read; nothing has been checked but its form.
    pub fn read(raw: &Raw) -> Result<Self, CssError> {
        for name in SINGLE {
            if raw.headers.get_all(name).iter().nth(1).is_some() {
                return Err(refused(format!("The header `{name}` is given twice.")));
            }
        }
        let (params, typed) = params(raw)?;
        let authorization = header(raw, header::AUTHORIZATION.as_str())?;
        let wanted = match authorization {
            Some(text) => Self::in_headers(raw, text, params, typed)?,
            None if typed => return Err(missing_authorization()),
            None => Self::in_parameters(params)?,
        };
        let (version, token, wanted) = wanted;
        if token.is_some_and(|token| !token.is_empty()) {
            return Err(CssError::new(Code::TokenFailure, "There are no temporary credentials here."));
        }
        match version.as_deref() {
            Some(VERSION) => Ok(wanted),
            None => Err(CssError::new(Code::MissingParameter, "`Version` is missing.")),
            Some(other) => {
                let message = format!("There is no version `{}`; {VERSION} is.", shown(other));
                Err(CssError::new(Code::NoSuchVersion, message))
            }
        }
    }

    fn in_headers(raw: &Raw, authorization: &str, params: Params, typed: bool) -> Result<Common, CssError> {
        let own = |name: &str| Ok::<_, CssError>(header(raw, name)?.map(str::to_owned));
        let content_type = essence(raw)?;
        if raw.method == Method::POST && content_type != "application/json" {
            let message = "A POST signed with TC3-HMAC-SHA256 needs `Content-Type: application/json`.";
            return Err(CssError::new(Code::InvalidRequest, message));
        }
        let wanted = Self {
            action: required(own("x-tc-action")?, "X-TC-Action")?,
            timestamp: timestamp(own("x-tc-timestamp")?, "X-TC-Timestamp")?,
            signed: Signed::Tc3(Authorization::parse(authorization)?),
            lang: language(own("x-tc-language")?.as_deref()),
            params,
            typed,
        };
        Ok((own("x-tc-version")?, own("x-tc-token")?, wanted))
    }

    fn in_parameters(mut params: Params) -> Result<Common, CssError> {
        let signature = params.take_text("Signature").ok_or_else(missing_authorization)?;
        let signed = params.clone();
        let mut common = COMMON.map(|name| params.take_text(name)).into_iter();
        let mut next = || common.next().flatten();
        let (action, version, time, _region) = (next(), next(), next(), next());
        let (token, lang, _client, secret_id) = (next(), next(), next(), next());
        let (_signature, method, nonce) = (next(), next(), next());
        let nonce = required(nonce, "Nonce")?;
        if !nonce.bytes().all(|byte| byte.is_ascii_digit()) || nonce.len() > 20 || nonce.is_empty() {
            return Err(CssError::new(Code::InvalidParameter, "`Nonce` must be a positive whole number."));
        }
        let sha256 = match method.as_deref() {
            None | Some("HmacSHA1") => false,
            Some("HmacSHA256") => true,
            Some(_) => {
                let message = "`SignatureMethod` must be HmacSHA1 or HmacSHA256.";
                return Err(CssError::new(Code::InvalidParameter, message));
            }
        };
        let secret_id = required(secret_id, "SecretId")?;
        let wanted = Self {
            action: required(action, "Action")?,
            timestamp: timestamp(time, "Timestamp")?,
            signed: Signed::Parameters(ParameterSignature { secret_id, signature, sha256, signed }),
            lang: language(lang.as_deref()),
            params,
            typed: false,
        };
        Ok((version, token, wanted))
    }
}

/// Version, token, and the rest.
type Common = (Option<String>, Option<String>, Wanted);

/// A header's text.
///
/// # Errors
/// `InvalidRequest` for one that is not visible ASCII.
pub fn header<'a>(raw: &'a Raw, name: &str) -> Result<Option<&'a str>, CssError> {
    let value = raw.headers.get(name);
    value
        .map(|value| value.to_str().map_err(|_| refused(format!("The header `{name}` is no ASCII text."))))
        .transpose()
}

fn essence(raw: &Raw) -> Result<String, CssError> {
    let value = header(raw, header::CONTENT_TYPE.as_str())?.unwrap_or_default();
    Ok(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn params(raw: &Raw) -> Result<(Params, bool), CssError> {
    if raw.method == Method::GET {
        return match raw.body.is_empty() {
            // One official client repeats a name to send a list, and signs the query as it is.
            true if raw.headers.contains_key(header::AUTHORIZATION) => {
                Ok((form::read_with_lists(raw.query.as_bytes())?, false))
            }
            true => Ok((form::read(raw.query.as_bytes())?, false)),
            false => Err(refused("A GET has no body.")),
        };
    }
    if !raw.query.is_empty() {
        return Err(refused("A POST has its parameters in the body, and no query."));
    }
    match essence(raw)?.as_str() {
        "application/json" => Ok((Params::from_json(&raw.body)?, true)),
        "application/x-www-form-urlencoded" => Ok((form::read(&raw.body)?, false)),
        _ => Err(refused(
            "Send `Content-Type: application/json`, or a form where parameters carry the signature.",
        )),
    }
}

fn required(value: Option<String>, name: &str) -> Result<String, CssError> {
    value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| CssError::new(Code::MissingParameter, format!("`{name}` is missing.")))
}

fn timestamp(value: Option<String>, name: &str) -> Result<i64, CssError> {
    let text = required(value, name)?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| {
        CssError::new(Code::InvalidParameter, format!("`{name}` must be Unix time in seconds."))
    })
}

fn language(text: Option<&str>) -> Lang {
    match text.and_then(|text| text.get(..2)).map(str::to_ascii_lowercase).as_deref() {
        Some("zh") => Lang::Zh,
        Some("ja") => Lang::Ja,
        _ => Lang::En,
    }
}

fn missing_authorization() -> CssError {
    CssError::new(Code::InvalidAuthorization, "The request carries no signature.")
}

fn refused(message: impl Into<String>) -> CssError {
    CssError::new(Code::InvalidRequest, message)
}
