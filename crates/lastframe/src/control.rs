//! What a command can ask of the node that runs on its data folder, over a socket in that folder. Whoever may enter the
//! folder holds the node's secrets already, so the socket needs no other key; no port is open for it.
//!
//! A connection carries one question and one answer, each a line of JSON.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use live::cluster::NodeFacts;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The socket's name in the data folder.
const NAME: &str = "control.sock";
/// The longest question or answer.
pub const LONGEST: u64 = 1 << 20;
/// How long the node may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Question {
    /// Begin to drain, or go on with another time limit.
    Drain {
        /// How long encoders have to move, ms.
        wait_ms: u64,
    },
    /// How far the drain is.
    DrainState,
    /// Take pushes again.
    CancelDrain,
    /// Which nodes there are.
    Cluster,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The drain as it is now.
    Drain(Drain),
    /// The nodes, as this one sees them.
    Cluster(Cluster),
    /// The question is none that this node knows.
    Refused {
        /// Why.
        why: String,
    },
}

/// How far a drain is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    /// `open`, `draining`, `ending`, `drained`.
    pub phase: String,
    /// Pushes that are still there.
    pub left: usize,
    /// Encoders that were asked to connect elsewhere.
    pub asked: usize,
    /// Pushes that were ended because the time was up.
    pub ended: usize,
    /// Ends that are not committed to the journal yet.
    pub unwritten: usize,
    /// Records that the database of all nodes does not have yet; `None` where there is no such database.
    pub unshipped: Option<u64>,
}

/// The nodes, as one of them sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Whether the registry of all nodes can be reached; `None` for a node that stands alone.
    pub connected: Option<bool>,
    /// The newest change of the catalog that counts here.
    pub catalog: Option<u64>,
    /// The nodes, this one first.
    pub nodes: Vec<NodeFacts>,
    /// Whether the database of all nodes is reached, and how many records it does not have yet.
    pub database: Option<(bool, u64)>,
}

/// The socket of a data folder by a path that is short however deep the folder lies: a socket's address holds some
/// hundred bytes only. Good while the file is open.
pub fn address(data: &Path) -> io::Result<(File, PathBuf)> {
    let folder = File::open(data)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{NAME}", folder.as_raw_fd()));
    Ok((folder, path))
}

/// Asks the node that runs on the data folder.
pub fn ask(data: &Path, question: &Question) -> Result<Answer, Failure> {
    let answer = exchange(data, question).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            Failure::failed(format!("no server runs on the data folder {}", data.display()))
        }
        io::ErrorKind::UnexpectedEof => Failure::failed("the server stopped before it answered"),
        _ => Failure::failed(format!("cannot ask the server on the data folder {}: {error}", data.display())),
    })?;
    match answer {
        Answer::Refused { why } => Err(Failure::Failed(why)),
        answer => Ok(answer),
    }
}

fn exchange(data: &Path, question: &Question) -> io::Result<Answer> {
    let (_folder, path) = address(data)?;
    let mut socket = UnixStream::connect(path)?;
    socket.set_read_timeout(Some(ANSWER_WITHIN))?;
    socket.set_write_timeout(Some(ANSWER_WITHIN))?;
    let mut line = serde_json::to_vec(question)?;
    line.push(b'\n');
    socket.write_all(&line)?;
    let mut answer = String::new();
    if BufReader::new(socket.take(LONGEST)).read_line(&mut answer)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_str(&answer)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_answers_read_as_they_were_written() {
        for question in [Question::Drain { wait_ms: 5 }, Question::DrainState, Question::CancelDrain] {
            let text = serde_json::to_string(&question).unwrap();
            assert_eq!(serde_json::from_str::<Question>(&text).unwrap(), question, "{text}");
        }
        let answer = Answer::Refused { why: "no".into() };
        assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"answer":"refused","why":"no"}"#);
    }

    #[test]
    fn a_folder_without_a_server_is_told_from_other_mistakes() {
        let dir = tempfile::tempdir().unwrap();
        let failure = ask(dir.path(), &Question::DrainState).unwrap_err().to_string();
        assert!(failure.starts_with("no server runs on the data folder"), "{failure}");
        let gone = ask(&dir.path().join("gone"), &Question::DrainState).unwrap_err().to_string();
        assert!(gone.starts_with("no server runs on the data folder"), "{gone}");
    }
}
