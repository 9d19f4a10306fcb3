//! What an operator meets every week, and what is none of the network's doing: probes of load balancers, URLs that expire,
//! clocks that jump.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cause::{Cause, DetailKey};
use model::sign::{Algorithm, signed_query};
use model::{Clock, Record, SystemClock};
use tempfile::NamedTempFile;
use tokio::time::sleep;

use crate::client::{Client, PATIENCE, Pace};
use crate::error::LabError;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{KEY, Profile, Server, Setup};
use crate::site::{APP, Site};
use crate::trial::Trial;

const SIGNED: &str = "signed.lab.test";
/// What a health check of HTTP sends.
const HTTP_PROBE: &[u8] =
    b"GET /healthz HTTP/1.1\r\nHost: ingest\r\nUser-Agent: ELB-HealthChecker/2.0\r\n\r\n";
const PROBES: u64 = 6;
const BETWEEN_PROBES: Duration = Duration::from_millis(300);
/// The count of a folded record is written this often, and a little later.
const FOLDED: Duration = Duration::from_millis(4_000);
/// A signed URL is good for so long, and the push goes on for longer.
const GOOD_FOR: Duration = Duration::from_secs(4);
const PUSH_FOR: Duration = Duration::from_secs(6);
/// Streamed on either side of a jump of the clock, which is much larger.
const A_WHILE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(100);
const LONGEST_MS: u64 = 60_000;

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{DeleteStream, Expired, LeftBeforeFirstByte, ProtocolBroken};
    use DetailKey as D;
    vec![
        Scenario::new(
            "health_check_by_tcp",
            LeftBeforeFirstByte,
            D::SetupClosed,
            "A load balancer connects and closes again and again: one record, with a count.",
            |t| Box::pin(health_check(t, &[])),
        )
        .needing(Needs::Own),
        Scenario::new(
            "health_check_by_http",
            ProtocolBroken,
            None,
            "A load balancer asks the RTMP port by HTTP again and again: one record, with a count.",
            |t| Box::pin(health_check(t, HTTP_PROBE)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "expired_while_live",
            Expired,
            D::ExpiredAt,
            "A signed URL expires while its push is live; the push drops, and the reconnect is refused.",
            |t| Box::pin(expired_while_live(t)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "clock_jumps_ahead",
            DeleteStream,
            None,
            "The server's clock jumps ahead by an hour in the middle of the push, whose length stays what it is.",
            |t| Box::pin(clock_jumps(t, "+3600")),
        )
        .needing(Needs::Own),
        Scenario::new(
            "clock_jumps_back",
            DeleteStream,
            None,
            "The server's clock jumps back by an hour in the middle of the push, whose length stays what it is.",
            |t| Box::pin(clock_jumps(t, "-3600")),
        )
        .needing(Needs::Own),
    ]
}

async fn health_check(_trial: Trial, says: &[u8]) -> Result<Seen, LabError> {
    let site = Site::own(Arc::new(Server::start(Setup::new(Profile::Folding)).await?))?;
    for _ in 0..PROBES {
        let mut client = site.open().await?;
        if says.is_empty() {
            client.end_of_file().await?;
        } else {
            client.send_raw(says).await?;
            client.wait_for_close(PATIENCE).await?;
        }
        sleep(BETWEEN_PROBES).await;
    }
    sleep(FOLDED).await;
    Ok(Seen::any(&site).check(|record| {
        (record.attempts != PROBES).then(|| format!("{} attempts in place of {PROBES}", record.attempts))
    }))
}

async fn expired_while_live(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let until = SystemClock.now().plus(GOOD_FOR);
    let name = format!("{0}?{1}", trial.stream(), signed_query(KEY, trial.stream(), until, Algorithm::Md5));
    let connect = async || -> Result<Client, LabError> {
        let mut client = site.open().await?;
        client.handshake().await?;
        client.connect(APP, &format!("rtmp://{SIGNED}/{APP}")).await?;
        client.create_stream().await?;
        Ok(client)
    };
    let mut first = connect().await?;
    first.publish(&name).await?;
    first.stream(Pace::default(), PUSH_FOR).await?;
    first.reset().await?;
    // Until then the server may not have seen it.
    let mut waited = Duration::ZERO;
    while site.api.live_bytes(trial.stream()).await?.is_some() && waited < PATIENCE {
        sleep(POLL).await;
        waited += POLL;
    }
    let mut second = connect().await?;
    let seen = Seen::push(&site, &second, trial.stream()).now().check(was_live_before);
    match second.publish(&name).await {
        Err(LabError::Refused(told)) => Ok(seen.told(told)),
        Err(error) => Err(error),
        Ok(()) => Err(LabError::WentLive),
    }
}

/// The record says that the URL was good until the push before it was lost, and how that was lost.
fn was_live_before(record: &Record) -> Option<String> {
    let params = record.detail.as_ref().map(|detail| &detail.params);
    let last = params.and_then(|params| params.get("last_code")).and_then(serde_json::Value::as_str);
    (last != Some("4/0")).then(|| format!("the record does not tell of the push before it: {params:?}"))
}

async fn clock_jumps(trial: Trial, by: &str) -> Result<Seen, LabError> {
    let library = fake_time().ok_or_else(|| LabError::Skipped("needs libfaketime (faketime)".to_owned()))?;
    let clock = NamedTempFile::new()?;
    std::fs::write(clock.path(), "+0")?;
    let mut setup = Setup::new(Profile::Plain);
    setup.environment = vec![
        ("LD_PRELOAD", library.into()),
        ("FAKETIME_TIMESTAMP_FILE", clock.path().into()),
        ("FAKETIME_NO_CACHE", "1".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
    ];
    let site = Site::own(Arc::new(Server::start(setup).await?))?;
    let mut client = site.live(trial.stream()).await?;
    let seen = Seen::push(&site, &client, trial.stream());
    client.stream(Pace::default(), A_WHILE).await?;
    std::fs::write(clock.path(), by)?;
    client.stream(Pace::default(), A_WHILE).await?;
    client.delete_stream().await?;
    let ahead = by.starts_with('+');
    let shortest = u64::try_from(A_WHILE.as_millis()).unwrap_or(u64::MAX).saturating_mul(2);
    let checked = seen.check(move |record| {
        let right = shortest.saturating_sub(100)..LONGEST_MS;
        if !right.contains(&record.duration_ms) {
            return Some(format!("it lasted {} ms", record.duration_ms));
        }
        // The end is written by the clock as it then is, but never before the start.
        let by_the_clock = record.ended_at.since(record.published_at.unwrap_or(record.connected_at));
        let jumped = if ahead { by_the_clock > LONGEST_MS } else { by_the_clock < shortest };
        (!jumped).then(|| format!("the clock did not jump: {by_the_clock} ms by it"))
    });
    Ok(checked.keep(clock))
}

/// Debian's libfaketime, under `/usr/lib/<architecture>/faketime`.
fn fake_time() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let file = |folder: &Path| folder.join("faketime/libfaketimeMT.so.1");
    folders.filter_map(Result::ok).map(|folder| file(&folder.path())).find(|path| path.is_file())
}
