//! One order: account, names proven by HTTP-01 or TLS-ALPN-01, certificate.

use std::io;
use std::path::Path;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder,
    OrderStatus, RetryPolicy,
};

use super::{Answers, proof};
use crate::config::{Acme, Challenge};
use crate::setup::private_file;

/// How long the authority may take for each step.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(std::time::Duration::from_secs(120));

/// What was issued, in PEM form.
pub struct Certificate {
    pub chain: String,
    pub key: String,
}

/// Why nothing was.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The authority refused, or could not be reached.
    #[error("the authority: {0}")]
    Authority(#[from] instant_acme::Error),
    /// It offers no way of proof that we can go.
    #[error("the authority offers no {wanted} for {name}")]
    NotOffered {
        /// That of the configuration.
        wanted: &'static str,
        /// What it is to be proven for.
        name: String,
    },
    /// No proof can be made.
    #[error("the proof of {name}: {error}")]
    NoProof {
        /// What it is of.
        name: String,
        /// Why not.
        error: proof::ProofError,
    },
    /// It did not find the proof, or did not like it.
    #[error("the authority did not accept the proof for {names}: {why}")]
    NotProven {
        /// Of the order.
        names: String,
        /// In its own words.
        why: String,
    },
    /// The order took longer than it may.
    #[error("the order took too long")]
    TooLong,
    /// What the data folder keeps cannot be read or written.
    #[error("the data folder: {0}")]
    Io(#[from] io::Error),
    /// What the data folder keeps makes no sense.
    #[error("acme/account.json: {0}")]
    Broken(#[from] serde_json::Error),
}

/// Orders a certificate for all names.
pub async fn certificate(config: &Acme, folder: &Path, answers: &Answers) -> Result<Certificate, OrderError> {
    let account = account(config, folder).await?;
    let names: Vec<_> = config.names.iter().map(|name| Identifier::Dns(name.clone())).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status != AuthorizationStatus::Pending {
            continue;
        }
        let name = authorization.identifier().to_string();
        let kind = match config.challenge {
            Challenge::Http01 => ChallengeType::Http01,
            Challenge::TlsAlpn01 => ChallengeType::TlsAlpn01,
        };
        let Some(mut challenge) = authorization.challenge(kind) else {
            return Err(OrderError::NotOffered { wanted: config.challenge.name(), name });
        };
        let authorized = challenge.key_authorization();
        match config.challenge {
            Challenge::Http01 => answers.http.answer(&challenge.token, authorized.as_str()),
            Challenge::TlsAlpn01 => proof::show(&answers.tls, &name, authorized.digest().as_ref())
                .map_err(|error| OrderError::NoProof { name, error })?,
        }
        challenge.set_ready().await?;
    }
    if order.poll_ready(&PATIENCE).await? != OrderStatus::Ready {
        return Err(not_proven(config, &mut order).await);
    }
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&PATIENCE).await?;
    Ok(Certificate { chain, key })
}

/// What the authority says of the names that it did not accept.
async fn not_proven(config: &Acme, order: &mut instant_acme::Order) -> OrderError {
    let mut why = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(authorization)) = authorizations.next().await {
        let problems = authorization.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        why.extend(problems.map(ToString::to_string));
    }
    let mut why = if why.is_empty() { "it does not say why".to_owned() } else { why.join("; ") };
    why.truncate(why.floor_char_boundary(500));
    OrderError::NotProven { names: config.names.join(" "), why }
}

/// The account that the data folder keeps for this authority, or a new one.
async fn account(config: &Acme, folder: &Path) -> Result<Account, OrderError> {
    let file = folder.join("account.json");
    let builder = match &config.ca {
        Some(ca) => Account::builder_with_root(ca)?,
        None => Account::builder()?,
    };
    if let Ok(text) = std::fs::read_to_string(&file) {
        let kept: Kept = serde_json::from_str(&text)?;
        if kept.directory == config.directory {
            return Ok(builder.from_credentials(kept.credentials).await?);
        }
    }
    let contact: Vec<&str> = config.contact.iter().map(String::as_str).collect();
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder.create(&new, config.directory.clone(), None).await?;
    let kept = Kept { directory: config.directory.clone(), credentials };
    private_file::write(&file, &serde_json::to_string(&kept)?)?;
    Ok(account)
}

/// An account as the data folder keeps it.
#[derive(serde::Serialize, serde::Deserialize)]
struct Kept {
    directory: String,
    credentials: AccountCredentials,
}
