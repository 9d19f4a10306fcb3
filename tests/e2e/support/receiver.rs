//! A receiver of callbacks, as a scenario wants it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use super::clock::{PATIENCE, until};

/// What it received, in that order.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    /// The header that names the delivery.
    pub delivery: String,
    pub body: Value,
}

/// What the receiver does with an event.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Answers with this status.
    Says(u16),
    /// Sends the client elsewhere.
    Redirects(String),
    /// Never answers.
    Silence,
}

/// A receiver; it lives as long as the process.
#[derive(Clone, Debug)]
pub struct Receiver {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// One that takes everything.
    pub fn start() -> Self {
        Self::on(SocketAddr::from(([127, 0, 0, 1], 0)), |_| Answer::Says(200))
    }

    /// One on a port, with answers of its own.
    pub fn on(address: SocketAddr, answer: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let receiver = Self { address: listener.local_addr().unwrap(), received: Arc::default() };
        let (received, answer) = (receiver.received.clone(), Arc::new(answer));
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (received, answer) = (received.clone(), answer.clone());
                thread::spawn(move || while serve(&socket, &received, &*answer).is_some() {});
            }
        });
        receiver
    }

    /// A URL on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Everything so far.
    pub fn all(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// What was received about a stream, each delivery once, in the order in which they first came.
    pub fn about(&self, stream: &str) -> Vec<Received> {
        let mut seen = std::collections::HashSet::new();
        let mut all = self.all();
        all.retain(|r| r.body["stream_id"] == stream && seen.insert(r.delivery.clone()));
        all
    }

    /// The event types that were received about a stream, once there are so many.
    pub fn types(&self, stream: &str, count: usize) -> Vec<i64> {
        let found = until(&format!("{count} events of {stream}"), PATIENCE, || {
            Some(self.about(stream)).filter(|found| found.len() >= count)
        });
        found.iter().map(|r| r.body["event_type"].as_i64().unwrap()).collect()
    }
}

fn serve(
    socket: &TcpStream,
    received: &Mutex<Vec<Received>>,
    answer: &dyn Fn(&Received) -> Answer,
) -> Option<()> {
    let mut from = BufReader::new(socket.try_clone().ok()?);
    let mut line = String::new();
    from.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut delivery, mut last) = (0, String::new(), false);
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok()?;
        let (name, value) = line.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "connection" => last = value.trim().eq_ignore_ascii_case("close"),
            "x-lastframe-delivery" => delivery = value.trim().to_owned(),
            _ => {}
        }
        if line.trim_end().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    // nginx asks in the form of web pages.
    let event = Received { path, delivery, body: serde_json::from_slice(&body).unwrap_or_default() };
    received.lock().unwrap().push(event.clone());
    let (status, more) = match answer(&event) {
        Answer::Says(status) => (status, String::new()),
        Answer::Redirects(to) => (302, format!("Location: {to}\r\n")),
        Answer::Silence => {
            thread::sleep(PATIENCE * 4);
            return None;
        }
    };
    let head = format!("HTTP/1.1 {status} Answer\r\n{more}Content-Length: 10\r\n\r\n");
    let mut to = socket;
    to.write_all(head.as_bytes()).ok()?;
    to.write_all(br#"{"code":0}"#).ok()?;
    // nginx waits for the end of the connection, which it asked for.
    (!last).then_some(())
}
