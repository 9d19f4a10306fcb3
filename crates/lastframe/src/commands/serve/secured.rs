//! Certificates for RTMPS and HTTPS: those of the configuration, or a self-signed one.

use std::path::Path;
use std::sync::Arc;

use live::tls::{self, CertificateFiles, Certificates, Proofs};
use model::Clock;
use rustls::ServerConfig;

use crate::config::{Challenge, Config};
use crate::failure::Failure;
use crate::setup::certificate;

/// What the secured listeners need.
pub struct Secured {
    /// For RTMPS, where it is on.
    pub rtmps: Option<Arc<ServerConfig>>,
    /// For HTTPS, where it is on.
    pub https: Option<Arc<ServerConfig>>,
    /// SHA-256 of the certificate, where it is self-signed.
    pub fingerprint: Option<String>,
    /// What an authority is shown that asks for a proof.
    pub proofs: Proofs,
    /// What has to be watched for changes.
    pub watched: Vec<Arc<Certificates>>,
    /// What is shown, watched or not.
    pub shown: Vec<Arc<Certificates>>,
}

impl Secured {
    /// Reads or makes the certificates of the listeners that are on. Certificates of the configuration that cannot be used
    /// fail; a self-signed one that cannot be made leaves the listeners off.
    pub fn prepare(config: &Config, data: &Path, label: &str, clock: &dyn Clock) -> Result<Self, Failure> {
        let mut secured = Self {
            rtmps: None,
            https: None,
            fingerprint: None,
            proofs: Proofs::default(),
            watched: Vec::new(),
            shown: Vec::new(),
        };
        let [rtmps, https] = config.certificates();
        if config.rtmps.listen.is_none() && config.https.listen.is_none() {
            return Ok(secured);
        }
        #[cfg(feature = "acme")]
        if rtmps.is_empty() && !config.acme.names.is_empty() {
            let certificates = Arc::new(for_authority(config, data, clock)?);
            secured.watched.push(certificates.clone());
            secured.show(config, &certificates, &certificates)?;
            return Ok(secured);
        }
        if rtmps.is_empty() {
            match certificate::read_or_make(data, label, clock) {
                Ok(certificates) => {
                    secured.fingerprint = Some(certificates.fingerprint());
                    let certificates = Arc::new(certificates);
                    secured.show(config, &certificates, &certificates)?;
                }
                Err(error) => tracing::error!(%error, "RTMPS and HTTPS are off"),
            }
            return Ok(secured);
        }
        let for_rtmps = Arc::new(read(&rtmps)?);
        secured.watched.push(for_rtmps.clone());
        let for_https = if https == rtmps {
            for_rtmps.clone()
        } else {
            let certificates = Arc::new(read(&https)?);
            secured.watched.push(certificates.clone());
            certificates
        };
        secured.show(config, &for_rtmps, &for_https)?;
        Ok(secured)
    }

    fn show(
        &mut self,
        config: &Config,
        rtmps: &Arc<Certificates>,
        https: &Arc<Certificates>,
    ) -> Result<(), Failure> {
        self.shown.push(rtmps.clone());
        if !Arc::ptr_eq(rtmps, https) {
            self.shown.push(https.clone());
        }
        if config.rtmps.listen.is_some() {
            self.rtmps = Some(tls::listener(rtmps.clone(), &[]).map_err(Failure::failed)?);
        }
        if config.https.listen.is_some() {
            let proves = !config.acme.names.is_empty() && config.acme.challenge == Challenge::TlsAlpn01;
            let proofs = proves.then(|| self.proofs.clone());
            self.https = Some(tls::https(https.clone(), proofs).map_err(Failure::failed)?);
        }
        Ok(())
    }
}

fn read(files: &[CertificateFiles]) -> Result<Certificates, Failure> {
    Certificates::read(files.to_vec()).map_err(Failure::failed)
}

/// What an authority issued before, or a self-signed certificate in its place until it does.
#[cfg(feature = "acme")]
fn for_authority(config: &Config, data: &Path, clock: &dyn Clock) -> Result<Certificates, Failure> {
    let files = crate::acme::files(data);
    if let Ok(issued) = Certificates::read(vec![files.clone()]) {
        return Ok(issued);
    }
    let name = config.acme.names.first().map(String::as_str).unwrap_or_default();
    certificate::make_at(&files, name, clock).map_err(Failure::failed)?;
    read(&[files])
}
