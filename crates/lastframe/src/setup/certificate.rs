//! A self-signed certificate for those who have configured none: made at the first start, kept in the data folder.

use std::net::{IpAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use jiff::tz::TimeZone;
use live::tls::{CertificateFiles, Certificates};
use model::Clock;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};

use super::private_file;

const DAY: Duration = Duration::from_secs(86_400);
/// Systems of Apple take no certificate for longer than 825 days, even where its owner trusts it.
const GOOD_FOR: u32 = 800;
/// One older than this is replaced at the next start.
const REPLACED_AFTER: u32 = 700;

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum SelfSignedError {
    /// It cannot be made.
    #[error("no self-signed certificate can be made: {0}")]
    Make(#[from] rcgen::Error),
    /// It was made, and is not taken.
    #[error("the self-signed certificate cannot be used: {0}")]
    Use(String),
}

/// The certificate that `folder` keeps, or a new one for `localhost`, `label` and this machine's addresses. Where the
/// folder cannot be written, it lives as long as the program.
pub fn read_or_make(folder: &Path, label: &str, clock: &dyn Clock) -> Result<Certificates, SelfSignedError> {
    let files =
        CertificateFiles { cert: folder.join("self-signed.pem"), key: folder.join("self-signed.key") };
    if !is_old(&files.cert, clock)
        && let Ok(kept) = Certificates::read(vec![files.clone()])
    {
        return Ok(kept);
    }
    let (cert, key) = make(label, clock)?;
    let kept = private_file::write(&files.key, &key).and_then(|()| private_file::write(&files.cert, &cert));
    if let Err(error) = kept {
        tracing::warn!(%error, "the self-signed certificate cannot be kept; the next start makes another");
    }
    Certificates::of_pem(&cert, &key).map_err(SelfSignedError::Use)
}

/// Makes one for `name` and this machine, and keeps it in `files`.
#[cfg(feature = "acme")]
pub fn make_at(files: &CertificateFiles, name: &str, clock: &dyn Clock) -> Result<(), SelfSignedError> {
    let (cert, key) = make(name, clock)?;
    let folder = files.cert.parent().unwrap_or(Path::new("."));
    let kept = private_file::folder(folder)
        .and_then(|()| private_file::write(&files.key, &key))
        .and_then(|()| private_file::write(&files.cert, &cert));
    kept.map_err(|error| SelfSignedError::Use(error.to_string()))
}

fn is_old(path: &Path, clock: &dyn Clock) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(file) = std::fs::metadata(path) else { return true };
    let made = u64::try_from(file.mtime()).unwrap_or(0);
    u64::try_from(clock.now().secs()).unwrap_or(0) > made.saturating_add((DAY * REPLACED_AFTER).as_secs())
}

/// Certificate and key in PEM form.
fn make(label: &str, clock: &dyn Clock) -> Result<(String, String), rcgen::Error> {
    let mut params = CertificateParams::new(names(label))?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Lastframe, self-signed");
    let now = clock.now();
    // A client whose clock is a little behind must not find it in the future.
    let (from, until) = (day(now.secs() - 86_400), day(now.plus(DAY * GOOD_FOR).secs()));
    params.not_before = date_time_ymd(from.0, from.1, from.2);
    params.not_after = date_time_ymd(until.0, until.1, until.2);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// Year, month and day.
fn day(secs: i64) -> (i32, u8, u8) {
    let date = jiff::Timestamp::from_second(secs).unwrap_or_default().to_zoned(TimeZone::UTC).date();
    let part = |number: i8| u8::try_from(number).unwrap_or(1);
    (i32::from(date.year()), part(date.month()), part(date.day()))
}

fn names(label: &str) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let is_name = !label.is_empty()
        && label.len() <= 253
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    if is_name && label != "localhost" {
        names.push(label.to_owned());
    }
    names.extend(addresses().map(|address| address.to_string()));
    names.dedup();
    names
}

/// The addresses that this machine reaches others from. Nothing is sent for it: a UDP socket only chooses its route.
fn addresses() -> impl Iterator<Item = IpAddr> {
    let routes = [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")];
    routes.into_iter().filter_map(|(any, far)| {
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(far).ok()?;
        Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use model::SystemClock;

    use super::*;

    #[test]
    fn it_is_made_once_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = read_or_make(dir.path(), "node-1", &SystemClock).unwrap().fingerprint();
        assert_eq!(first.len(), 32 * 3 - 1);
        assert_eq!(read_or_make(dir.path(), "node-1", &SystemClock).unwrap().fingerprint(), first);
        for file in ["self-signed.pem", "self-signed.key"] {
            let mode = std::fs::metadata(dir.path().join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        std::fs::write(dir.path().join("self-signed.key"), "broken").unwrap();
        assert_ne!(read_or_make(dir.path(), "node-1", &SystemClock).unwrap().fingerprint(), first);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_no_reason_to_go_without() {
        let nowhere = Path::new("/proc/no/such/folder");
        assert!(!read_or_make(nowhere, "Name with spaces", &SystemClock).unwrap().fingerprint().is_empty());
    }
}
