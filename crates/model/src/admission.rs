//! Admission: the decision whether a push may go live, made on one snapshot of the catalog without waiting for
//! anything.
//!
//! # Order of checks
//! The first that fails is the push's cause.
//!
//! | | check | cause |
//! |---|---|---|
//! | 1 | the URL names a host we can take a domain from | 18/302 missing or not a domain name, 18/300 an IP address and no default domain |
//! | 2 | the domain is a push domain of the catalog, and enabled | 18/301, 18/303 |
//! | 3 | its account exists and is active | 18/200, 18/201, 18/202, 18/203 |
//! | 4 | the client's address may push | 18/400, then 18/401 |
//! | 5 | stream and app are legal names | 18/308, 18/309 |
//! | 6 | the app is enabled | 18/304 |
//! | 7 | the URL is signed, if the domain asks for it | 18/500, 18/501, 18/502, 18/503 |
//! | 8 | in channel mode: the channel exists and is enabled | 18/306, 18/307 |
//! | 9 | the stream is not forbidden | 18/305 |
//! | | *then, outside this crate, because they need live state:* | |
//! | 10 | account and domain have a free slot | 18/600 |
//! | 11 | the third-party hook agrees | 19/0 |
//! | 12 | the stream key is free, or conflict rule and priority let the push in | 18/601, 18/602 |
//!
//! The order goes from the outside in: from what concerns all pushes of a domain to what concerns this one stream, so
//! that the cause names the widest thing that is wrong, which is the one to put right first. Address lists come before
//! anything the client made up. What tells of single streams (8, 9, 12) comes after the signature, so that names of
//! channels, forbidden and live streams cannot be found out without a key. The hook is asked only about pushes that
//! the catalog admits; and the check that may end another push is the last, so that none ends for a push that is then
//! refused.
//!
//! A domain that is there for playing is refused as 18/301: it is no push domain.

mod names;
mod networks;
mod refusal;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::catalog::{Account, AccountId, AccountStatus, Catalog, ConflictRule, Domain, DomainKind};
use crate::clock::Timestamp;
use crate::record::{TEST_PARAM, TEST_VALUE};
use crate::sign;
use crate::stream_key::{Host, PushUrl, StreamKey, is_domain_name};

pub use names::{NameFault, NameRule};
pub use refusal::Refusal;

/// The parameters that may override the push URL's domain, in order.
const DOMAIN_OVERRIDES: [&str; 2] = ["vhost", "domain"];

/// The account of pushes to domains that are not in the catalog, where everybody is admitted.
pub const NOBODY: AccountId = 0;

/// The node's own settings for admission, from its configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdmissionSettings {
    /// The domain meant by a URL that names an IP address or no host; empty refuses these as 18/300 and 18/302.
    pub default_domain: String,
    /// Which names are legal.
    pub names: NameRule,
    /// Whether `vhost=` and `domain=` in the query stand in for the URL's host.
    pub allow_domain_override: bool,
    /// Whether somebody else decides who may push: checks 1, 2, 7 and 8 let everybody pass, and what is not in the catalog
    /// belongs to account 0. What the catalog forbids outright stays forbidden.
    pub admit_any: bool,
}

impl Default for AdmissionSettings {
    fn default() -> Self {
        Self {
            default_domain: "localhost".to_owned(),
            names: NameRule::Utf8,
            allow_domain_override: true,
            admit_any: false,
        }
    }
}

/// A push that asks to go live.
#[derive(Clone, Copy, Debug)]
pub struct PushRequest<'a> {
    /// What the client named.
    pub url: &'a PushUrl,
    /// The server name of its TLS handshake; counts where the URL names no domain.
    pub sni: Option<&'a str>,
    /// Where it comes from.
    pub client_ip: IpAddr,
    /// The time of the decision.
    pub now: Timestamp,
}

