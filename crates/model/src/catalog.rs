//! Everything admission needs, held in memory as one immutable snapshot: accounts, domains, apps, keys, IP lists,
//! limits, rules and forbidden streams.

use std::collections::HashMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::stream_key::StreamKey;

mod callback;

pub use callback::{
    ANY_APP, CallbackKind, CallbackRule, CallbackTemplate, CallbackUrls, RuleKey, TemplateId,
};

/// A customer's number; CSS calls it AppId.
pub type AccountId = u64;

/// The state of an account; all but [`AccountStatus::Active`] refuse pushes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// Pushes are allowed.
    #[default]
    Active,
    /// The service was stopped: 18/201.
    Stopped,
    /// In arrears: 18/202.
    Overdue,
    /// Stopped by force: 18/203; running pushes are cut too when `[limits] cut_on_disable` says so.
    ForceStopped,
}

/// A customer, who owns domains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The account's number.
    pub id: AccountId,
    /// Whether it may push.
    #[serde(default)]
    pub status: AccountStatus,
    /// Pushes live at once over all its domains; 0 means no limit.
    #[serde(default)]
    pub max_pushes: u32,
}

/// What a domain is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DomainKind {
    /// Encoders push to it.
    #[default]
    Push,
    /// Viewers play from it.
    Play,
}

/// What happens when a stream key that is live is pushed again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictRule {
    /// The new push takes over; the old one ends 21/102 or 21/103.
    #[default]
    Replace,
    /// The new push waits, and takes over when the live one ends.
    Backup,
    /// The new push is refused: 18/601.
    Refuse,
}

/// Where the viewers of a play domain are; CSS calls it PlayType. Kept for tools that write and read it: one node
/// serves them all alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlayArea {
    /// Mainland China.
    #[default]
    Mainland,
    /// Everywhere.
    Global,
    /// Outside mainland China.
    Outside,
}

/// An application of a domain: the path of its push URLs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The path, possibly of several segments.
    pub name: String,
    /// Whether it may be pushed to; false refuses with 18/304.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Overrides the domain's conflict rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<ConflictRule>,
    /// Whether each push to it is a test: watched and recorded, never playable.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}

/// A push channel of a domain in channel mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The stream name that belongs to the channel.
    pub name: String,
    /// Whether it may be pushed to; false refuses with 18/307.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// A push or play domain with its rules. `Debug` shows no keys.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// Host name, lower case.
    pub name: String,
    /// The account that owns it.
    pub account: AccountId,
    /// Push or play.
    #[serde(default)]
    pub kind: DomainKind,
    /// False refuses with 18/303.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether push URLs must be signed.
    #[serde(default = "yes")]
    pub auth: bool,
    /// The key that signs push URLs.
    #[serde(default)]
    pub key: String,
    /// A second key, equally good, so that keys can be changed without an outage; empty for none.
    #[serde(default)]
    pub backup_key: String,
    /// What a second push of a live stream key does.
    #[serde(default)]
    pub conflict: ConflictRule,
    /// Whether `?priority=N` in the push URL is heeded: lower is refused (18/602), higher takes over.
    #[serde(default)]
    pub priority: bool,
    /// Client networks that alone may push; empty means all (18/401).
    #[serde(default)]
    pub allow: Vec<IpNet>,
    /// Client networks that may not push (18/400).
    #[serde(default)]
    pub block: Vec<IpNet>,
    /// Pushes live at once on the domain; 0 means no limit (18/600).
    #[serde(default)]
    pub max_pushes: u32,
    /// Pushes of one stream key at once, backups included; 0 means no limit (18/601).
    #[serde(default)]
    pub max_pushes_per_stream: u32,
    /// Known apps; an app that is not listed is enabled.
    #[serde(default)]
    pub apps: Vec<App>,
    /// Only streams with a channel may push (18/306, 18/307).
    #[serde(default)]
    pub channel_mode: bool,
    /// The channels of channel mode.
    #[serde(default)]
    pub channels: Vec<Channel>,
    /// Whether play URLs must be signed.
    #[serde(default)]
    pub play_auth: bool,
    /// The key that signs play URLs.
    #[serde(default)]
    pub play_key: String,
    /// A second key for play URLs, equally good; empty for none.
    #[serde(default)]
    pub play_backup_key: String,
    /// For so many seconds push URLs are good beyond their `txTime`.
    #[serde(default)]
    pub auth_delta: u32,
    /// For so many seconds play URLs are good beyond their `txTime`.
    #[serde(default)]
    pub play_auth_delta: u32,
    /// Where the viewers of a play domain are.
    #[serde(default)]
    pub play_area: PlayArea,
    /// When the domain was added; not known of domains of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
}

