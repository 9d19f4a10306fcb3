//! Where the database is: the URL as it is configured, and the TLS it is reached by.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::remote::RemoteError;

/// How long a connection may take to come about, per address of the host.
const CONNECT: Duration = Duration::from_secs(3);
/// How long what was sent may stay unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// A URL that has been read, and a TLS client for it.
#[derive(Clone)]
pub(crate) struct Place {
    pub config: Config,
    pub tls: MakeRustlsConnect,
}

impl Place {
    /// Reads a URL. `sslrootcert` names a file of certificate authorities (PEM) to be trusted beside the system's; a
    /// server's certificate is always verified where TLS is used.
    pub fn parse(url: &str) -> Result<Self, RemoteError> {
        let (url, roots) = split_roots(url);
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            // The reader of the URL names parameters, never their values.
            RemoteError::Malformed(
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
            )
        })?;
        if config.get_hosts().is_empty() {
            return Err(RemoteError::Malformed("no host is named".to_owned()));
        }
        config.application_name("lastframe").connect_timeout(CONNECT).tcp_user_timeout(UNACKNOWLEDGED);
        // Without TLS nobody looks at the certificates.
        let trusted = match config.get_ssl_mode() {
            SslMode::Disable => RootCertStore::empty(),
            _ => trusted(roots.as_deref())?,
        };
        Ok(Self { config, tls: tls(trusted)? })
    }
}

/// Takes `sslrootcert` out of the query, which the reader of the URL does not know.
fn split_roots(url: &str) -> (String, Option<String>) {
    let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let mut roots = None;
    let rest: Vec<&str> = query
        .split('&')
        .filter(|pair| match pair.strip_prefix("sslrootcert=") {
            Some(file) => {
                roots = Some(file.to_owned());
                false
            }
            None => true,
        })
        .collect();
    match rest.is_empty() {
        true => (base.to_owned(), roots),
        false => (format!("{base}?{}", rest.join("&")), roots),
    }
}

fn trusted(file: Option<&str>) -> Result<RootCertStore, RemoteError> {
    let mut store = RootCertStore::empty();
    // A machine without certificate authorities can still name its own.
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = file {
        let wrong = |what: String| RemoteError::Roots(format!("{file}: {what}"));
        let certificates = CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
        let before = store.len();
        for certificate in certificates {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            store.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
        if store.len() == before {
            return Err(wrong("there is no certificate in it".to_owned()));
        }
    }
    Ok(store)
}

fn tls(trusted: RootCertStore) -> Result<MakeRustlsConnect, RemoteError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| RemoteError::Malformed(error.to_string()))?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.config == other.config
    }
}

impl Eq for Place {}

/// Hosts and database; never user or password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
            if let Some(port) = self.config.get_ports().get(index).or(self.config.get_ports().first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_url_has_no_secret() {
        let place = Place::parse("postgres://lf:hu%3Ash@db1,db2:6432/records?sslmode=disable").unwrap();
        assert_eq!(place.to_string(), "postgres://db1:5432,db2:6432/records");
        let shown = format!("{:?}", crate::Remote::parse("postgres://lf:hush@h/d?sslmode=disable"));
        assert!(!shown.contains("hush"), "{shown}");
    }

    #[test]
    fn mistakes_in_a_url_are_named_without_its_values() {
        for (url, said) in [
            ("postgres://u:hush@h:port/d", "port"),
            ("postgres://u:hush@h/d?sslmode=hush", "sslmode"),
            ("postgres://u:hush@h/d?colour=hush", "colour"),
            ("postgres://", "host"),
            ("postgres://u:hush@h/d?sslrootcert=/nowhere.pem", "/nowhere.pem"),
        ] {
            let error = Place::parse(url).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains("hush"), "{url}: {error}");
        }
    }
}
