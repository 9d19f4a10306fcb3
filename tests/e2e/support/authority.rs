//! A certificate authority of a scenario's own.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// The authority, and the folder into which it writes what it issues.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: PathBuf,
    /// Its certificate, PEM.
    pub certificate: PathBuf,
}

/// A certificate and its key, PEM.
#[derive(Debug)]
pub struct Issued {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    /// Makes one.
    pub fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Two authorities of one name would be taken for one with a false signature.
        params.distinguished_name.push(DnType::CommonName, folder.display().to_string());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = folder.join("authority.pem");
        std::fs::write(&certificate, params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), folder: folder.to_owned(), certificate }
    }

    /// Issues a certificate for a host, in files that begin with this name.
    pub fn issue(&self, name: &str, host: &str) -> Issued {
        let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.issuer).unwrap();
        let file = |end: &str, text: String| {
            let path = self.folder.join(format!("{name}.{end}"));
            std::fs::write(&path, text).unwrap();
            path
        };
        Issued { certificate: file("pem", made.pem()), key: file("key", key.serialize_pem()) }
    }
}
