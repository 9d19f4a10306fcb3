//! Errors as problem documents (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::Code;
use serde_json::json;

/// The kinds of problems; each has one status and one stable `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request makes no sense: 400.
    BadRequest,
    /// No key, or a wrong one: 401.
    Unauthorized,
    /// A good key that may not do this: 403.
    Forbidden,
    /// Needs TLS or the machine itself: 403.
    TransportTooOpen,
    /// Nothing there: 404.
    NotFound,
    /// A method that the path does not have: 405.
    MethodNotAllowed,
    /// What is there stands against it: 409.
    Conflict,
    /// Nothing that is there fits what was asked for: 406.
    NotAcceptable,
    /// It was there, and is no more: 410.
    Gone,
    /// A precondition of the request does not hold: 412.
    PreconditionFailed,
    /// The body is too large: 413.
    TooLarge,
    /// The body is of a type that is not taken: 415.
    UnsupportedType,
    /// Understood, and not possible: 422.
    Unprocessable,
    /// Too many attempts: 429.
    TooMany,
    /// Our own failure: 500.
    Internal,
    /// Not now: 503.
    Unavailable,
}

impl Kind {
    fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::TransportTooOpen => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::Gone => StatusCode::GONE,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::TransportTooOpen => "transport_too_open",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Conflict => "conflict",
            Self::NotAcceptable => "not_acceptable",
            Self::Gone => "gone",
            Self::PreconditionFailed => "precondition_failed",
            Self::TooLarge => "too_large",
            Self::UnsupportedType => "unsupported_type",
            Self::Unprocessable => "unprocessable",
            Self::TooMany => "too_many",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A problem document.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
    field: Option<&'static str>,
    code: Option<Code>,
}

impl Problem {
    /// A problem of a kind, with a sentence for whoever reads it.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), field: None, code: None }
    }

    /// Names the parameter or field that is wrong.
    #[must_use]
    pub fn with_field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// Names the cause behind it, as a record would.
    #[must_use]
    pub fn with_code(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The parameter or field that is wrong, where one is.
    pub fn field(&self) -> Option<&'static str> {
        self.field
    }

    /// The status that the answer has.
    pub fn status(&self) -> StatusCode {
        self.kind.status()
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.field {
            Some(field) => write!(f, "{field}: {}", self.detail),
            None => f.write_str(&self.detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let mut body = json!({
            "type": format!("urn:lastframe:problem:{}", self.kind.name()),
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": self.detail,
        });
        if let (Some(field), Some(object)) = (self.field, body.as_object_mut()) {
            object.insert("field".into(), field.into());
        }
        if let (Some(code), Some(object)) = (self.code, body.as_object_mut()) {
            object.insert("errcode".into(), code.errcode.into());
            object.insert("sub_errcode".into(), code.sub_errcode.into());
        }
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.kind == Kind::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"lastframe\""));
        }
        response
    }
}

impl From<store::StoreError> for Problem {
    fn from(error: store::StoreError) -> Self {
        if let store::StoreError::Remote(_) = error {
            tracing::warn!(%error, "the database of all nodes did not answer");
            return Self::new(
                Kind::Unavailable,
                "this node does not have it, and the database of all nodes does not answer now",
            );
        }
        tracing::error!(%error, "the store did not answer");
        Self::new(Kind::Internal, "the records cannot be read now; the server's log says why")
    }
}

impl From<live::CatalogError> for Problem {
    fn from(error: live::CatalogError) -> Self {
        match error {
            live::CatalogError::NotShared(live::NotShared::Conflict) => {
                return Self::new(
                    Kind::Conflict,
                    "another node has changed the same just before: look again",
                );
            }
            live::CatalogError::NotShared(live::NotShared::Away(why)) => {
                tracing::warn!(why, "the catalog was not changed: the registry of all nodes did not take it");
                let text = "the registry of all nodes cannot be reached, and nothing was changed";
                return Self::new(Kind::Unavailable, text);
            }
            _ => {}
        }
        tracing::error!(%error, "the catalog was not changed");
        Self::new(
            Kind::Unavailable,
            "the change could not be stored, and nothing was changed; the server's log says why",
        )
    }
}

impl From<tokio::task::JoinError> for Problem {
    fn from(error: tokio::task::JoinError) -> Self {
        tracing::error!(%error, "a request's work failed");
        Self::new(Kind::Internal, "the request failed; the server's log says why")
    }
}
