//! Certificates from an ACME authority (RFC 8555) for the names of `[acme]`: ordered at the first start, renewed before
//! they end, proven by HTTP-01 or TLS-ALPN-01 on our own listeners. What was issued is written to the data folder, where the watch
//! on certificates finds it: connections that are open go on. While an order fails the old certificate stays.
//!
//! | file in `acme/` | holds |
//! |---|---|
//! | `account.json` | the account's key and address |
//! | `certificate.pem`, `certificate.key` | what is shown; a self-signed one until the first order is done |
//! | `issued.json` | the authority and the names that it was issued for |

mod due;
mod order;
mod proof;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use live::tls::{CertificateFiles, Proofs};
use model::Clock;
use serde::{Deserialize, Serialize};
use web::Challenges;

use crate::config::Acme;
use crate::setup::private_file;

use order::OrderError;

/// An order that takes longer has failed.
const ORDER_LIMIT: Duration = Duration::from_secs(300);
/// The longest that nothing is looked at: clocks may be set, and machines may sleep.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// Where an authority finds what it asks for.
pub struct Answers {
    /// By HTTP-01; what came of orders is noted here too.
    pub http: Challenges,
    /// By TLS-ALPN-01.
    pub tls: Proofs,
}

impl Answers {
    fn clear(&self) {
        self.http.clear();
        self.tls.clear();
    }
}

/// Where the certificate of the authority lies.
pub fn files(data: &Path) -> CertificateFiles {
    let folder = folder(data);
    CertificateFiles { cert: folder.join("certificate.pem"), key: folder.join("certificate.key") }
}

/// Where everything of ACME lies.
pub fn folder(data: &Path) -> PathBuf {
    data.join("acme")
}

/// For whom the certificate was issued.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Issued {
    directory: String,
    names: Vec<String>,
}

impl Issued {
    fn wanted(config: &Acme) -> Self {
        Self { directory: config.directory.clone(), names: config.names.clone() }
    }

    fn read(folder: &Path) -> Option<Self> {
        serde_json::from_str(&std::fs::read_to_string(folder.join("issued.json")).ok()?).ok()
    }
}

/// Orders and renews until the task is aborted.
pub async fn run(config: Acme, data: PathBuf, answers: Answers, clock: Arc<dyn Clock>) {
    // The client asks for the program's cryptography; where another part has chosen, that is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut failures = 0;
    loop {
        let now = clock.now();
        let issued = Issued::read(&folder(&data)).is_some_and(|issued| issued == Issued::wanted(&config));
        let validity = files(&data).validity().filter(|_| issued);
        let wait = due::wait(validity, now, due::share_of_random());
        if !wait.is_zero() {
            tokio::time::sleep(wait.min(LOOK_EVERY)).await;
            continue;
        }
        let outcome =
            match tokio::time::timeout(ORDER_LIMIT, order::certificate(&config, &folder(&data), &answers))
                .await
            {
                Ok(Ok(certificate)) => keep(&config, &data, &certificate),
                Ok(Err(error)) => Err(error),
                Err(_) => Err(OrderError::TooLong),
            };
        answers.clear();
        match outcome {
            Ok(()) => {
                failures = 0;
                answers.http.note(None);
                tracing::info!(names = config.names.join(" "), "a certificate was issued");
                // Whatever its validity is, an authority is not asked without a pause.
                tokio::time::sleep(due::PAUSE).await;
            }
            Err(error) => {
                let pause = due::back_off(failures, due::share_of_random());
                failures = failures.saturating_add(1);
                answers.http.note(Some(error.to_string()));
                tracing::error!(%error, retry_s = pause.as_secs(), "no certificate was issued; the one in use stays");
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Writes what was issued. The key comes first, so that a crash in between leaves a pair that is not taken rather than a
/// certificate without its key.
fn keep(config: &Acme, data: &Path, certificate: &order::Certificate) -> Result<(), OrderError> {
    let files = files(data);
    private_file::write(&files.key, &certificate.key)?;
    private_file::write(&files.cert, &certificate.chain)?;
    let issued = serde_json::to_string(&Issued::wanted(config))?;
    Ok(private_file::write(&folder(data).join("issued.json"), &issued)?)
}
