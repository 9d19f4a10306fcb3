//! Playing: which live stream a play URL means, and whether it may be played.
//!
//! The URL's domain is any enabled domain of the catalog, of push or play kind, whose account is active. Unsigned unless
//! that domain has `play_auth`; then `txSecret` and `txTime` are those of a push URL, made with `play_key`, and checked
//! when playing starts only. The stream itself is one of a push domain: of the named domain, or else of another push
//! domain of the same account, which is how a play domain serves what was pushed to its account. A domain that asks
//! for no signature does not open the streams of one that does, unless it is a play domain: those are there to say
//! who may play.

use crate::admission::{AdmissionSettings, Refusal, resolve_domain};
use crate::catalog::{AccountId, AccountStatus, Catalog, Domain, DomainKind};
use crate::clock::Timestamp;
use crate::sign::{self, SignError};
use crate::stream_key::{PushUrl, StreamKey};

/// A play URL that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayGrant {
    /// The owner of the domain.
    pub account: AccountId,
    /// The stream keys that it may mean, best first; never empty. The first of them that is live is played.
    pub keys: Vec<StreamKey>,
}

/// A play URL that is not. `Display` is a sentence for the one who plays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlayRefusal {
    /// The catalog could not be read.
    #[error("the server's catalog is not available now")]
    CatalogUnavailable,
    /// No domain, or none that is one.
    #[error("the URL names no domain that could be played from")]
    NoDomain,
    /// The domain is not in the catalog.
    #[error("{domain} is not a known domain")]
    DomainUnknown {
        /// The domain.
        domain: String,
    },
    /// The domain is disabled.
    #[error("{domain} is disabled")]
    DomainDisabled {
        /// The domain.
        domain: String,
    },
    /// The domain's account is missing or not active.
    #[error("the account of {domain} is not active")]
    AccountInactive {
        /// The domain.
        domain: String,
    },
    /// Stream or app have a name that no live stream can have.
    #[error("no live stream can have this name: {0}")]
    NameIllegal(String),
    /// The app is disabled.
    #[error("the app {app} is disabled")]
    AppDisabled {
        /// The app.
        app: String,
    },
    /// The domain wants signed URLs, and this is no good one.
    #[error("the play URL is not signed well: {0}")]
    NotSigned(#[from] SignError),
}

impl PlayRefusal {
    /// Whether something is there that may not be played (HTTP 403), rather than nothing (404).
    pub fn is_forbidden(&self) -> bool {
        match self {
            Self::CatalogUnavailable | Self::NoDomain | Self::DomainUnknown { .. } | Self::NameIllegal(_) => {
                false
            }
            Self::DomainDisabled { .. }
            | Self::AccountInactive { .. }
            | Self::AppDisabled { .. }
            | Self::NotSigned(_) => true,
        }
    }
}

/// Decides about a play URL.
///
/// # Errors
/// The first check that fails: domain, account, names, app, signature.
pub fn authorize(
    catalog: &Catalog,
    settings: &AdmissionSettings,
    url: &PushUrl,
    now: Timestamp,
) -> Result<PlayGrant, PlayRefusal> {
    let name = resolve_domain(settings, url, None).map_err(|refusal| match refusal {
        Refusal::DomainInvalid { domain: Some(domain) } => PlayRefusal::DomainUnknown { domain },
        _ => PlayRefusal::NoDomain,
    })?;
    let unknown = || PlayRefusal::DomainUnknown { domain: name.clone() };
    let domain = catalog.domain(&name).ok_or_else(unknown)?;
    if !domain.enabled {
        return Err(PlayRefusal::DomainDisabled { domain: name });
    }
    let active = catalog.accounts.get(&domain.account).is_some_and(|a| a.status == AccountStatus::Active);
    if !active {
        return Err(PlayRefusal::AccountInactive { domain: name });
    }
    let illegal = |fault: String| PlayRefusal::NameIllegal(fault);
    settings.names.check_stream(&url.stream).map_err(|fault| illegal(fault.to_string()))?;
    settings.names.check_app(&url.app).map_err(|fault| illegal(fault.to_string()))?;
    if domain.app(&url.app).is_some_and(|app| !app.enabled) {
        return Err(PlayRefusal::AppDisabled { app: url.app.clone() });
    }
    if domain.play_auth {
        let keys = [domain.play_key.as_str(), domain.play_backup_key.as_str()];
        // A URL is good for `play_auth_delta` beyond its own time, so it is judged as of so much earlier.
        let as_of = now.minus(std::time::Duration::from_secs(domain.play_auth_delta.into()));
        sign::verify(&keys, &url.app, &url.stream, &url.params, as_of)?;
    }
    Ok(PlayGrant { account: domain.account, keys: keys(catalog, domain, url) })
}

