//! Why a push may not go live.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Value, json};

use super::NameFault;
use crate::catalog::AccountId;
use crate::clock::Timestamp;
use crate::code::Code;
use crate::sign::{SecretFault, SignError};

/// A refusal by policy: one variant per row 18/200 to 18/401, and the signature's four, with what a reader needs to act on it. `Display` is a
/// sentence for the client; it holds no secret, and nothing about others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 18/200: the domain's account is not in the catalog.
    #[error("the account of domain {domain} cannot be found")]
    AccountUnknown {
        /// The number that was looked for.
        account: AccountId,
        /// The domain that names it as its owner.
        domain: String,
    },
    /// 18/201.
    #[error("the account's service is stopped")]
    AccountStopped {
        /// The owner of the domain.
        account: AccountId,
    },
    /// 18/202.
    #[error("the account is in arrears")]
    AccountOverdue {
        /// The owner of the domain.
        account: AccountId,
    },
    /// 18/203.
    #[error("the account's service was stopped by force")]
    AccountForceStopped {
        /// The owner of the domain.
        account: AccountId,
    },
    /// 18/300: the URL names an address, and there is no default domain.
    #[error("the push URL must name a domain, not the IP address {ip}")]
    IpNotAllowed {
        /// The address in the URL.
        ip: IpAddr,
    },
    /// 18/301: the domain is not in the catalog as a push domain.
    #[error("{domain} is not a known push domain")]
    DomainUnknown {
        /// The domain.
        domain: String,
        /// It is in the catalog, but for playing.
        is_play_domain: bool,
    },
    /// 18/302: the host is no domain name, or there is none.
    #[error("the push URL names {}", domain.as_ref().map_or("no domain".to_owned(), |d| format!("{d:?}, which is no valid domain name")))]
    DomainInvalid {
        /// What stood in its place, cut to 255 bytes.
        domain: Option<String>,
    },
    /// 18/303.
    #[error("domain {domain} is disabled")]
    DomainDisabled {
        /// The domain.
        domain: String,
    },
    /// 18/304.
    #[error("app {app} is disabled")]
    AppDisabled {
        /// The domain.
        domain: String,
        /// The app.
        app: String,
    },
    /// 18/305.
    #[error("the stream is forbidden until {until}")]
    Forbidden {
        /// When it was forbidden.
        since: Timestamp,
        /// When pushes are let in again.
        until: Timestamp,
        /// Why, in the words of the one who asked; not told to the client.
        reason: String,
        /// Who asked; empty where that was not kept, and not told to the client.
        by: String,
    },
    /// 18/306.
    #[error("there is no channel {stream}")]
    NoChannel {
        /// The stream name.
        stream: String,
    },
    /// 18/307.
    #[error("channel {stream} is stopped")]
    ChannelStopped {
        /// The stream name.
        stream: String,
    },
    /// 18/308.
    #[error("the stream name {fault}")]
    StreamNameIllegal {
        /// What is wrong with it.
        fault: NameFault,
    },
    /// 18/309.
    #[error("the app name {fault}")]
    AppNameIllegal {
        /// What is wrong with it.
        fault: NameFault,
    },
    /// 18/400.
    #[error("pushes from {ip} are blocked")]
    IpBlocked {
        /// The client's address.
        ip: IpAddr,
        /// The network of the blocklist that holds it.
        network: IpNet,
    },
    /// 18/401.
    #[error("{ip} is not on the list of addresses that may push")]
    IpNotListed {
        /// The client's address.
        ip: IpAddr,
        /// How many networks the allowlist has.
        networks: usize,
    },
    /// 18/500 to 18/503: the signature.
    #[error(transparent)]
    Signature(#[from] SignError),
}

impl Refusal {
    /// The row of the table.
    pub fn code(&self) -> Code {
        let sub_errcode = match self {
            Self::AccountUnknown { .. } => 200,
            Self::AccountStopped { .. } => 201,
            Self::AccountOverdue { .. } => 202,
            Self::AccountForceStopped { .. } => 203,
            Self::IpNotAllowed { .. } => 300,
            Self::DomainUnknown { .. } => 301,
            Self::DomainInvalid { .. } => 302,
            Self::DomainDisabled { .. } => 303,
            Self::AppDisabled { .. } => 304,
            Self::Forbidden { .. } => 305,
            Self::NoChannel { .. } => 306,
            Self::ChannelStopped { .. } => 307,
            Self::StreamNameIllegal { .. } => 308,
            Self::AppNameIllegal { .. } => 309,
            Self::IpBlocked { .. } => 400,
            Self::IpNotListed { .. } => 401,
            Self::Signature(SignError::TimeMissing { .. }) => 500,
            Self::Signature(SignError::Expired { .. }) => 501,
            Self::Signature(SignError::SecretMissing) => 502,
            Self::Signature(SignError::SecretWrong(_)) => 503,
        };
        Code::new(18, sub_errcode)
    }

