//! Why a change did not happen, in the reader's language.

use super::frame::Frame;
use crate::callback::manage::ManageError as CallbackError;
use crate::manage::{Clash, ManageError, Thing};

/// The sentence for a refused change.
pub fn refused(error: &ManageError, f: &Frame) -> String {
    let key = match error {
        ManageError::Missing(Thing::Account) => "missing-account",
        ManageError::Missing(_) => "missing-thing",
        ManageError::Exists(Thing::Domain) => "exists-domain",
        ManageError::Exists(_) => "exists-user",
        ManageError::Clash(clash) => clash_key(*clash),
        ManageError::Invalid { field, .. } => field_key(field),
        ManageError::Scope => "denied-admin",
        ManageError::NoRandomness
        | ManageError::GivenUp
        | ManageError::Catalog(_)
        | ManageError::Store(_) => {
            tracing::error!(%error, "a change failed");
            "change-failed"
        }
    };
    f.t(key)
}

fn clash_key(clash: Clash) -> &'static str {
    match clash {
        Clash::AccountHasDomains => "clash-account-domains",
        Clash::DomainHasRules => "clash-domain-rules",
        Clash::NoKey => "clash-no-key",
        Clash::NoPlayKey => "clash-no-play-key",
        Clash::OnlyKey => "clash-only-key",
        Clash::TooManyChannels => "clash-channels",
        Clash::OwnKey => "change-failed",
        Clash::LastAdmin => "clash-last-admin",
        Clash::TooManyUsers => "clash-users",
    }
}

fn field_key(field: &str) -> &'static str {
    match field {
        "id" => "invalid-account-id",
        "account" => "missing-account",
        "name" => "invalid-name",
        "password" => "invalid-password",
        "allow" | "block" => "invalid-list",
        "apps" => "invalid-app",
        "channel" => "invalid-channel",
        _ => "invalid-value",
    }
}

/// The sentence for a refused change of callbacks.
pub fn callback_refused(error: &CallbackError, f: &Frame) -> String {
    match error {
        CallbackError::NoTemplate => f.t("callback-no-template"),
        CallbackError::NoDomain => f.t("callback-no-domain"),
        CallbackError::NoRule => f.t("callback-no-rule"),
        CallbackError::NoAccount => f.t("missing-account"),
        CallbackError::TooMany => f.t("callback-too-many"),
        CallbackError::InUse => f.t("callback-in-use"),
        CallbackError::Bound => f.t("callback-bound-already"),
        CallbackError::NoUrl => f.t("callback-no-url"),
        CallbackError::Invalid { field, .. } => match *field {
            "name" => f.t("callback-bad-name"),
            "app" => f.t("invalid-app"),
            _ => f.t("invalid-value"),
        },
        CallbackError::Url { source, .. } => f.tn("callback-bad-url", source),
        CallbackError::Catalog(error) => {
            tracing::error!(%error, "a change of callbacks failed");
            f.t("change-failed")
        }
    }
}
