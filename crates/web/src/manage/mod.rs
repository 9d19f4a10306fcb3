//! How accounts, domains, keys and users are changed. The API and the console call the same functions; each keeps to the
//! scope it is given, where what lies outside is like what does not exist, and decides on the newest catalog, so that no
//! change overwrites another.
//!
//! | module | holds |
//! |---|---|
//! | [`accounts`] | accounts and their status |
//! | [`domains`] | domains: rules, limits, lists, apps |
//! | [`keys`] | the keys that sign a domain's URLs, changed without an outage |
//! | [`channels`] | the channels of channel mode |
//! | [`api_keys`] | keys for the APIs |
//! | [`users`] | people who sign in to the console |

pub mod accounts;
pub mod api_keys;
pub mod channels;
pub mod domains;
pub mod keys;
pub mod users;

use live::{CatalogError, Change, OrderedBy};
use model::Catalog;
use store::StoreError;

use crate::edit::edit;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// Something that is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// An account.
    Account,
    /// A domain.
    Domain,
    /// A channel of a domain.
    Channel,
    /// An app of a domain.
    App,
    /// An API key.
    ApiKey,
    /// A user of the console.
    User,
}

impl Thing {
    /// Its name in sentences and text keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Domain => "domain",
            Self::Channel => "channel",
            Self::App => "app",
            Self::ApiKey => "key",
            Self::User => "user",
        }
    }
}

/// Why a change is refused: what is there stands against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Clash {
    /// The account owns domains.
    #[error("the account has domains; delete them first")]
    AccountHasDomains,
    /// Callback rules name the domain.
    #[error("callback rules refer to the domain; delete them first")]
    DomainHasRules,
    /// Push URLs could not be checked.
    #[error("the domain has no key to check with; make one first")]
    NoKey,
    /// Play URLs could not be checked.
    #[error("the domain has no play key; make one first")]
    NoPlayKey,
    /// Without it no URL could be made or checked.
    #[error("the only key of a domain that checks signatures stays; make another one first")]
    OnlyKey,
    /// Enough channels.
    #[error("the domain has 10000 channels already")]
    TooManyChannels,
    /// A key must not lock its owner out.
    #[error("a key does not delete itself; use another one")]
    OwnKey,
    /// Somebody must be able to administer.
    #[error("the last user with role admin stays")]
    LastAdmin,
    /// Enough users.
    #[error("there are 1000 users already")]
    TooManyUsers,
}

/// A change that did not happen; nothing is different then.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// No such thing in this scope.
    #[error("there is no such {}", .0.name())]
    Missing(Thing),
    /// A thing of that name is there.
    #[error("the {} is in the catalog already", .0.name())]
    Exists(Thing),
    /// What is there stands against it.
    #[error(transparent)]
    Clash(#[from] Clash),
    /// A value that cannot be taken.
    #[error("{field}: {why}")]
    Invalid {
        /// The field, by its name in the API.
        field: &'static str,
        /// What is wrong, in English.
        why: String,
    },
    /// Only who sees all accounts may do this.
    #[error("only a key without an account changes accounts")]
    Scope,
    /// The system gave no random numbers for a secret.
    #[error("the system gives no random numbers")]
    NoRandomness,
    /// A password could not be hashed, or the work was given up.
    #[error("the work was given up")]
    GivenUp,
    /// The store did not take it.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<tokio::task::JoinError> for ManageError {
    fn from(error: tokio::task::JoinError) -> Self {
        tracing::error!(%error, "a change's work failed");
        Self::GivenUp
    }
}

impl From<ManageError> for Problem {
    fn from(error: ManageError) -> Self {
        let text = error.to_string();
        match error {
            ManageError::Missing(_) => Self::new(Kind::NotFound, text),
            ManageError::Exists(_) | ManageError::Clash(_) => Self::new(Kind::Conflict, text),
            ManageError::Invalid { field, why } => Self::new(Kind::BadRequest, why).with_field(field),
            ManageError::Scope => Self::new(Kind::Forbidden, text),
            ManageError::NoRandomness | ManageError::GivenUp => {
                tracing::error!(error = text, "a change failed");
                Self::new(Kind::Internal, text)
            }
            ManageError::Catalog(error) => error.into(),
            ManageError::Store(error) => {
                tracing::error!(%error, "the change was not stored");
                Self::new(
                    Kind::Unavailable,
                    "the change could not be stored, and nothing was changed; the server's log says why",
                )
            }
        }
    }
}

/// Makes the change that `decide` makes up on the newest catalog. Gives whether anything is different now.
async fn change(
    state: &WebState,
    by: &OrderedBy,
    decide: impl FnOnce(&Catalog) -> Result<Change, ManageError>,
) -> Result<bool, ManageError> {
    let decide = |catalog: &Catalog| decide(catalog).map(|change| (change, ()));
    Ok(edit(state, by, decide).await?.1)
}

fn invalid(field: &'static str, why: impl Into<String>) -> ManageError {
    ManageError::Invalid { field, why: why.into() }
}

/// A fresh secret: so many random bytes as hexadecimal digits.
fn secret(bytes: usize) -> Result<String, ManageError> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(|error| {
        tracing::error!(%error, "the system gives no random numbers");
        ManageError::NoRandomness
    })?;
    Ok(hex::encode(random))
}

/// Whether a name can be shown and stored: not empty, not too long, no control characters.
fn is_name(name: &str) -> bool {
    (1..=255).contains(&name.len()) && !name.chars().any(char::is_control)
}
