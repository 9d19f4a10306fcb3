//! `url`: a signed URL.

use std::io::{self, Write};
use std::path::Path;

use model::catalog::Domain;
use model::sign::Algorithm;
use model::stream_url::Signature;
use model::{Clock, StreamUrl, SystemClock, Timestamp, UrlKind};

use crate::cli::UrlArgs;
use crate::config::Config;
use crate::failure::Failure;
use crate::setup::first_start::FIRST_ACCOUNT;
use crate::setup::secrets::Secrets;

/// Prints the URL.
pub fn run(args: &UrlArgs, config: &Config, data: &Path) -> Result<(), Failure> {
    let known = known_domains(config, data)?;
    let domain = domain_of(args, &known)?;
    let expires = SystemClock.now().plus(args.ttl);
    if u32::try_from(expires.secs()).is_err() {
        return Err(Failure::Usage("--ttl: the time lies too far ahead for a signature; write less".into()));
    }
    if args.app.is_empty() || args.stream.is_empty() {
        return Err(Failure::Usage("--app and --stream must not be empty".into()));
    }
    // A URL that the server would read as another name, or refuse, is worth nothing.
    let names = config.limits.names;
    names.check_app(&args.app).map_err(|fault| Failure::Usage(format!("--app {fault}")))?;
    names.check_stream(&args.stream).map_err(|fault| Failure::Usage(format!("--stream {fault}")))?;
    writeln!(io::stdout().lock(), "{}", url(args, config, domain, expires))?;
    Ok(())
}

/// The domains that a push can go to: those of the configuration, and the one of the first start.
fn known_domains(config: &Config, data: &Path) -> Result<Vec<Domain>, Failure> {
    let mut known = config.domains.clone();
    if let Some(first) = Secrets::read(data)?.map(|s| s.domain)
        && !known.iter().any(|d| d.name == first.name)
    {
        known.push(Domain::new(first.name, FIRST_ACCOUNT, first.key));
    }
    Ok(known)
}

fn domain_of<'a>(args: &UrlArgs, known: &'a [Domain]) -> Result<&'a Domain, Failure> {
    let name = args.domain.to_ascii_lowercase();
    known.iter().find(|d| d.name == name).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|d| d.name.as_str()).collect();
        Failure::Usage(match names.is_empty() {
            true => "--domain: no domain is known; start the server once, or name its configuration and data folder \
                     with --config and --data"
                .to_owned(),
            false => format!("--domain: `{name}` is not known here; there is: {}", names.join(", ")),
        })
    })
}

fn url(args: &UrlArgs, config: &Config, domain: &Domain, expires: Timestamp) -> String {
    let push = matches!(args.kind, UrlKind::Rtmp | UrlKind::Rtmps | UrlKind::Srt | UrlKind::Whip);
    let key = match push {
        true => domain.auth.then_some(if domain.key.is_empty() { &domain.backup_key } else { &domain.key }),
        false => domain.play_auth.then_some(&domain.play_key),
    };
    let port = args.port.or(match args.kind {
        UrlKind::Rtmp => Some(config.rtmp.listen.port()),
        UrlKind::Rtmps => Some(config.rtmps.listen.map_or(1936, |at| at.port())),
        UrlKind::Srt => Some(config.srt.listen.map_or(9000, |listen| listen.port())),
        UrlKind::Whip | UrlKind::Flv | UrlKind::Hls => Some(config.http.listen.port()),
    });
    let signature = key.map(|key| Signature { key, expires, algorithm: Algorithm::Md5 });
    let (app, stream) = (args.app.trim_matches('/'), args.stream.as_str());
    StreamUrl { kind: args.kind, tls: false, host: &domain.name, port, app, stream, signature }.to_string()
}
