//! Errors as CSS has them: a code of the public lists and a sentence for whoever reads it.

use std::fmt;

/// The error codes that this server gives, one name a code. Which condition each stands for is in
/// `docs/css-compatibility.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The `Authorization` header cannot be read.
    InvalidAuthorization,
    /// There is no such key.
    SecretIdNotFound,
    /// The request's time is more than five minutes from ours.
    SignatureExpire,
    /// The signature does not fit the request, or the request came before.
    SignatureFailure,
    /// Temporary credentials, which do not exist here.
    TokenFailure,
    /// A good key that may not do this.
    UnauthorizedOperation,
    /// The change could not be made.
    FailedOperation,
    /// The domain has pushes that are live.
    DomainInUse,
    /// Another account owns the domain.
    DomainAdded,
    /// Another account owns a domain above it.
    ParentDomainAdded,
    /// Another account owns a domain below it.
    SubDomainAdded,
    /// As many domains as an account may have.
    HostOutLimit,
    /// The template is bound by a rule.
    ConfInUsed,
    /// What should be deleted is not there.
    FailedNotFound,
    /// Another part did not answer.
    CallOtherSvrFailed,
    /// Our own failure.
    InternalError,
    /// The disk did not take or give something.
    DbError,
    /// There is no such template.
    ConfNotFound,
    /// As many templates as an account may have.
    ConfOutLimit,
    /// A rule names a template that does not exist.
    ParameterConfNotFound,
    /// A template that tells nobody anything.
    ArgsNotMatch,
    /// There is a rule for this domain and app already.
    RuleAlreadyExist,
    /// There is no such action.
    InvalidAction,
    /// A parameter that cannot be read.
    InvalidParameter,
    /// A domain that the account has already.
    DomainAlreadyExist,
    /// Not a domain name.
    DomainFormatError,
    /// A domain name longer than names may be.
    DomainTooLong,
    /// A callback address that is not allowed.
    UrlNotSafe,
    /// A parameter outside its limits.
    InvalidParameterValue,
    /// A request that cannot be read.
    InvalidRequest,
    /// A parameter is missing.
    MissingParameter,
    /// An API version that does not exist.
    NoSuchVersion,
    /// Too many calls of one action.
    RequestLimitExceeded,
    /// The body is larger than allowed.
    RequestSizeLimitExceeded,
    /// The account was stopped by force.
    ForbidService,
    /// The account is in arrears.
    FreezeService,
    /// The account was stopped.
    StopService,
    /// The account does not exist.
    UserNotExist,
    /// There is no such domain.
    DomainNotExist,
    /// There is no such domain, as enabling and forbidding say it.
    DomainNoRecord,
    /// There is no such push domain.
    PushDomainNoRecord,
    /// There is no such play domain.
    PlayDomainNoRecord,
    /// A parameter that the action does not have.
    UnknownParameter,
    /// A feature that this server does not have.
    UnsupportedOperation,
    /// Neither GET nor POST.
    UnsupportedProtocol,
}

impl Code {
    /// The code as it stands in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidAuthorization => "AuthFailure.InvalidAuthorization",
            Self::SecretIdNotFound => "AuthFailure.SecretIdNotFound",
            Self::SignatureExpire => "AuthFailure.SignatureExpire",
            Self::SignatureFailure => "AuthFailure.SignatureFailure",
            Self::TokenFailure => "AuthFailure.TokenFailure",
            Self::UnauthorizedOperation => "AuthFailure.UnauthorizedOperation",
            Self::FailedOperation => "FailedOperation",
            Self::DomainInUse => "FailedOperation.DeleteDomainInLockedTime",
            Self::DomainAdded => "FailedOperation.DomainAdded",
            Self::ParentDomainAdded => "FailedOperation.ParentDomainAdded",
            Self::SubDomainAdded => "FailedOperation.SubDomainAdded",
            Self::HostOutLimit => "FailedOperation.HostOutLimit",
            Self::ConfInUsed => "FailedOperation.ConfInUsed",
            Self::FailedNotFound => "FailedOperation.NotFound",
            Self::CallOtherSvrFailed => "FailedOperation.CallOtherSvrFailed",
            Self::InternalError => "InternalError",
            Self::DbError => "InternalError.DBError",
            Self::ConfNotFound => "InternalError.ConfNotFound",
            Self::ConfOutLimit => "InternalError.ConfOutLimit",
            Self::ParameterConfNotFound => "InvalidParameter.ConfNotFound",
            Self::ArgsNotMatch => "InvalidParameter.ArgsNotMatch",
            Self::RuleAlreadyExist => "InternalError.RuleAlreadyExist",
            Self::InvalidAction => "InvalidAction",
            Self::InvalidParameter => "InvalidParameter",
            Self::DomainAlreadyExist => "InvalidParameter.DomainAlreadyExist",
            Self::DomainFormatError => "InvalidParameter.DomainFormatError",
            Self::DomainTooLong => "InvalidParameter.DomainTooLong",
            Self::UrlNotSafe => "InvalidParameter.UrlNotSafe",
            Self::InvalidParameterValue => "InvalidParameterValue",
            Self::InvalidRequest => "InvalidRequest",
            Self::MissingParameter => "MissingParameter",
            Self::NoSuchVersion => "NoSuchVersion",
            Self::RequestLimitExceeded => "RequestLimitExceeded",
            Self::RequestSizeLimitExceeded => "RequestSizeLimitExceeded",
            Self::ForbidService => "ResourceNotFound.ForbidService",
            Self::FreezeService => "ResourceNotFound.FreezeService",
            Self::StopService => "ResourceNotFound.StopService",
            Self::UserNotExist => "ResourceNotFound.UserNotExist",
            Self::DomainNotExist => "ResourceNotFound.DomainNotExist",
            Self::DomainNoRecord => "ResourceNotFound.DomainNoRecord",
            Self::PushDomainNoRecord => "ResourceNotFound.PushDomainNoRecord",
            Self::PlayDomainNoRecord => "ResourceNotFound.PlayDomainNoRecord",
            Self::UnknownParameter => "UnknownParameter",
            Self::UnsupportedOperation => "UnsupportedOperation",
            Self::UnsupportedProtocol => "UnsupportedProtocol",
        }
    }

    /// Whether it tells of a try to get in, which the log is to show.
    pub fn concerns_security(self) -> bool {
        matches!(
            self,
            Self::InvalidAuthorization
                | Self::SecretIdNotFound
                | Self::SignatureExpire
                | Self::SignatureFailure
                | Self::TokenFailure
                | Self::UnauthorizedOperation
                | Self::InvalidRequest
                | Self::RequestSizeLimitExceeded
        )
    }
}

/// An error answer in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CssError {
    /// What kind of error.
    pub code: Code,
    /// What is wrong, in words.
    pub message: String,
}

impl CssError {
    /// An error of a kind, with a sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A parameter outside its limits.
    pub fn value(name: &str, what: &str) -> Self {
        Self::new(Code::InvalidParameterValue, format!("`{name}` {what}."))
    }
}

impl fmt::Display for CssError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for CssError {}
