//! Who ended a push.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Lang;

/// Who ended a push. Each cause belongs to one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The encoder, its host or the person at it.
    Client,
    /// The way between encoder and server.
    Network,
    /// This server.
    Server,
    /// A rule refused or cut the push.
    Policy,
    /// Somebody asked for it.
    Operator,
}

impl Side {
    /// Every side, in the order in which they are listed to people.
    pub const ALL: [Self; 5] = [Self::Client, Self::Network, Self::Server, Self::Policy, Self::Operator];

    /// The stable word of records and APIs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Network => "network",
            Self::Server => "server",
            Self::Policy => "policy",
            Self::Operator => "operator",
        }
    }

    /// The word shown to people.
    pub const fn label(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Client, Lang::Ja) => "配信側",
            (Self::Client, Lang::En) => "Client",
            (Self::Client, Lang::Zh) => "推流端",
            (Self::Network, Lang::Ja) => "ネットワーク",
            (Self::Network, Lang::En) => "Network",
            (Self::Network, Lang::Zh) => "网络",
            (Self::Server, Lang::Ja) => "サーバー",
            (Self::Server, Lang::En) => "Server",
            (Self::Server, Lang::Zh) => "服务器",
            (Self::Policy, Lang::Ja) => "ルール",
            (Self::Policy, Lang::En) => "Policy",
            (Self::Policy, Lang::Zh) => "规则",
            (Self::Operator, Lang::Ja) => "運用者",
            (Self::Operator, Lang::En) => "Operator",
            (Self::Operator, Lang::Zh) => "运维人员",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that names no side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no side: use client, network, server, policy or operator")]
pub struct SideError(pub String);

impl FromStr for Side {
    type Err = SideError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|side| side.as_str() == text.trim())
            .ok_or_else(|| SideError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_side_reads_back_from_its_word_in_text_and_in_json() {
        for side in Side::ALL {
            assert_eq!(side.as_str().parse(), Ok(side));
            assert_eq!(serde_json::to_value(side).unwrap(), side.as_str());
        }
        assert_eq!("viewer".parse::<Side>(), Err(SideError("viewer".to_owned())));
    }

    #[test]
    fn no_two_sides_share_a_label() {
        for lang in Lang::ALL {
            let labels: std::collections::BTreeSet<_> =
                Side::ALL.iter().map(|side| side.label(lang)).collect();
            assert_eq!(labels.len(), Side::ALL.len());
        }
    }
}
