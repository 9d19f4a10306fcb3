//! What happens to the server itself: it is stopped, killed, frozen, full, or overloaded.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cause::{Cause, DetailKey};
use tempfile::TempDir;
use tokio::time::sleep;

use super::refusal::refused;
use crate::child::{Pusher, Step};
use crate::client::{Client, PATIENCE, Pace};
use crate::error::LabError;
use crate::process::{self, Signal};
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{DOMAIN, Profile, Server, Setup};
use crate::site::{APP, Site};
use crate::trial::Trial;

/// How long the server stands still, shorter than any limit.
const FROZEN: Duration = Duration::from_secs(4);
/// So long that a window is full of what comes, on a busy machine too.
const FROZEN_UNTIL_FULL: Duration = Duration::from_secs(8);

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause as C;
    use DetailKey as D;
    vec![
        Scenario::new(
            "server_stopped",
            C::NodeStopped,
            D::OrderedBy,
            "The server gets SIGTERM while the push is live.",
            |t| Box::pin(server_stopped(t)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "server_killed",
            C::NodeDied,
            D::RecoveredAtStart,
            "The server gets SIGKILL while the push is live, and starts again.",
            |t| Box::pin(server_killed(t)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "server_reads_nothing",
            C::PipelineFailed,
            D::OwnWindowClosed,
            "The server stands still until its receive window is closed, and the client gives up.",
            |t| Box::pin(server_reads_nothing(t)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "server_stands_still_for_a_while",
            C::DeleteStream,
            None,
            "The server stands still for some seconds, takes in what has piled up, and the client stops later.",
            |t| Box::pin(server_stands_still(t)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "server_socket_destroyed",
            C::TaskFailed,
            D::SocketEnded,
            "The server's own host takes the connection away.",
            |t| Box::pin(server_socket_destroyed(t)),
        )
        .needing(Needs::Root(&["ss"])),
        Scenario::new(
            "disk_full",
            C::JournalUnwritable,
            D::DiskFull,
            "The disk of the server's data folder is full.",
            |t| Box::pin(disk_full(t)),
        )
        .needing(Needs::Root(&["mount", "umount"])),
        Scenario::new(
            "too_many_connections",
            C::Overload,
            D::OverloadOf,
            "Connects to a node that has as many connections as allowed.",
            |t| Box::pin(too_many_connections(t)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "too_many_pushes_of_node",
            C::Overload,
            D::OverloadOf,
            "Pushes to a node that has as many pushes as allowed.",
            |t| Box::pin(too_many_pushes_of_node(t)),
        )
        .needing(Needs::Own),
    ]
}

async fn server_stopped(trial: Trial) -> Result<Seen, LabError> {
    let mut server = Server::start(Setup::new(Profile::Plain)).await?;
    let client = live_on(server.rtmp(), trial.stream()).await?;
    let port = client.port();
    let at = model::Clock::now(&model::SystemClock);
    let stopping = tokio::spawn(client_until_cut(client));
    server.terminate().await?;
    let told = stopping.await.map_err(|error| std::io::Error::other(error.to_string()))??;
    server.start_again().await?;
    let mut seen = Seen::stream(&Site::own(Arc::new(server))?, trial.stream()).at(at).told(told);
    seen.port = Some(port);
    Ok(seen)
}

async fn client_until_cut(mut client: Client) -> Result<crate::client::Told, LabError> {
    client.wait_for_cut(PATIENCE).await
}

async fn server_killed(trial: Trial) -> Result<Seen, LabError> {
    let mut server = Server::start(Setup::new(Profile::Plain)).await?;
    let mut client = live_on(server.rtmp(), trial.stream()).await?;
    client.stream(Pace::default(), Duration::from_secs(2)).await?;
    let port = client.port();
    server.kill().await?;
    server.start_again().await?;
    let mut seen = Seen::stream(&Site::own(Arc::new(server))?, trial.stream());
    seen.port = Some(port);
    Ok(seen)
}

async fn server_reads_nothing(trial: Trial) -> Result<Seen, LabError> {
    let server = Arc::new(Server::start(Setup::new(Profile::Plain)).await?);
    let site = Site::own(Arc::clone(&server))?;
    // Enough to fill every buffer on the way while the server stands still.
    let mut pusher = Pusher::start(&[], &site, trial.stream(), 80_000, &[Step::Stream(60.0)])?;
    pusher.reaches("stream").await?;
    sleep(Duration::from_secs(2)).await;
    process::signal(server.pid(), Signal::Stop)?;
    sleep(FROZEN_UNTIL_FULL).await;
    let seen = Seen::stream(&site, trial.stream());
    let killed = pusher.signal(Signal::Kill);
    sleep(Duration::from_millis(200)).await;
    process::signal(server.pid(), Signal::Continue)?;
    killed?;
    Ok(seen.keep(pusher))
}

async fn server_stands_still(trial: Trial) -> Result<Seen, LabError> {
    let server = Arc::new(Server::start(Setup::new(Profile::Plain)).await?);
    let site = Site::own(Arc::clone(&server))?;
    let steps = [Step::Stream(10.0), Step::Delete];
    let mut pusher = Pusher::start(&[], &site, trial.stream(), 400, &steps)?;
    pusher.reaches("stream").await?;
    sleep(Duration::from_secs(2)).await;
    process::signal(server.pid(), Signal::Stop)?;
    sleep(FROZEN).await;
    process::signal(server.pid(), Signal::Continue)?;
    pusher.reaches("delete").await?;
    Ok(Seen::stream(&site, trial.stream()).now().keep(pusher))
}

async fn server_socket_destroyed(trial: Trial) -> Result<Seen, LabError> {
    let site = Site::own(Arc::new(Server::start(Setup::new(Profile::Plain)).await?))?;
    let client = live_on(site.rtmp, trial.stream()).await?;
    let seen = Seen::push(&site, &client, trial.stream()).now();
    let (server, port) = (format!("sport = :{}", site.rtmp.port()), format!("dport = :{}", client.port()));
    process::run("ss", ["-K", "-t", "-n", &format!("( {server} and {port} )")])?;
    Ok(seen.keep(client))
}

/// A small file system in memory. It goes with the value.
#[derive(Debug)]
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    fn new(size: &str) -> Result<Self, LabError> {
        let folder = tempfile::Builder::new().prefix("lastframe-lab-disk-").tempdir()?;
        let path = folder.path().as_os_str();
        process::run(
            "mount",
            ["-t".as_ref(), "tmpfs".as_ref(), "-o".as_ref(), size.as_ref(), "tmpfs".as_ref(), path],
        )?;
        Ok(Self { folder })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn fill(&self) -> Result<(), LabError> {
        use std::io::Write;
        let mut file = std::fs::File::create(self.folder.path().join("filler"))?;
        let block = [0_u8; 4096];
        loop {
            match file.write_all(&block) {
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Ok(()),
                other => other?,
            }
        }
    }

    fn empty(path: &Path) -> Result<(), LabError> {
        Ok(std::fs::remove_file(path.join("filler"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may still have files open there.
        let _ = process::run("umount", ["-l".as_ref(), self.folder.path().as_os_str()]);
    }
}

async fn disk_full(trial: Trial) -> Result<Seen, LabError> {
    let disk = SmallDisk::new("size=16m")?;
    let mut setup = Setup::new(Profile::Plain);
    setup.data = Some(disk.data());
    let site = Site::own(Arc::new(Server::start(setup).await?))?;
    disk.fill()?;
    let mut seen = None;
    // What was set aside for full disks lets some pushes in; each fills a little of it.
    for turn in 0..600 {
        let stream = format!("{}-{turn}", trial.stream());
        let mut client = site.open().await?;
        client.handshake().await?;
        client.connect(APP, &site.tc_url()).await?;
        client.create_stream().await?;
        let push = Seen::push(&site, &client, &stream).now();
        match client.publish(&stream).await {
            Ok(()) => drop(client.delete_stream().await?),
            Err(LabError::Refused(told)) => {
                seen = Some(push.told(told));
                break;
            }
            Err(error) => return Err(error),
        }
    }
    // With room again, the refusal is put on record.
    SmallDisk::empty(disk.folder.path())?;
    Ok(seen.ok_or(LabError::WentLive)?.keep(disk))
}

async fn too_many_pushes_of_node(trial: Trial) -> Result<Seen, LabError> {
    let site = Site::own(Arc::new(Server::start(Setup::new(Profile::Small)).await?))?;
    let first = live_on(site.rtmp, &format!("{}-first", trial.stream())).await?;
    let seen = refused(&site, DOMAIN, APP, trial.stream(), trial.stream()).await?;
    first.delete_stream().await?;
    Ok(seen)
}

async fn too_many_connections(trial: Trial) -> Result<Seen, LabError> {
    let site = Site::own(Arc::new(Server::start(Setup::new(Profile::Few)).await?))?;
    let first = live_on(site.rtmp, trial.stream()).await?;
    let mut client = site.open().await?;
    let seen = Seen::connection(&site, &client).now();
    client.handshake().await?;
    let seen = match client.connect(&site.app, &site.tc_url()).await {
        Err(LabError::Refused(told)) => seen.told(told),
        Err(error) => return Err(error),
        Ok(()) => return Err(LabError::WentLive),
    };
    first.delete_stream().await?;
    Ok(seen)
}

pub(super) async fn live_on(address: SocketAddr, stream: &str) -> Result<Client, LabError> {
    let mut client = Client::open(address).await?;
    client.handshake().await?;
    client.connect(APP, &format!("rtmp://{DOMAIN}/{APP}")).await?;
    client.create_stream().await?;
    client.publish(stream).await?;
    client.send_frame(1_000).await?;
    Ok(client)
}