    /// The stable key of the detail in the record.
    pub fn key(&self) -> &'static str {
        match self {
            Self::AccountUnknown { .. } => "account_unknown",
            Self::AccountStopped { .. } => "account_stopped",
            Self::AccountOverdue { .. } => "account_overdue",
            Self::AccountForceStopped { .. } => "account_force_stopped",
            Self::IpNotAllowed { .. } => "ip_in_url",
            Self::DomainUnknown { is_play_domain: false, .. } => "domain_unknown",
            Self::DomainUnknown { is_play_domain: true, .. } => "domain_for_playing",
            Self::DomainInvalid { domain: Some(_) } => "domain_invalid",
            Self::DomainInvalid { domain: None } => "domain_missing",
            Self::DomainDisabled { .. } => "domain_disabled",
            Self::AppDisabled { .. } => "app_disabled",
            Self::Forbidden { .. } => "forbidden",
            Self::NoChannel { .. } => "channel_missing",
            Self::ChannelStopped { .. } => "channel_stopped",
            Self::StreamNameIllegal { .. } => "stream_name_illegal",
            Self::AppNameIllegal { .. } => "app_name_illegal",
            Self::IpBlocked { .. } => "ip_blocked",
            Self::IpNotListed { .. } => "ip_not_listed",
            Self::Signature(SignError::TimeMissing { found: None }) => "time_missing",
            Self::Signature(SignError::TimeMissing { found: Some(_) }) => "time_malformed",
            Self::Signature(SignError::Expired { .. }) => "expired",
            Self::Signature(SignError::SecretMissing) => "secret_missing",
            Self::Signature(SignError::SecretWrong(fault)) => match fault {
                SecretFault::NoKey => "secret_without_key",
                SecretFault::Length(_) => "secret_length",
                SecretFault::UpperCase => "secret_upper_case",
                SecretFault::PathSigned => "secret_for_path",
                SecretFault::TimeCase => "secret_for_time_case",
                SecretFault::Mismatch => "secret_mismatch",
            },
        }
    }

    /// The parameters of the detail in the record: what an operator needs to act on it; never a secret.
    pub fn facts(&self) -> BTreeMap<String, Value> {
        let facts = match self {
            Self::AccountUnknown { account, domain } => json!({ "account": account, "domain": domain }),
            Self::AccountStopped { account }
            | Self::AccountOverdue { account }
            | Self::AccountForceStopped { account } => json!({ "account": account }),
            Self::IpNotAllowed { ip } => json!({ "ip": ip }),
            Self::DomainUnknown { domain, .. } | Self::DomainDisabled { domain } => {
                json!({ "domain": domain })
            }
            Self::DomainInvalid { domain } => json!({ "domain": domain }),
            Self::AppDisabled { domain, app } => json!({ "domain": domain, "app": app }),
            Self::Forbidden { since, until, reason, by } => {
                json!({ "since": since, "until": until, "reason": reason, "who": by })
            }
            Self::NoChannel { stream } | Self::ChannelStopped { stream } => json!({ "stream": stream }),
            Self::StreamNameIllegal { fault } | Self::AppNameIllegal { fault } => name_facts(fault),
            Self::IpBlocked { ip, network } => json!({ "ip": ip, "network": network }),
            Self::IpNotListed { ip, networks } => json!({ "ip": ip, "networks": networks }),
            Self::Signature(SignError::TimeMissing { found }) => json!({ "found": found }),
            Self::Signature(SignError::Expired { at }) => json!({ "at": at }),
            Self::Signature(SignError::SecretWrong(SecretFault::Length(length))) => {
                json!({ "length": length })
            }
            Self::Signature(SignError::SecretMissing | SignError::SecretWrong(_)) => json!({}),
        };
        match facts {
            Value::Object(map) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            _ => BTreeMap::new(),
        }
    }
}

fn name_facts(fault: &NameFault) -> Value {
    match fault {
        NameFault::Empty => json!({ "fault": "empty" }),
        NameFault::TooLong { bytes } => json!({ "fault": "too_long", "bytes": bytes }),
        NameFault::Character { found, position } => {
            json!({ "fault": "character", "found": found, "position": position })
        }
        NameFault::DotSegment => json!({ "fault": "dot_segment" }),
    }
}
