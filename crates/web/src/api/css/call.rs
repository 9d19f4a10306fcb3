//! One call of an action: who calls, with what, and the helpers that every action uses.

use std::future::Future;
use std::pin::Pin;

use cause::Lang;
use live::OrderedBy;
use model::StreamKey;
use model::catalog::{AccountId, AccountStatus, Catalog, Domain, Role};
use serde::Serialize;
use serde_json::Value;

use super::error::{Code, CssError};
use super::schema::{Args, Param};
use crate::actions::Scope;
use crate::api::v1::Caller;
use crate::state::WebState;

/// What an action answers: the fields of `Response`, without `RequestId`.
pub type Answered = Result<Value, CssError>;
/// An action at work.
pub type Work = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// One action of the API.
#[derive(Clone, Copy)]
pub struct Action {
    /// Its name.
    pub name: &'static str,
    /// Calls a second and key.
    pub rate: u32,
    /// Who may call it.
    pub role: Role,
    /// Its parameters.
    pub params: &'static [Param],
    /// What it does.
    pub run: fn(Call) -> Work,
}

/// One call.
pub struct Call {
    /// What the handlers share.
    pub state: WebState,
    /// Who calls.
    pub caller: Caller,
    /// With what.
    pub args: Args,
    /// The language of texts in the answer.
    pub lang: Lang,
}

/// Which page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageOf {
    /// The page, from 1.
    pub number: usize,
    /// Entries on a page.
    pub size: usize,
}

/// The four numbers of a page in an answer.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PageNumbers {
    page_num: usize,
    page_size: usize,
    total_num: usize,
    total_page: usize,
}

impl PageOf {
    /// Entries before the page.
    pub fn skip(self) -> usize {
        self.number.saturating_sub(1).saturating_mul(self.size)
    }

    /// The entries of the page.
    pub fn of<T>(self, all: impl IntoIterator<Item = T>) -> Vec<T> {
        all.into_iter().skip(self.skip()).take(self.size).collect()
    }

    /// The numbers of the page, among `total` entries.
    pub fn numbers(self, total: usize) -> PageNumbers {
        PageNumbers {
            page_num: self.number,
            page_size: self.size,
            total_num: total,
            total_page: total.div_ceil(self.size.max(1)),
        }
    }
}

impl Call {
    /// A parameter that the table requires.
    ///
    /// # Errors
    /// `MissingParameter`, should the table not require it after all.
    pub fn required(&self, name: &str) -> Result<&str, CssError> {
        self.args
            .text(name)
            .ok_or_else(|| CssError::new(Code::MissingParameter, format!("`{name}` is missing.")))
    }

    /// As [`Call::required`], for a number.
    ///
    /// # Errors
    /// As there.
    pub fn number(&self, name: &str) -> Result<i64, CssError> {
        self.args
            .integer(name)
            .ok_or_else(|| CssError::new(Code::MissingParameter, format!("`{name}` is missing.")))
    }

    /// A parameter that filters: one that is empty does not.
    pub fn filter(&self, name: &str) -> Option<&str> {
        self.args.text(name).filter(|text| !text.is_empty())
    }

    /// `PageNum` and `PageSize`.
    pub fn page(&self) -> PageOf {
        let of = |name| usize::try_from(self.args.integer(name).unwrap_or(1)).unwrap_or(1).max(1);
        PageOf { number: of("PageNum"), size: of("PageSize") }
    }

    /// The stream that `DomainName`, `AppName` and `StreamName` name.
    ///
    /// # Errors
    /// As [`Call::required`].
    pub fn stream(&self) -> Result<StreamKey, CssError> {
        let domain = self.required("DomainName")?.to_ascii_lowercase();
        Ok(StreamKey::new(domain, self.required("AppName")?, self.required("StreamName")?))
    }

    /// A domain, if the caller may see it.
    pub fn domain<'a>(&self, catalog: &'a Catalog, name: &str) -> Option<&'a Domain> {
        catalog.domain(name).filter(|domain| self.caller.scope.covers(Some(domain.account)))
    }

    /// The account in whose name the call makes things.
    ///
    /// # Errors
    /// As [`account_of`].
    pub fn account(&self, catalog: &Catalog) -> Result<AccountId, CssError> {
        account_of(self.caller.scope, catalog)
    }

    /// Refuses where the account of the caller's key is not served.
    ///
    /// # Errors
    /// `ResourceNotFound.*`.
    pub fn check_account(&self, catalog: &Catalog) -> Result<(), CssError> {
        let Some(id) = self.caller.scope.account() else { return Ok(()) };
        let (code, message) = match catalog.accounts.get(&id).map(|account| account.status) {
            Some(AccountStatus::Active) => return Ok(()),
            Some(AccountStatus::Stopped) => (Code::StopService, "The account's service was stopped."),
            Some(AccountStatus::Overdue) => (Code::FreezeService, "The account is in arrears."),
            Some(AccountStatus::ForceStopped) => {
                (Code::ForbidService, "The account's service was stopped by force.")
            }
            None => (Code::UserNotExist, "The account does not exist."),
        };
        Err(CssError::new(code, message))
    }

    /// Who orders, for records and logs.
    pub fn by(&self) -> OrderedBy {
        OrderedBy { via: "css_api", ..self.caller.by() }
    }
}

/// The account that a scope means. A key for all accounts means the only one.
///
/// # Errors
/// `FailedOperation` where there are several.
pub fn account_of(scope: Scope, catalog: &Catalog) -> Result<AccountId, CssError> {
    if let Some(account) = scope.account() {
        return Ok(account);
    }
    let mut accounts = catalog.accounts.keys();
    match (accounts.next(), accounts.next()) {
        (Some(only), None) => Ok(*only),
        _ => Err(CssError::new(
            Code::FailedOperation,
            "This key acts for all accounts, and there is more than one: use a key of the account that is meant.",
        )),
    }
}

/// Puts an answer together.
///
/// # Errors
/// `InternalError`, should it be none.
pub fn answer(fields: impl Serialize) -> Answered {
    serde_json::to_value(fields).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written");
        CssError::new(Code::InternalError, "The answer could not be written.")
    })
}

/// The answer of an action that says nothing but that it is done.
pub fn done() -> Answered {
    Ok(Value::Object(serde_json::Map::new()))
}
