//! A third party's authentication hook, as a scenario wants it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// What the hook does with a question.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// Answers with this status and body.
    Says(u16, &'static str),
    /// Answers yes after this time.
    Waits(Duration),
}

/// Starts a hook that answers by stream name, and gives its URL. It lives as long as the process.
pub fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let url = format!("http://{}/publish", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || serve(socket, &*answer));
        }
    });
    url
}

fn serve(mut socket: TcpStream, answer: &dyn Fn(&str) -> Answer) -> Option<()> {
    let mut from = BufReader::new(socket.try_clone().ok()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok()?;
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    let question: Value = serde_json::from_slice(&body).ok()?;
    let (status, text) = match answer(question["stream"].as_str()?) {
        Answer::Says(status, text) => (status, text),
        Answer::Waits(time) => {
            thread::sleep(time);
            (200, "{}")
        }
    };
    let head =
        format!("HTTP/1.1 {status} Answer\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", text.len());
    socket.write_all(head.as_bytes()).ok()?;
    socket.write_all(text.as_bytes()).ok()
}
