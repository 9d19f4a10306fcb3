//! A pushing client in a process of its own, so that it can be killed, frozen, or put behind another network.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::client::{Client, PATIENCE, Pace};
use crate::error::LabError;
use crate::process::{self, Signal};
use crate::site::Site;

/// A client that nobody ends goes by itself after this time.
const LONGEST: Duration = Duration::from_secs(120);

/// What the client does, one after another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Sends media for so many seconds.
    Stream(f64),
    /// Sends nothing, and answers pings, for so many seconds.
    Idle(f64),
    /// Sends media for so many seconds, and leaves unread what the server answers.
    Deaf(f64),
    /// Says `deleteStream` and closes.
    Delete,
    /// Says `FCUnpublish` and `deleteStream`, and closes at once, whatever is unread.
    Abandon,
    /// Resets the connection.
    Reset,
    /// Closes without a word.
    Close,
}

impl Step {
    /// What the client prints as it begins.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stream(_) => "stream",
            Self::Idle(_) => "idle",
            Self::Deaf(_) => "deaf",
            Self::Abandon => "abandon",
            Self::Delete => "delete",
            Self::Reset => "reset",
            Self::Close => "close",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(seconds) | Self::Idle(seconds) | Self::Deaf(seconds) => {
                write!(f, "{}={seconds}", self.word())
            }
            Self::Delete | Self::Abandon | Self::Reset | Self::Close => f.write_str(self.word()),
        }
    }
}

/// Text that is no step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no step; write stream=SECONDS, idle=SECONDS, deaf=SECONDS, delete, abandon, reset or close"
)]
pub struct StepError(pub String);

impl FromStr for Step {
    type Err = StepError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds =
            |text: &str| text.parse().ok().filter(|s: &f64| (0.0..=LONGEST.as_secs_f64()).contains(s));
        match text.split_once('=') {
            Some(("stream", text)) => seconds(text).map(Self::Stream),
            Some(("idle", text)) => seconds(text).map(Self::Idle),
            Some(("deaf", text)) => seconds(text).map(Self::Deaf),
            None if text == "delete" => Some(Self::Delete),
            None if text == "abandon" => Some(Self::Abandon),
            None if text == "reset" => Some(Self::Reset),
            None if text == "close" => Some(Self::Close),
            _ => None,
        }
        .ok_or_else(|| StepError(text.to_owned()))
    }
}

/// What the client is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The server.
    pub server: SocketAddr,
    /// `tcUrl`; `rtmps://` means TLS, with its host as the name that is asked for.
    pub tc_url: String,
    /// `app`.
    pub app: String,
    /// The name in `publish`.
    pub name: String,
    /// kbit/s of video.
    pub kbps: u32,
    /// What it does once it is live.
    pub steps: Vec<Step>,
}

/// Is that client: prints each step as it begins, and ends with the last one.
pub async fn play(plan: &Plan) -> Result<(), LabError> {
    let playing = async {
        let mut client = Client::open(plan.server).await?;
        if let Some(host) = secured_host(&plan.tc_url) {
            client = client.secure(host).await?;
        }
        client.handshake().await?;
        client.connect(&plan.app, &plan.tc_url).await?;
        client.create_stream().await?;
        client.publish(&plan.name).await?;
        client.send_frame(1_000).await?;
        let pace = Pace { kbps: plan.kbps, ..Pace::default() };
        let mut steps = plan.steps.iter().peekable();
        while let Some(step) = steps.next() {
            say(step.word())?;
            match step {
                // Whoever resets next does not wait for a path that takes nothing any more.
                Step::Stream(seconds) if steps.peek() == Some(&&Step::Reset) => {
                    let lasting = Duration::from_secs_f64(*seconds);
                    if let Ok(streamed) = timeout(lasting, client.stream(pace, lasting)).await {
                        streamed?;
                    }
                }
                Step::Stream(seconds) => client.stream(pace, Duration::from_secs_f64(*seconds)).await?,
                Step::Idle(seconds) => client.idle(Duration::from_secs_f64(*seconds)).await?,
                Step::Deaf(seconds) => {
                    client.turn_deaf();
                    client.stream(pace, Duration::from_secs_f64(*seconds)).await?;
                }
                Step::Abandon => return client.abandon(&plan.name).await.map(drop),
                Step::Delete => return client.delete_stream().await.map(drop),
                Step::Reset => return client.reset_now().map(drop),
                Step::Close => return client.end_of_file().await.map(drop),
            }
        }
        say("done")?;
        client.idle(LONGEST).await
    };
    let late = || LabError::Late { awaited: "the end of the client's steps".to_owned(), limit: LONGEST };
    timeout(LONGEST, playing).await.unwrap_or_else(|_| Err(late()))
}

fn secured_host(tc_url: &str) -> Option<&str> {
    let authority = tc_url.strip_prefix("rtmps://")?.split('/').next()?;
    Some(authority.rsplit_once(':').map_or(authority, |(host, _)| host))
}

fn say(word: &str) -> Result<(), LabError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{word}")?;
    Ok(out.flush()?)
}

/// Such a client, started. It ends with the value.
#[derive(Debug)]
pub struct Pusher {
    child: Child,
    said: mpsc::UnboundedReceiver<String>,
}

impl Pusher {
    /// Starts one by way of the command `under`, which must become the client; empty means no such command.
    pub fn start(
        under: &[&str],
        site: &Site,
        stream: &str,
        kbps: u32,
        steps: &[Step],
    ) -> Result<Self, LabError> {
        let program = process::own_program()?;
        let failed = |what: String| LabError::Program { program: "lastframe lab client".to_owned(), what };
        let mut command = match under.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .args(["lab", "client", "--server", &site.rtmp.to_string(), "--tc-url", &site.tc_url()])
            .args(["--app", &site.app, "--name", &site.publish_name(stream), "--kbps", &kbps.to_string()])
            .args(steps.iter().map(Step::to_string))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
        let out = child.stdout.take().ok_or_else(|| failed("has no output".to_owned()))?;
        let (sender, said) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, said })
    }

    /// Waits until it begins with a step, or with `done` once all are over.
    pub async fn reaches(&mut self, word: &'static str) -> Result<(), LabError> {
        let reading = async {
            while let Some(line) = self.said.recv().await {
                if line == word {
                    return Ok(());
                }
            }
            let what = format!("ended before `{word}`");
            Err(LabError::Program { program: "lastframe lab client".to_owned(), what })
        };
        let late = || LabError::Late { awaited: format!("the client's `{word}`"), limit: PATIENCE };
        timeout(PATIENCE, reading).await.unwrap_or_else(|_| Err(late()))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<(), LabError> {
        process::signal(self.child.id(), signal)
    }
}

impl Drop for Pusher {
    fn drop(&mut self) {
        process::end(&mut self.child);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_asks_for_the_host_of_the_url() {
        let hosts = ["rtmps://a.test/live", "rtmps://a.test:1936/live"].map(secured_host);
        assert_eq!(hosts, [Some("a.test"); 2]);
        assert_eq!(secured_host("rtmp://a.test/live"), None);
    }

    #[test]
    fn a_step_reads_back_from_its_text() {
        let steps = [Step::Stream(2.5), Step::Idle(3.0), Step::Deaf(1.0)];
        for step in steps.into_iter().chain([Step::Delete, Step::Abandon, Step::Reset, Step::Close]) {
            assert_eq!(step.to_string().parse(), Ok(step));
        }
        for text in ["", "stream", "idle=", "idle=-1", "idle=NaN", "stream=1e9", "delete=1", "sing"] {
            assert!(text.parse::<Step>().is_err(), "{text}");
        }
    }
}