impl Domain {
    /// A push domain with a key and the defaults of everything else.
    pub fn new(name: impl Into<String>, account: AccountId, key: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            account,
            kind: DomainKind::Push,
            enabled: true,
            auth: true,
            key: key.into(),
            backup_key: String::new(),
            conflict: ConflictRule::default(),
            priority: false,
            allow: Vec::new(),
            block: Vec::new(),
            max_pushes: 0,
            max_pushes_per_stream: 0,
            apps: Vec::new(),
            channel_mode: false,
            channels: Vec::new(),
            play_auth: false,
            play_key: String::new(),
            play_backup_key: String::new(),
            auth_delta: 0,
            play_auth_delta: 0,
            play_area: PlayArea::default(),
            created: None,
        }
    }

    /// The conflict rule for `app`: its own, or else the domain's.
    pub fn conflict_rule(&self, app: &str) -> ConflictRule {
        self.app(app).and_then(|a| a.conflict).unwrap_or(self.conflict)
    }

    /// The app of that name, if it is listed.
    pub fn app(&self, name: &str) -> Option<&App> {
        self.apps.iter().find(|a| a.name == name)
    }
}

impl std::fmt::Debug for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Domain")
            .field("name", &self.name)
            .field("account", &self.account)
            .field("kind", &self.kind)
            .field("enabled", &self.enabled)
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

/// What an API key may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, drops, forbids, resumes.
    Operator,
    /// Everything.
    #[default]
    Admin,
}

/// A key for the APIs. `secret` signs CSS requests and, as `id:secret`, is the bearer token of `/api/v1`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Public part; CSS calls it SecretId.
    pub id: String,
    /// Secret part; CSS calls it SecretKey. Kept as given because request signatures need it.
    pub secret: String,
    /// The account it acts for; 0 means all accounts.
    #[serde(default)]
    pub account: AccountId,
    /// What it may do.
    #[serde(default)]
    pub role: Role,
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiKey").field("id", &self.id).field("account", &self.account).finish_non_exhaustive()
    }
}

/// A stream that may not be pushed until a time (18/305).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forbidden {
    /// The stream key that is forbidden.
    pub key: StreamKey,
    /// When it was forbidden.
    pub since: Timestamp,
    /// When pushes are let in again.
    pub until: Timestamp,
    /// Why, in the words of the one who asked.
    #[serde(default)]
    pub reason: String,
    /// Who asked: an API key's id or a user's name; empty where that was not kept.
    #[serde(default)]
    pub by: String,
}

/// One immutable state of the catalog. Changes make a new one.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Rises with each change.
    pub version: u64,
    /// Accounts by number.
    pub accounts: HashMap<AccountId, Account>,
    /// Domains by lower-case name.
    pub domains: HashMap<String, Domain>,
    /// API keys by id.
    pub api_keys: HashMap<String, ApiKey>,
    /// Forbidden streams; entries whose time has passed do not count.
    pub forbidden: HashMap<StreamKey, Forbidden>,
    /// Callback templates by number.
    pub callback_templates: HashMap<TemplateId, CallbackTemplate>,
    /// Callback rules by domain and app.
    pub callback_rules: HashMap<RuleKey, CallbackRule>,
}

impl Catalog {
    /// The domain of that name, whatever its letter case.
    pub fn domain(&self, name: &str) -> Option<&Domain> {
        self.domains.get(name).or_else(|| self.domains.get(&name.to_ascii_lowercase()))
    }

    /// Whether `key` is forbidden at `now`.
    pub fn forbidden_at(&self, key: &StreamKey, now: Timestamp) -> Option<&Forbidden> {
        self.forbidden.get(key).filter(|f| f.until > now)
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_found_whatever_its_letter_case() {
        let mut catalog = Catalog::default();
        catalog.domains.insert("push.example.com".to_owned(), Domain::new("push.example.com", 1, "k"));
        assert!(catalog.domain("Push.Example.COM").is_some());
        assert!(catalog.domain("example.com").is_none());
    }

    #[test]
    fn debug_output_holds_no_key() {
        let domain = Domain {
            backup_key: "BACKUP".to_owned(),
            play_key: "PLAYED".to_owned(),
            play_backup_key: "SECOND".to_owned(),
            ..Domain::new("d.example", 1, "PRIMARY")
        };
        let key =
            ApiKey { id: "AKID".to_owned(), secret: "HIDDEN".to_owned(), account: 1, role: Role::Admin };
        let text = format!("{domain:?} {key:?}");
        assert!(text.contains("d.example") && text.contains("AKID"), "{text}");
        assert!(
            !["PRIMARY", "BACKUP", "PLAYED", "SECOND", "HIDDEN"].iter().any(|secret| text.contains(secret)),
            "{text}"
        );
    }

    #[test]
    fn a_domain_is_read_from_its_name_and_account_alone() {
        let domain: Domain = serde_json::from_str(r#"{ "name": "d.example", "account": 1 }"#).unwrap();
        assert_eq!(domain, Domain::new("d.example", 1, ""));
        assert!(serde_json::from_str::<Domain>(r#"{ "name": "d", "account": 1, "kye": "x" }"#).is_err());
    }
}
