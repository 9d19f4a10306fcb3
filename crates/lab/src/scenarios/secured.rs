//! Pushes over TLS: handshakes that come to nothing, records that are damaged, and the ends that plain pushes have too.

use std::time::Duration;

use cause::evidence::{TlsFacts, TlsFailureKind};
use cause::{Cause, DetailKey, EventKind};
use tokio::time::sleep;

use super::network::server_at;
use crate::child::{Pusher, Step};
use crate::client::{Client, PATIENCE, Pace, client_hello};
use crate::encoder::{Encoder, Kind};
use crate::error::LabError;
use crate::network::Between;
use crate::process::Signal;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{DOMAIN, Profile};
use crate::site::Site;
use crate::trial::Trial;

const FFMPEG: Needs = Needs::With(&["ffmpeg"]);
const NAMESPACE: Needs = Needs::Root(&["ip"]);
/// A handshake record (RFC 8446, section 5.1) of eight bytes, which are no handshake message.
const BROKEN_HELLO: [u8; 13] = [22, 3, 1, 0, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
/// Neither TLS nor RTMP, nor text.
const GARBAGE: [u8; 64] = [0xa5; 64];
/// A push streams this long before something happens to it.
const WELL: Duration = Duration::from_secs(2);
/// Longer than any of these scenarios, seconds.
const LONG: f64 = 90.0;
/// kbit/s.
const USUAL: u32 = 400;
/// A client that is gone is seen to be.
const AT_ONCE: Duration = Duration::from_millis(100);
/// The path limit of these servers, and the second that is promised.
const PATH_LIMIT: Duration = Duration::from_secs(6);

pub(super) fn scenarios() -> Vec<Scenario> {
    [handshakes(), lives(), encoders()].concat()
}

fn handshakes() -> Vec<Scenario> {
    use Cause::{LeftInTlsHandshake, ProtocolBroken};
    use DetailKey as D;
    let own = |name, detail: DetailKey, about, run| {
        Scenario::new(name, LeftInTlsHandshake, detail, about, run).needing(Needs::Own)
    };
    vec![
        own("tls_left_in_hello", D::SetupClosed, "Closes in the middle of its ClientHello.", |t| {
            Box::pin(left_in_hello(t))
        }),
        own(
            "tls_left_after_answer",
            D::TlsLeft,
            "Closes when the server has answered its ClientHello and shown a certificate.",
            |t| Box::pin(left_after_answer(t)),
        ),
        own(
            "tls_silent_in_hello",
            D::SetupLimit,
            "Stops in the middle of its ClientHello, until the limit for the handshake.",
            |t| Box::pin(silent_in_hello(t)),
        ),
        own(
            "tls_certificate_refused",
            D::TlsHandshakeFailed,
            "Does not trust the server's certificate, and says so by an alert.",
            |t| Box::pin(certificate_refused(t)),
        ),
        own(
            "tls_garbage",
            D::TlsHandshakeFailed,
            "Sends bytes that are no TLS in place of a ClientHello.",
            |t| Box::pin(says_first(t, &GARBAGE, TlsFailureKind::NotTls)),
        ),
        own(
            "tls_broken_hello",
            D::TlsHandshakeFailed,
            "Sends a handshake record with garbage in it in place of a ClientHello.",
            |t| Box::pin(says_first(t, &BROKEN_HELLO, TlsFailureKind::Broken)),
        ),
        own("rtmp_on_tls", D::PlainOnTls, "Speaks plain RTMP to the port for TLS.", |t| {
            Box::pin(rtmp_on_tls(t))
        }),
        Scenario::new("tls_on_rtmp", ProtocolBroken, D::TlsOnPlain, "Speaks TLS to the plain port.", |t| {
            Box::pin(tls_on_rtmp(t))
        }),
    ]
}

fn lives() -> Vec<Scenario> {
    use Cause::{DeleteStream, EndOfFile, PathLost, Reset, TransportLost};
    use DetailKey as D;
    let own = |name, cause: Cause, detail: Option<DetailKey>, about, run| {
        Scenario::new(name, cause, detail, about, run).needing(Needs::Own)
    };
    vec![
        own(
            "tls_delete_stream",
            DeleteStream,
            None,
            "Streams over TLS, says deleteStream, ends TLS and closes.",
            |t| Box::pin(delete_stream(t)),
        ),
        own(
            "tls_close_notify",
            EndOfFile,
            Some(D::AtMessageBoundary),
            "Ends TLS by its closing message and closes, without a word of RTMP.",
            |t| Box::pin(close_notify(t)),
        ),
        own(
            "tls_cut_off",
            EndOfFile,
            Some(D::AtMessageBoundary),
            "Closes without the closing message of TLS, as the system does for a process that is killed.",
            |t| Box::pin(cut_off(t)),
        ),
        own(
            "tls_reset",
            Reset,
            Some(D::AtMessageBoundary),
            "Resets the connection below TLS, between two messages.",
            |t| Box::pin(reset(t)),
        )
        .within(AT_ONCE),
        own(
            "tls_corrupted_record",
            TransportLost,
            Some(D::TlsBroken),
            "A bit of a record is changed on its way while the push is live.",
            |t| Box::pin(corrupted_record(t)),
        ),
        own(
            "tls_black_hole",
            PathLost,
            Some(D::PathLost),
            "The path below TLS swallows everything in both directions, and nobody is told.",
            |t| Box::pin(black_hole(t)),
        )
        .needing(NAMESPACE)
        .within(PATH_LIMIT),
    ]
}

fn encoders() -> Vec<Scenario> {
    use Cause::{DeleteStream, EndOfFile};
    let ffmpeg =
        |name, cause, about, run| Scenario::new(name, cause, None, about, run).needing(FFMPEG).heavy();
    vec![
        ffmpeg("tls_ffmpeg_stopped", DeleteStream, "ffmpeg over TLS is stopped by Ctrl-C.", |t| {
            Box::pin(ffmpeg_meets(t, Signal::Interrupt))
        }),
        ffmpeg("tls_ffmpeg_killed", EndOfFile, "ffmpeg over TLS is killed while it streams.", |t| {
            Box::pin(ffmpeg_meets(t, Signal::Kill))
        })
        .within(AT_ONCE),
    ]
}

/// A server's port for TLS, and a connection to it on which nothing has been said.
async fn connected(trial: &Trial, profile: Profile) -> Result<(Client, Seen), LabError> {
    let site = trial.own(profile).await?.secured()?;
    let client = Client::open(site.rtmp).await?;
    let seen = Seen::connection(&site, &client);
    Ok((client, seen))
}

async fn say_half_a_hello(client: &mut Client) -> Result<(), LabError> {
    let hello = client_hello(DOMAIN)?;
    client.send_raw(hello.get(..hello.len() / 2).unwrap_or_default()).await
}

async fn left_in_hello(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = connected(&trial, Profile::Standard).await?;
    say_half_a_hello(&mut client).await?;
    Ok(seen.at(client.end_of_file().await?))
}

async fn left_after_answer(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = connected(&trial, Profile::Standard).await?;
    client.send_raw(&client_hello(DOMAIN)?).await?;
    client.wait_for_bytes().await?;
    Ok(seen.at(client.end_of_file().await?))
}

async fn silent_in_hello(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = connected(&trial, Profile::Impatient).await?;
    say_half_a_hello(&mut client).await?;
    let seen = seen.now();
    client.wait_for_close(PATIENCE).await?;
    Ok(seen)
}

async fn certificate_refused(trial: Trial) -> Result<Seen, LabError> {
    let (client, seen) = connected(&trial, Profile::Standard).await?;
    let mut client = client.distrust(DOMAIN).await?;
    let seen = broken_by(seen.now(), TlsFailureKind::Alert);
    client.wait_for_close(PATIENCE).await?;
    Ok(seen)
}

async fn says_first(trial: Trial, bytes: &'static [u8], kind: TlsFailureKind) -> Result<Seen, LabError> {
    let (mut client, seen) = connected(&trial, Profile::Standard).await?;
    let seen = broken_by(seen.now(), kind);
    client.send_raw(bytes).await?;
    client.wait_for_close(PATIENCE).await?;
    Ok(seen)
}

async fn rtmp_on_tls(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = connected(&trial, Profile::Standard).await?;
    let seen = broken_by(seen.now(), TlsFailureKind::PlainRtmp);
    client.session().start();
    client.flush().await?;
    client.wait_for_close(PATIENCE).await?;
    Ok(seen)
}

async fn tls_on_rtmp(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let mut client = site.open().await?;
    let seen = Seen::connection(&site, &client).now();
    client.send_raw(&client_hello(DOMAIN)?).await?;
    client.wait_for_close(PATIENCE).await?;
    Ok(seen)
}

async fn live(trial: &Trial) -> Result<(Client, Seen), LabError> {
    let site = trial.own(Profile::Standard).await?.secured()?;
    let mut client = site.live(trial.stream()).await?;
    client.stream(Pace::default(), Duration::from_secs(1)).await?;
    let seen = over_tls(Seen::push(&site, &client, trial.stream()));
    Ok((client, seen))
}

async fn delete_stream(trial: Trial) -> Result<Seen, LabError> {
    let (client, seen) = live(&trial).await?;
    Ok(seen.at(client.delete_stream().await?))
}

async fn close_notify(trial: Trial) -> Result<Seen, LabError> {
    let (client, seen) = live(&trial).await?;
    Ok(closing_message(seen, true).at(client.end_of_file().await?))
}

async fn cut_off(trial: Trial) -> Result<Seen, LabError> {
    let (client, seen) = live(&trial).await?;
    Ok(closing_message(seen, false).at(client.cut_off().await?))
}

async fn reset(trial: Trial) -> Result<Seen, LabError> {
    let (client, seen) = live(&trial).await?;
    Ok(closing_message(seen, false).at(client.reset().await?))
}

async fn corrupted_record(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = live(&trial).await?;
    let seen = broken_by(seen.now(), TlsFailureKind::Broken);
    client.send_corrupted(&[0; 1_000]).await?;
    client.wait_for_close(PATIENCE).await?;
    Ok(seen)
}

async fn black_hole(trial: Trial) -> Result<Seen, LabError> {
    let between = Between::new()?;
    let site: Site = server_at(between.host, Profile::Plain).await?.secured()?;
    let steps = [Step::Stream(LONG)];
    let mut pusher = Pusher::start(&between.under(), &site, trial.stream(), USUAL, &steps)?;
    pusher.reaches("stream").await?;
    sleep(WELL).await;
    let seen = over_tls(Seen::stream(&site, trial.stream())).now();
    between.black_hole(true);
    Ok(seen.event(EventKind::PathSuspect).keep(pusher).keep(between))
}

async fn ffmpeg_meets(trial: Trial, fate: Signal) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?.secured()?;
    let mut encoder = Encoder::start(Kind::Ffmpeg, &[], &site, trial.stream(), USUAL)?;
    encoder.sends_media(&site, trial.stream()).await?;
    sleep(WELL).await;
    let seen = over_tls(Seen::stream(&site, trial.stream())).now();
    encoder.signal(fate)?;
    let seen = if fate == Signal::Kill { closing_message(seen, false) } else { seen };
    Ok(seen.keep(encoder))
}

/// The record says how the push came in.
fn over_tls(seen: Seen) -> Seen {
    seen.check(|record| {
        (record.protocol != "rtmps").then(|| format!("it is said to have come over {}", record.protocol))
    })
}

/// The evidence holds that TLS was broken in this way.
fn broken_by(seen: Seen, kind: TlsFailureKind) -> Seen {
    tls(seen, move |tls| tls.failure.as_ref().is_some_and(|failure| failure.kind == kind))
}

/// The evidence holds whether TLS was ended by its closing message.
fn closing_message(seen: Seen, was_sent: bool) -> Seen {
    tls(seen, move |tls| tls.close_notify == was_sent && tls.failure.is_none())
}

fn tls(seen: Seen, is_right: impl Fn(&TlsFacts) -> bool + Send + Sync + 'static) -> Seen {
    seen.evidence(move |evidence| match evidence.tls() {
        Some(tls) if is_right(tls) => None,
        other => Some(format!("the evidence of TLS is {other:?}")),
    })
}
