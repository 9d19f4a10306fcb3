//! `[[account]]`, `[[domain]]` and `[[api_key]]`: entries of the catalog, put into the stored one at each start; and
//! `[[relay]]`: rules by which live streams are passed on.

use std::path::PathBuf;

use live::relay::{Pattern, Rule, Target};
use model::catalog::{Account, ApiKey, Domain};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};
use web::import::{ImportKind, Importer};

use super::Config;

/// The names of these tables.
pub const TABLES: [&str; 5] = ["account", "domain", "api_key", "relay", "import"];

/// A mistake in an entry: where in the text, which key of the entry, what to do.
pub struct EntryMistake {
    /// Byte offset in the file.
    pub offset: usize,
    /// Key inside the entry; empty for the entry as a whole.
    pub key: String,
    /// What is wrong.
    pub what: String,
}

/// Reads one entry of table `name` into the configuration.
pub fn read_entry(config: &mut Config, name: &str, entry: &Spanned<DeValue<'_>>) -> Result<(), EntryMistake> {
    match name {
        "account" => {
            let account: Account = typed(entry)?;
            unique(entry, "id", config.accounts.iter().any(|a| a.id == account.id))?;
            reject(entry, "id", account.id == 0, "0 stands for all accounts; write the account's number")?;
            config.accounts.push(account);
        }
        "domain" => {
            let mut domain: Domain = typed(entry)?;
            domain.name.make_ascii_lowercase();
            unique(entry, "name", config.domains.iter().any(|d| d.name == domain.name))?;
            reject(
                entry,
                "name",
                !is_host_name(&domain.name),
                "is no host name; write one such as \"push.example.com\"",
            )?;
            let unsigned = domain.auth && domain.key.is_empty() && domain.backup_key.is_empty();
            reject(
                entry,
                "key",
                unsigned && domain.kind == model::catalog::DomainKind::Push,
                "is missing; write key = \"...\" to sign push URLs with, or auth = false to let everybody push",
            )?;
            reject(
                entry,
                "play_key",
                domain.play_auth && domain.play_key.is_empty() && domain.play_backup_key.is_empty(),
                "is missing; play_auth = true needs a play_key = \"...\"",
            )?;
            config.domains.push(domain);
        }
        "relay" => {
            let rule = relay(entry)?;
            unique(entry, "name", config.relays.iter().any(|r| r.name == rule.name))?;
            config.relays.push(rule);
        }
        "import" => {
            let importer: Importer = typed(entry)?;
            let taken = config.importers.iter().any(|i| i.token == importer.token);
            unique(entry, "token", taken)?;
            let good =
                |token: &str| token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            reject(
                entry,
                "token",
                importer.token.len() < 16 || !good(&importer.token),
                "does not fit; write at least 16 letters, digits, `-` or `_`: it is a part of a URL",
            )?;
            let name = importer.name.as_str();
            let own = name.is_empty() || name == "lastframe" || name.len() > 64;
            reject(entry, "name", own, "does not fit; write 1 to 64 bytes, and not \"lastframe\"")?;
            reject(
                entry,
                "key",
                importer.kind == ImportKind::Css && importer.key.is_empty(),
                "is missing; write the callback key that signs the callbacks",
            )?;
            config.importers.push(importer);
        }
        _ => {
            let key: ApiKey = typed(entry)?;
            unique(entry, "id", config.api_keys.iter().any(|k| k.id == key.id))?;
            reject(
                entry,
                "id",
                key.id.is_empty() || key.id.contains(':'),
                "must not be empty or hold a colon",
            )?;
            reject(entry, "secret", key.secret.len() < 16, "is too short; write at least 16 characters")?;
            config.api_keys.push(key);
        }
    }
    Ok(())
}

/// `[[relay]]` as it is written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RelayEntry {
    name: String,
    #[serde(default = "everything")]
    domain: String,
    #[serde(default = "everything")]
    app: String,
    #[serde(default = "everything")]
    stream: String,
    target: String,
    #[serde(default)]
    ca: String,
}

fn everything() -> String {
    "*".to_owned()
}

fn relay(entry: &Spanned<DeValue<'_>>) -> Result<Rule, EntryMistake> {
    let RelayEntry { name, domain, app, stream, target, ca } = typed(entry)?;
    let nameless = name.is_empty() || name.len() > 64 || name.chars().any(char::is_control);
    let what = "is what the relay is called in the API and the metrics; write 1 to 64 bytes";
    reject(entry, "name", nameless, what)?;
    // The URL is not repeated: it may hold a secret.
    let target = target.parse::<Target>().map_err(|error| {
        mistake(entry, "target", &format!("is no place to pass streams on to: it {error}"))
    })?;
    let what = "names no app and stream; write one such as \"rtmp://host/{app}/{stream}\"";
    reject(entry, "target", !target.has_path(), what)?;
    let ca = match ca.as_str() {
        "" => None,
        path => Some(authorities(path).map_err(|what| mistake(entry, "ca", &what))?),
    };
    let domain = Pattern::new(domain.to_ascii_lowercase());
    Ok(Rule { name, domain, app: Pattern::new(app), stream: Pattern::new(stream), target, ca })
}

/// A file of certificate authorities, once it has been read.
pub fn authorities(path: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    live::relay::read_authorities(&path).map_err(|error| format!("names no usable file: {error}"))?;
    Ok(path)
}

fn typed<T: DeserializeOwned>(entry: &Spanned<DeValue<'_>>) -> Result<T, EntryMistake> {
    T::deserialize(ValueDeserializer::from(entry.clone())).map_err(|error| {
        let offset = error.span().map_or(entry.span().start, |s| s.start);
        let key = key_at(entry, offset);
        // A message of serde may quote the value; a key or secret is not to be repeated on a terminal.
        let what = match key.as_str() {
            "key" | "backup_key" | "play_key" | "play_backup_key" | "secret" | "target" | "token" => {
                "is not text in quotes".to_owned()
            }
            _ => error.message().to_owned(),
        };
        EntryMistake { offset, key, what }
    })
}

/// The key of the entry in whose place `offset` lies.
fn key_at(entry: &Spanned<DeValue<'_>>, offset: usize) -> String {
    let Some(table) = entry.get_ref().as_table() else { return String::new() };
    table
        .iter()
        .find(|(key, value)| key.span().contains(&offset) || value.span().contains(&offset))
        .map(|(key, _)| key.get_ref().to_string())
        .unwrap_or_default()
}

fn reject(entry: &Spanned<DeValue<'_>>, key: &str, wrong: bool, what: &str) -> Result<(), EntryMistake> {
    if wrong { Err(mistake(entry, key, what)) } else { Ok(()) }
}

fn mistake(entry: &Spanned<DeValue<'_>>, key: &str, what: &str) -> EntryMistake {
    let place =
        entry.get_ref().as_table().and_then(|t| t.get(key)).map_or(entry.span(), |value| value.span());
    EntryMistake { offset: place.start, key: key.to_owned(), what: what.to_owned() }
}

fn unique(entry: &Spanned<DeValue<'_>>, key: &str, taken: bool) -> Result<(), EntryMistake> {
    reject(entry, key, taken, "stands in the file twice; keep one of the two entries")
}

fn is_host_name(name: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label) && name.parse::<std::net::IpAddr>().is_err()
}
