//! What a start prints: at the first one everything a newcomer needs, later where things are.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use model::sign::Algorithm;
use model::stream_url::Signature;
use model::{StreamUrl, Timestamp, UrlKind};

use super::ports::Addresses;
use crate::failure::Failure;
use crate::setup::secrets::Secrets;

/// How long the printed push URL works.
const TTL: Duration = Duration::from_secs(24 * 3_600);

/// Prints it.
pub fn print(
    secrets: Option<&Secrets>,
    data: &Path,
    at: &Addresses,
    self_signed: Option<&str>,
    now: Timestamp,
) -> Result<(), Failure> {
    let text = match secrets {
        Some(secrets) => first(secrets, data, at, self_signed, now),
        None => later(at, self_signed),
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        // Nobody reads what a service says; that is no reason to stop.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn first(
    secrets: &Secrets,
    data: &Path,
    at: &Addresses,
    self_signed: Option<&str>,
    now: Timestamp,
) -> String {
    let signature = Signature { key: &secrets.domain.key, expires: now.plus(TTL), algorithm: Algorithm::Md5 };
    let url = StreamUrl {
        kind: UrlKind::Rtmp,
        tls: false,
        host: &secrets.domain.name,
        port: Some(at.rtmp.port()),
        app: "live",
        stream: "test",
        signature: Some(signature),
    };
    let secrets_file = Secrets::path(data);
    format!(
        "Lastframe is ready.\n\n\
         Push a test picture (the URL is good for 24 hours):\n\n  \
         ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine -c:v libx264 -preset veryfast \\\n    \
         -tune zerolatency -g 60 -pix_fmt yuv420p -c:a aac -f flv \"{url}\"\n\n\
         Stop it, and see why it ended:\n\n  \
         {console}   (user {user}, password in {file})\n  \
         lastframe records\n\n\
         Another URL: lastframe url --domain {domain} --app live --stream NAME [--kind rtmps{srt}]\n\
         {secured}Secrets (console password, API key, domain key): {file}\n\n",
        secured = secured(at, self_signed),
        console = console(at),
        user = secrets.console.user,
        domain = secrets.domain.name,
        srt = if at.srt.is_some() { "|srt" } else { "" },
        file = secrets_file.display(),
    )
}

fn later(at: &Addresses, self_signed: Option<&str>) -> String {
    let srt = at.srt.map(|srt| format!(" and {srt} (SRT)")).unwrap_or_default();
    let ready = format!("Lastframe is ready: pushes on {}{srt}, console on {}\n", at.rtmp, console(at));
    ready + &secured(at, self_signed)
}

/// Where TLS is, and which certificate it shows.
fn secured(at: &Addresses, self_signed: Option<&str>) -> String {
    let places = [
        at.rtmps.map(|rtmps| format!("rtmps on port {}", rtmps.port())),
        at.https.map(|https| format!("https://{}:{}/", host(https), https.port())),
    ];
    let places: Vec<String> = places.into_iter().flatten().collect();
    if places.is_empty() {
        return String::new();
    }
    let mut text = format!("With TLS: {}\n", places.join(", "));
    if let Some(fingerprint) = self_signed {
        text.push_str(&format!(
            "Its certificate is self-signed (docs/tls.md says how to have another); SHA-256 {fingerprint}\n"
        ));
    }
    text
}

fn console(at: &Addresses) -> String {
    let at = at.admin.unwrap_or(at.http);
    format!("http://{}:{}/", host(at), at.port())
}

fn host(at: SocketAddr) -> String {
    match at {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => "localhost".to_owned(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => "localhost".to_owned(),
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses() -> Addresses {
        Addresses {
            rtmp: "0.0.0.0:1935".parse().unwrap(),
            srt: None,
            http: "[::]:8080".parse().unwrap(),
            admin: None,
            rtmps: None,
            https: None,
        }
    }

    #[test]
    fn the_first_start_prints_a_ready_command_and_no_secret_but_the_signature() {
        let secrets = Secrets::generate().unwrap();
        let text = first(&secrets, Path::new("data"), &addresses(), None, Timestamp(1_763_841_600_000));
        assert!(text.contains("\"rtmp://localhost/live/test?txSecret="), "{text}");
        assert!(text.contains("http://localhost:8080/") && text.contains("data/secrets.toml"), "{text}");
        for secret in [&secrets.console.password, &secrets.api_key.secret, &secrets.domain.key] {
            assert!(!text.contains(secret.as_str()));
        }
    }

    #[test]
    fn where_tls_is_and_whose_certificate_it_shows_is_told() {
        let at = Addresses {
            rtmps: Some("0.0.0.0:1936".parse().unwrap()),
            https: Some("192.0.2.1:8443".parse().unwrap()),
            ..addresses()
        };
        assert!(later(&at, None).ends_with("With TLS: rtmps on port 1936, https://192.0.2.1:8443/\n"));
        assert!(later(&at, Some("AB:CD")).contains("SHA-256 AB:CD\n"));
        assert!(!later(&addresses(), Some("AB:CD")).contains("SHA-256"));
    }

    #[test]
    fn later_starts_are_short() {
        assert_eq!(
            later(&addresses(), None),
            "Lastframe is ready: pushes on 0.0.0.0:1935, console on http://localhost:8080/\n"
        );
        let with_srt = Addresses { srt: Some("0.0.0.0:9000".parse().unwrap()), ..addresses() };
        assert!(later(&with_srt, None).contains("0.0.0.0:1935 and 0.0.0.0:9000 (SRT), "));
    }
}
