//! An operator of NATS with one account for Lastframe: what `nsc` makes, as far as a server and a node need it.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

use super::clock::wall;

/// The operator and the account.
pub struct NatsAccount {
    operator: KeyPair,
    account: KeyPair,
    system: KeyPair,
}

impl NatsAccount {
    /// Makes them.
    pub fn new() -> Self {
        let [account, system] = [(); 2].map(|()| KeyPair::new_account());
        Self { operator: KeyPair::new_operator(), account, system }
    }

    /// What a server is configured with to know them.
    pub fn config(&self) -> String {
        let operator = token(&self.operator, &self.operator, json!({ "type": "operator", "version": 2 }));
        let unlimited = ["subs", "data", "payload", "imports", "exports", "conn", "leaf"];
        let mut limits: Value = unlimited.iter().map(|name| (name.to_string(), json!(-1))).collect();
        limits["wildcards"] = json!(true);
        let account = |of: &KeyPair, limits: &Value| {
            token(&self.operator, of, json!({ "type": "account", "version": 2, "limits": limits }))
        };
        // The system's account has no JetStream.
        let system = account(&self.system, &limits);
        for name in ["mem_storage", "disk_storage", "streams", "consumer"] {
            limits[name] = json!(-1);
        }
        let (known, hidden) = (self.account.public_key(), self.system.public_key());
        let account = account(&self.account, &limits);
        format!(
            "operator: {operator}\nsystem_account: {hidden}\nresolver: MEMORY\n\
             resolver_preload: {{ {known}: {account}\n {hidden}: {system} }}\n"
        )
    }

    /// Writes credentials of a user of the account; the file, and the secret in it.
    pub fn user(&self, folder: &Path) -> (PathBuf, String) {
        let user = KeyPair::new_user();
        let claims = json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1 });
        let (jwt, seed) = (token(&self.account, &user, claims), user.seed().unwrap());
        let text = format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        );
        let path = folder.join(format!("{}.creds", user.public_key()));
        std::fs::write(&path, text).unwrap();
        (path, seed)
    }
}

fn token(issuer: &KeyPair, subject: &KeyPair, claims: Value) -> String {
    let body = json!({
        "jti": subject.public_key(),
        "iat": wall().millis() / 1_000,
        "iss": issuer.public_key(),
        "name": "e2e",
        "sub": subject.public_key(),
        "nats": claims,
    });
    let header = json!({ "typ": "JWT", "alg": "ed25519-nkey" });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let said = format!("{}.{}", encode(&header), encode(&body));
    let signature = URL_SAFE_NO_PAD.encode(issuer.sign(said.as_bytes()).unwrap());
    format!("{said}.{signature}")
}