fn keys(catalog: &Catalog, domain: &Domain, url: &PushUrl) -> Vec<StreamKey> {
    let key = |d: &Domain| StreamKey::new(d.name.as_str(), url.app.as_str(), url.stream.as_str());
    let opens = |other: &&Domain| {
        other.account == domain.account
            && other.kind == DomainKind::Push
            && other.name != domain.name
            && other.enabled
            && (domain.kind == DomainKind::Play || domain.play_auth || !other.play_auth)
            && other.app(&url.app).is_none_or(|app| app.enabled)
    };
    let mut others: Vec<&Domain> = catalog.domains.values().filter(opens).collect();
    others.sort_by(|a, b| a.name.cmp(&b.name));
    std::iter::once(domain).chain(others).map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Account, App};
    use crate::sign::{Algorithm, signed_query};

    const NOW: Timestamp = Timestamp(1_700_000_000_000);
    const KEY: &str = "playkey";

    fn catalog() -> Catalog {
        let mut catalog = Catalog::default();
        for (id, status) in
            [(1, AccountStatus::Active), (2, AccountStatus::Stopped), (3, AccountStatus::Active)]
        {
            catalog.accounts.insert(id, Account { id, status, max_pushes: 0 });
        }
        let play = |name: &str| Domain { kind: DomainKind::Play, ..Domain::new(name, 1, "") };
        let off = App { name: "off".to_owned(), enabled: false, conflict: None, test: false };
        for domain in [
            Domain { apps: vec![off], ..Domain::new("push.example", 1, "k") },
            Domain { play_auth: true, play_key: KEY.to_owned(), ..Domain::new("safe.example", 1, "k") },
            Domain {
                play_auth: true,
                play_backup_key: "second".to_owned(),
                play_auth_delta: 10,
                ..Domain::new("later.example", 3, "k")
            },
            play("play.example"),
            Domain { enabled: false, ..play("gone.example") },
            Domain::new("poor.example", 2, "k"),
            Domain::new("localhost", 1, "k"),
        ] {
            catalog.domains.insert(domain.name.clone(), domain);
        }
        catalog
    }

    fn ask(host: &str, path: &str, query: &str) -> Result<PlayGrant, PlayRefusal> {
        let url = PushUrl::from_path(Some(host), path, query);
        authorize(&catalog(), &AdmissionSettings::default(), &url, NOW)
    }

    fn domains(grant: &PlayGrant) -> Vec<&str> {
        grant.keys.iter().map(|key| key.domain.as_str()).collect()
    }

    #[test]
    fn the_named_domain_comes_first_and_then_the_others_of_its_account() {
        let grant = ask("push.example:8080", "/live/a", "").unwrap();
        assert_eq!(grant.keys[0], StreamKey::new("push.example", "live", "a"));
        assert_eq!(domains(&grant), ["push.example", "localhost"], "not what asks for a signature");
        let grant = ask("play.example", "/live/deep/a", "").unwrap();
        assert_eq!(domains(&grant), ["play.example", "localhost", "push.example", "safe.example"]);
        assert_eq!(grant.keys[1].app, "live/deep");
        assert_eq!(domains(&ask("192.0.2.7", "/live/a", "").unwrap())[0], "localhost");
        assert_eq!(domains(&ask("192.0.2.7", "/live/a", "vhost=push.example").unwrap())[0], "push.example");
    }

    #[test]
    fn a_domain_with_play_auth_wants_the_signature_of_its_play_key() {
        let missing = ask("safe.example", "/live/a", "").unwrap_err();
        assert!(missing.is_forbidden() && matches!(missing, PlayRefusal::NotSigned(_)));
        let signed = |key, stream, ms| signed_query(key, stream, Timestamp(NOW.0 + ms), Algorithm::Md5);
        assert!(ask("safe.example", "/live/a", &signed(KEY, "a", 5000)).is_ok());
        let expired = ask("safe.example", "/live/a", &signed(KEY, "a", -5000));
        assert!(matches!(expired, Err(PlayRefusal::NotSigned(SignError::Expired { .. }))));
        for query in [signed("k", "a", 5000), signed(KEY, "b", 5000)] {
            let wrong = ask("safe.example", "/live/a", &query);
            assert!(matches!(wrong, Err(PlayRefusal::NotSigned(SignError::SecretWrong(_)))));
        }
    }

    #[test]
    fn a_second_play_key_is_as_good_and_a_delta_prolongs_each_url() {
        let signed = |key, ms| signed_query(key, "a", Timestamp(NOW.0 + ms), Algorithm::Md5);
        assert!(ask("later.example", "/live/a", &signed("second", 5000)).is_ok());
        assert!(ask("later.example", "/live/a", &signed("second", -9000)).is_ok());
        assert!(ask("later.example", "/live/a", &signed("second", -11_000)).is_err());
        assert!(ask("later.example", "/live/a", &signed("", 5000)).is_err(), "the first key is not set");
    }

    #[test]
    fn what_may_not_be_played_is_told_from_what_is_not_there() {
        for (host, path, forbidden) in [
            ("nowhere.example", "/live/a", false),
            ("gone.example", "/live/a", true),
            ("poor.example", "/live/a", true),
            ("push.example", "/off/a", true),
            ("push.example", "/live/a\u{7}", false),
            ("push.example", "/live/", false),
        ] {
            let refusal = ask(host, path, "").unwrap_err();
            assert_eq!(refusal.is_forbidden(), forbidden, "{host}{path}: {refusal}");
        }
    }
}
