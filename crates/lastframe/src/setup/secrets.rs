//! What the first start generates, as it stands in `secrets.toml` in the data folder.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::private_file;
use crate::failure::Failure;

/// Letters and digits that are not mistaken for each other.
const READABLE: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

const HEAD: &str = "# Made at the first start. Whoever has this file can push, sign in and use the API.\n\
                    # The server does not read it again: changing it changes nothing.\n\n";

/// The generated secrets.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secrets {
    /// Sign-in to the console.
    pub console: ConsoleSecret,
    /// Key of the APIs.
    pub api_key: ApiSecret,
    /// Key that signs push URLs.
    pub domain: DomainSecret,
}

/// Sign-in to the console.
#[derive(Clone, Serialize, Deserialize)]
pub struct ConsoleSecret {
    pub user: String,
    pub password: String,
}

/// Key of the APIs.
#[derive(Clone, Serialize, Deserialize)]
pub struct ApiSecret {
    pub id: String,
    pub secret: String,
}

/// Key that signs push URLs.
#[derive(Clone, Serialize, Deserialize)]
pub struct DomainSecret {
    pub name: String,
    pub key: String,
}

impl Secrets {
    /// Where they lie.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join("secrets.toml")
    }

    /// Fresh secrets.
    pub fn generate() -> Result<Self, Failure> {
        Ok(Self {
            console: ConsoleSecret { user: "admin".into(), password: random(READABLE, 20)? },
            api_key: ApiSecret {
                id: format!("AKID{}", random(READABLE, 28)?),
                secret: random(READABLE, 40)?,
            },
            domain: DomainSecret { name: "localhost".into(), key: random(b"0123456789abcdef", 32)? },
        })
    }

    /// Those that the folder holds, if it holds any.
    pub fn read(folder: &Path) -> Result<Option<Self>, Failure> {
        let path = Self::path(folder);
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map(Some).map_err(|_| {
                Failure::failed(format!("{} cannot be read as it was written; restore it", path.display()))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::failed(format!("cannot read {}: {error}", path.display()))),
        }
    }

    /// Those of a first start that did not get to its end, or else fresh ones, written to the folder.
    pub fn read_or_make(folder: &Path) -> Result<Self, Failure> {
        if let Some(secrets) = Self::read(folder)? {
            return Ok(secrets);
        }
        let path = Self::path(folder);
        let secrets = Self::generate()?;
        let text = toml::to_string(&secrets).map_err(Failure::failed)?;
        private_file::write(&path, &format!("{HEAD}{text}"))
            .map_err(|e| Failure::failed(format!("cannot write {}: {e}", path.display())))?;
        Ok(secrets)
    }
}

/// `length` characters of `alphabet`, each as likely as the others.
fn random(alphabet: &[u8], length: usize) -> Result<String, Failure> {
    let limit = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0u8; 64];
        getrandom::fill(&mut bytes)
            .map_err(|e| Failure::failed(format!("the system gives no random numbers: {e}")))?;
        let fair = bytes.iter().map(|b| usize::from(*b)).filter(|b| *b < limit);
        let letters = fair.filter_map(|b| alphabet.get(b % alphabet.len())).map(|b| char::from(*b));
        text.extend(letters.take(length - text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (a, b) = (Secrets::generate().unwrap(), Secrets::generate().unwrap());
        assert_eq!((a.console.password.len(), a.api_key.secret.len(), a.domain.key.len()), (20, 40, 32));
        assert_ne!(a.console.password, b.console.password);
        assert_ne!(a.api_key.secret, b.api_key.secret);
        assert_ne!(a.domain.key, b.domain.key);
    }

    #[test]
    fn a_first_start_that_was_cut_short_goes_on_with_the_same_secrets() {
        let dir = tempfile::tempdir().unwrap();
        let first = Secrets::read_or_make(dir.path()).unwrap();
        let second = Secrets::read_or_make(dir.path()).unwrap();
        assert_eq!(first.console.password, second.console.password);
    }
}
