//! Errors of the rooms behind the actions, as the API says them.

use super::error::{Code, CssError};
use crate::problem::{Kind, Problem};

impl From<store::StoreError> for CssError {
    fn from(error: store::StoreError) -> Self {
        tracing::error!(%error, "the store did not answer");
        Self::new(Code::DbError, "The store cannot be read now; the server's log says why.")
    }
}

impl From<tokio::task::JoinError> for CssError {
    fn from(error: tokio::task::JoinError) -> Self {
        tracing::error!(%error, "a call's work failed");
        Self::new(Code::InternalError, "The call failed; the server's log says why.")
    }
}

impl From<live::CatalogError> for CssError {
    fn from(error: live::CatalogError) -> Self {
        tracing::error!(%error, "the catalog was not changed");
        Self::new(Code::DbError, "The change could not be stored, and nothing was changed.")
    }
}

impl From<Problem> for CssError {
    fn from(problem: Problem) -> Self {
        let code = match problem.kind() {
            Kind::BadRequest | Kind::NotFound => Code::InvalidParameterValue,
            Kind::Unauthorized | Kind::Forbidden | Kind::TransportTooOpen => Code::UnauthorizedOperation,
            Kind::MethodNotAllowed => Code::UnsupportedProtocol,
            Kind::TooMany => Code::RequestLimitExceeded,
            Kind::Unavailable => Code::DbError,
            _ => Code::InternalError,
        };
        Self::new(code, problem.to_string())
    }
}
