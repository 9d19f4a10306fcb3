//! The running node's end of the control socket.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use live::Live;
use store::Journal;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};

use crate::control::{Answer, Cluster, Drain, LONGEST, Question, address};

/// Commands that are answered at once; more wait.
const AT_ONCE: usize = 8;
/// How long a command may take to say what it wants, and to read the answer.
const LIMIT: Duration = Duration::from_secs(5);
/// The pause after a connection that could not be accepted, as where no file may be opened any more.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers commands until the server stops. Without the socket everything else goes on.
pub async fn serve(data: PathBuf, live: Live, journal: Journal, mut stopped: watch::Receiver<bool>) {
    let listener = match listen(&data) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(%error, "no control socket in the data folder: `lastframe drain` cannot reach this node");
            return;
        }
    };
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let accept = async {
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((socket, _)) => {
                    let (live, journal) = (live.clone(), journal.clone());
                    tokio::spawn(async move {
                        // A command that leaves early has only itself to tell.
                        let _ = tokio::time::timeout(LIMIT, one(socket, &live, &journal)).await;
                        drop(place);
                    });
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    tokio::select! {
        () = accept => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

fn listen(data: &Path) -> io::Result<UnixListener> {
    let (_folder, path) = address(data)?;
    // Nobody else listens there: the data folder is locked. What is there was left by a run that was killed.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn one(mut socket: UnixStream, live: &Live, journal: &Journal) -> io::Result<()> {
    let (read, mut write) = socket.split();
    let mut line = String::new();
    BufReader::new(read.take(LONGEST)).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(question) => answer(question, live, journal),
        Err(_) => {
            Answer::Refused { why: "the server is of another version: it does not know this command".into() }
        }
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    write.write_all(&line).await?;
    write.shutdown().await
}

fn answer(question: Question, live: &Live, journal: &Journal) -> Answer {
    match question {
        Question::Drain { wait_ms } => live.drain(Duration::from_millis(wait_ms)),
        Question::CancelDrain => {
            live.cancel_drain();
        }
        Question::DrainState => {}
        Question::Cluster => {
            return Answer::Cluster(Cluster {
                connected: live.registry_is_connected(),
                catalog: live.catalog_revision(),
                nodes: live.nodes(),
                database: journal.shipping().map(|shipping| (shipping.connected, shipping.waiting)),
            });
        }
    }
    let state = live.drain_state();
    Answer::Drain(Drain {
        phase: state.phase.as_str().to_owned(),
        left: state.left,
        asked: state.asked,
        ended: state.ended,
        unwritten: journal.stats().open,
        unshipped: journal.shipping().map(|shipping| shipping.waiting),
    })
}
