//! A third party's authentication hook, as a scenario wants it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::error::LabError;

/// Questions above this size are none of ours.
const LARGEST: usize = 64 << 10;

/// What the hook does with each question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Says no.
    No,
    /// Says nothing for this long, and then yes.
    Late(Duration),
}

/// A hook that answers every question alike. It ends with the value.
#[derive(Debug)]
pub struct Hook {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Hook {
    /// Starts one on a free port.
    pub async fn start(answer: Answer) -> Result<Self, LabError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // A server that gives up on the answer is what some scenarios are about.
                tokio::spawn(async move { serve(socket, answer).await.ok() });
            }
        });
        Ok(Self { address, task })
    }

    /// Where it is asked.
    pub fn url(&self) -> String {
        format!("http://{}/publish", self.address)
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: TcpStream, answer: Answer) -> std::io::Result<()> {
    let mut socket = BufReader::new(socket);
    let mut length = 0;
    loop {
        let mut line = String::new();
        socket.read_line(&mut line).await?;
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; usize::min(length, LARGEST)];
    socket.read_exact(&mut body).await?;
    let text: &[u8] = match answer {
        Answer::No => {
            b"HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 25\r\n\r\n{\"message\":\"not tonight\"}"
        }
        Answer::Late(by) => {
            sleep(by).await;
            b"HTTP/1.1 200 Yes\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        }
    };
    socket.write_all(text).await
}
