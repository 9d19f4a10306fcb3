//! Whether the certificates of `[rtmps]` and `[https]` can be used: files that are there, keys that belong to them; and
//! whether those of `[acme]` can be had.

use live::tls::{CertificateError, CertificateFiles};
use toml::de::DeValue;

use super::value::{Given, Refused};
use super::{Challenge, Config, Secured};

/// What is wrong, and under which key.
pub struct Wrong {
    /// Such as `rtmps.key`.
    pub key: String,
    /// What is wrong and what to write.
    pub what: String,
}

/// Everything that is wrong with the certificates of a configuration.
pub fn check(config: &Config) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    for (section, listener) in [("rtmps", &config.rtmps), ("https", &config.https)] {
        let key = |key: &str| format!("{section}.{key}");
        match own(listener) {
            Own::Both(files) => {
                if let Err(error) = files.read() {
                    wrong.push(Wrong { key: key(at_fault(&error)), what: error.to_string() });
                }
            }
            Own::CertAlone => {
                let what =
                    "has no key beside it; write key = \"...\" with the file of its private key".to_owned();
                wrong.push(Wrong { key: key("cert"), what });
            }
            Own::KeyAlone => {
                let what = "has no certificate beside it; write cert = \"...\" with its file".to_owned();
                wrong.push(Wrong { key: key("key"), what });
            }
            Own::None => {}
        }
        for (index, files) in listener.certs.iter().enumerate() {
            if let Err(error) = files.read() {
                let what = format!("entry {}, {}: {error}", index + 1, at_fault(&error));
                wrong.push(Wrong { key: key("certs"), what });
            }
        }
    }
    let proves_in_tls = !config.acme.names.is_empty() && config.acme.challenge == Challenge::TlsAlpn01;
    if proves_in_tls && config.https.listen.is_none() {
        let what = "is answered by [https], which is off; turn that on, or write \"http-01\"".to_owned();
        wrong.push(Wrong { key: "acme.challenge".to_owned(), what });
    }
    wrong
}

enum Own {
    Both(CertificateFiles),
    CertAlone,
    KeyAlone,
    None,
}

fn own(listener: &Secured) -> Own {
    match (listener.cert.clone(), listener.key.clone()) {
        (Some(cert), Some(key)) => Own::Both(CertificateFiles { cert, key }),
        (Some(_), None) => Own::CertAlone,
        (None, Some(_)) => Own::KeyAlone,
        (None, None) => Own::None,
    }
}

fn at_fault(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Cert { .. } => "cert",
        CertificateError::Key { .. } | CertificateError::Mismatch { .. } => "key",
    }
}

/// Certificates for other names: `[{ cert = "...", key = "..." }]`, or in one text each `cert:key`, as in the environment.
pub fn read_list(given: Given<'_>) -> Result<Vec<CertificateFiles>, Refused> {
    if let Given::Toml(value) = given
        && let Some(entries) = value.as_array()
        && entries.iter().any(|entry| entry.get_ref().is_table())
    {
        let shape =
            "is a list of certificates with their keys; write [{ cert = \"a.pem\", key = \"a.key\" }]";
        return entries.iter().map(|item| entry(item.get_ref()).ok_or_else(|| shape.to_owned())).collect();
    }
    given.texts()?.into_iter().map(pair).collect()
}

fn entry(entry: &DeValue<'_>) -> Option<CertificateFiles> {
    let table = entry.as_table().filter(|table| table.len() == 2)?;
    let file = |name: &str| table.get(name)?.get_ref().as_str().map(Into::into);
    Some(CertificateFiles { cert: file("cert")?, key: file("key")? })
}

fn pair(text: &str) -> Result<CertificateFiles, Refused> {
    let (cert, key) =
        text.split_once(':').ok_or("names no key; write certificate and key as \"a.pem:a.key\"")?;
    Ok(CertificateFiles { cert: cert.into(), key: key.into() })
}
