//! Whether the certificates of `[rtmps]` and `[https]` can be used: files that are there, keys that belong to them.

use live::tls::{CertificateError, CertificateFiles};

use super::value::{Given, Refused};
use super::{Config, Secured};

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

/// Certificates for other names: `[{ cert = "...", key = "..." }]`, in the environment `cert:key,cert:key`.
pub fn read_list(given: Given<'_>) -> Result<Vec<CertificateFiles>, Refused> {
    let shape = || {
        "is a list of certificates with their keys; write [{ cert = \"a.pem\", key = \"a.key\" }]".to_owned()
    };
    let Given::Toml(value) = given else {
        let pair = |text: &str| {
            let (cert, key) =
                text.split_once(':').ok_or("write pairs such as \"a.pem:a.key\", with commas between")?;
            Ok(CertificateFiles { cert: cert.into(), key: key.into() })
        };
        return given.texts()?.into_iter().map(pair).collect();
    };
    let entries = value.as_array().ok_or_else(shape)?;
    let entry = |entry: &toml::de::DeValue<'_>| {
        let table = entry.as_table()?;
        let file = |name: &str| table.get(name)?.get_ref().as_str().map(Into::into);
        (table.len() == 2).then(|| Some(CertificateFiles { cert: file("cert")?, key: file("key")? }))?
    };
    entries.iter().map(|item| entry(item.get_ref()).ok_or_else(shape)).collect()
}