/// A push that may go live, as far as the catalog is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// What it will be known under.
    pub key: StreamKey,
    /// The owner of the domain.
    pub account: AccountId,
    /// What to do if the stream key is live already.
    pub conflict: ConflictRule,
    /// The URL's `priority=N` where the domain heeds it (0 if missing or not a number); else `None`.
    pub priority: Option<i64>,
    /// Pushes live at once over the account; 0 means no limit.
    pub max_account: u32,
    /// Pushes live at once on the domain; 0 means no limit.
    pub max_domain: u32,
    /// Pushes of the stream key at once, backups included; 0 means no limit.
    pub max_stream: u32,
    /// When the URL's validity ends; `None` where the domain asks for no signature. A live push goes on after it.
    pub expires: Option<Timestamp>,
    /// Whether it is a test: the URL says `test=1`, or the app is one of tests. A test never carries the stream.
    pub test: bool,
}

/// Who and what a refused push was, as far as it is known; for its record. Names are cut to 255 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    /// Owner of the domain, if the domain is in the catalog.
    pub account: Option<AccountId>,
    /// The domain, if one was named.
    pub domain: Option<String>,
    /// The app, if one was named.
    pub app: Option<String>,
    /// The stream, if one was named.
    pub stream: Option<String>,
}

/// A push that may not go live.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{refusal}")]
pub struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// What it claimed to be.
    pub claimed: Claimed,
}

/// Decides about a push; see the [module](self) for the order of checks.
///
/// # Errors
/// The first check that fails.
pub fn decide(
    catalog: &Catalog,
    settings: &AdmissionSettings,
    request: &PushRequest<'_>,
) -> Result<Admission, Box<Refused>> {
    let url = request.url;
    let mut claimed =
        Claimed { app: names::claimed(&url.app), stream: names::claimed(&url.stream), ..Claimed::default() };
    match check(catalog, settings, request, &mut claimed) {
        Ok(admission) => Ok(admission),
        Err(refusal) => Err(Box::new(Refused { refusal, claimed })),
    }
}

/// The domain a URL means: `vhost=` or `domain=` where allowed, else its host; for an address or a missing host
/// the TLS server name, else the default domain.
///
/// # Errors
/// [`Refusal::IpNotAllowed`] or [`Refusal::DomainInvalid`].
pub fn resolve_domain(
    settings: &AdmissionSettings,
    url: &PushUrl,
    sni: Option<&str>,
) -> Result<String, Refusal> {
    let overriding =
        DOMAIN_OVERRIDES.iter().filter_map(|name| url.params.get(name)).find(|value| !value.is_empty());
    let host = match overriding {
        Some(value) if settings.allow_domain_override => Host::parse(value),
        _ => url.host.clone(),
    };
    let host = match (host, sni.map(Host::parse)) {
        (Host::Ip(_) | Host::Missing, Some(Host::Domain(name))) => Host::Domain(name),
        (host, _) => host,
    };
    match host {
        Host::Domain(name) if is_domain_name(&name) => Ok(name),
        Host::Domain(name) => Err(Refusal::DomainInvalid { domain: names::claimed(&name) }),
        _ if !settings.default_domain.is_empty() => Ok(settings.default_domain.to_ascii_lowercase()),
        Host::Ip(ip) if settings.admit_any => Ok(ip.to_string()),
        Host::Ip(ip) => Err(Refusal::IpNotAllowed { ip }),
        Host::Missing => Err(Refusal::DomainInvalid { domain: None }),
    }
}

fn check(
    catalog: &Catalog,
    settings: &AdmissionSettings,
    request: &PushRequest<'_>,
    claimed: &mut Claimed,
) -> Result<Admission, Refusal> {
    let url = request.url;
    let resolved = resolve_domain(settings, url, request.sni);
    claimed.domain = match (&resolved, &url.host) {
        (Ok(name), _) => Some(name.clone()),
        (Err(Refusal::DomainInvalid { domain }), _) => domain.clone(),
        (Err(_), Host::Ip(ip)) => Some(ip.to_string()),
        (Err(_), _) => None,
    };
    let name = resolved?;
    let anybodys;
    let (domain, max_account) = match find_domain(catalog, &name) {
        Err(Refusal::DomainUnknown { is_play_domain: false, .. }) if settings.admit_any => {
            anybodys = Domain { auth: false, ..Domain::new(name, NOBODY, "") };
            claimed.account = Some(NOBODY);
            (&anybodys, 0)
        }
        found => {
            let domain = found?;
            claimed.account = Some(domain.account);
            (domain, check_account(catalog, domain)?.max_pushes)
        }
    };
    networks::check(domain, request.client_ip)?;
    settings.names.check_stream(&url.stream).map_err(|fault| Refusal::StreamNameIllegal { fault })?;
    settings.names.check_app(&url.app).map_err(|fault| Refusal::AppNameIllegal { fault })?;
    if domain.app(&url.app).is_some_and(|app| !app.enabled) {
        return Err(Refusal::AppDisabled { domain: domain.name.clone(), app: url.app.clone() });
    }
    let mut expires = None;
    if !settings.admit_any {
        expires = check_signature(domain, url, request.now)?;
        check_channel(domain, &url.stream)?;
    }
    let key = StreamKey::new(domain.name.as_str(), url.app.as_str(), url.stream.as_str());
    if let Some(forbidden) = catalog.forbidden_at(&key, request.now) {
        return Err(Refusal::Forbidden {
            since: forbidden.since,
            until: forbidden.until,
            reason: forbidden.reason.clone(),
            by: forbidden.by.clone(),
        });
    }
    Ok(Admission {
        key,
        account: domain.account,
        conflict: domain.conflict_rule(&url.app),
        priority: domain.priority.then(|| priority(url)),
        max_account,
        max_domain: domain.max_pushes,
        max_stream: domain.max_pushes_per_stream,
        expires,
        test: domain.app(&url.app).is_some_and(|app| app.test) || asks_for_test(url),
    })
}

/// Whether a push URL asks for a test push.
fn asks_for_test(url: &PushUrl) -> bool {
    url.params.get(TEST_PARAM) == Some(TEST_VALUE)
}

fn find_domain<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Domain, Refusal> {
    match catalog.domain(name) {
        None => Err(Refusal::DomainUnknown { domain: name.to_owned(), is_play_domain: false }),
        Some(domain) if domain.kind == DomainKind::Play => {
            Err(Refusal::DomainUnknown { domain: name.to_owned(), is_play_domain: true })
        }
        Some(domain) if !domain.enabled => Err(Refusal::DomainDisabled { domain: name.to_owned() }),
        Some(domain) => Ok(domain),
    }
}

fn check_account<'a>(catalog: &'a Catalog, domain: &Domain) -> Result<&'a Account, Refusal> {
    let id = domain.account;
    let account = catalog
        .accounts
        .get(&id)
        .ok_or_else(|| Refusal::AccountUnknown { account: id, domain: domain.name.clone() })?;
    match account.status {
        AccountStatus::Active => Ok(account),
        AccountStatus::Stopped => Err(Refusal::AccountStopped { account: id }),
        AccountStatus::Overdue => Err(Refusal::AccountOverdue { account: id }),
        AccountStatus::ForceStopped => Err(Refusal::AccountForceStopped { account: id }),
    }
}

fn check_signature(domain: &Domain, url: &PushUrl, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    if !domain.auth {
        return Ok(None);
    }
    let keys = [domain.key.as_str(), domain.backup_key.as_str()];
    // A URL is good for `auth_delta` beyond its own time, so it is judged as of so much earlier.
    let delta = std::time::Duration::from_secs(domain.auth_delta.into());
    let signed = sign::verify(&keys, &url.app, &url.stream, &url.params, now.minus(delta))?;
    Ok(Some(signed.expires.plus(delta)))
}

fn check_channel(domain: &Domain, stream: &str) -> Result<(), Refusal> {
    if !domain.channel_mode {
        return Ok(());
    }
    match domain.channels.iter().find(|channel| channel.name == stream) {
        None => Err(Refusal::NoChannel { stream: stream.to_owned() }),
        Some(channel) if !channel.enabled => Err(Refusal::ChannelStopped { stream: stream.to_owned() }),
        Some(_) => Ok(()),
    }
}

fn priority(url: &PushUrl) -> i64 {
    url.params.get("priority").and_then(|text| text.parse().ok()).unwrap_or(0)
}
