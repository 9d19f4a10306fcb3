//! A remote control of OBS: obs-websocket 5, as far as the lab needs it (WebSocket is RFC 6455).

use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::PATIENCE;
use crate::error::LabError;

/// Where OBS listens, by its settings.
const PORT: u16 = 4455;
/// Any key will do; nothing is proven by it.
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: obs\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Key: bGFzdGZyYW1lLWxhYi1vYnM=\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// More than any message of OBS that is awaited here.
const LONGEST: usize = 1 << 20;
/// A text frame that is the whole message (5.2).
const TEXT: u8 = 0x81;
/// What a client sends is masked.
const MASKED: u8 = 0x80;
/// What a client masks with; no mask is as good as any.
const MASK: [u8; 4] = [0; 4];

/// `op` of the messages: the server's greeting, our answer, its confirmation, a request, its answer.
const HELLO: u64 = 0;
const IDENTIFY: u64 = 1;
const IDENTIFIED: u64 = 2;
const REQUEST: u64 = 6;
const RESPONSE: u64 = 7;

/// Tells the OBS at this address to stop streaming.
pub(in crate::encoder) async fn stop_stream(address: IpAddr) -> Result<(), LabError> {
    let talk = async {
        let mut remote = Remote::open(address).await?;
        remote.await_message(HELLO).await?;
        // No events.
        remote.send(&json!({ "op": IDENTIFY, "d": { "rpcVersion": 1, "eventSubscriptions": 0 } })).await?;
        remote.await_message(IDENTIFIED).await?;
        remote
            .send(&json!({ "op": REQUEST, "d": { "requestType": "StopStream", "requestId": "stop" } }))
            .await?;
        let answer = remote.await_message(RESPONSE).await?;
        match answer.pointer("/d/requestStatus/result").and_then(Value::as_bool) {
            Some(true) => Ok(()),
            _ => Err(failed(format!("does not stop: {answer}"))),
        }
    };
    let late = || LabError::Late { awaited: "OBS to stop streaming".to_owned(), limit: PATIENCE };
    timeout(PATIENCE, talk).await.unwrap_or_else(|_| Err(late()))
}

struct Remote {
    socket: TcpStream,
}

impl Remote {
    async fn open(address: IpAddr) -> Result<Self, LabError> {
        let address = SocketAddr::new(address, PORT);
        let mut socket =
            TcpStream::connect(address).await.map_err(|source| LabError::Connect { address, source })?;
        socket.write_all(UPGRADE.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await?);
            if head.len() > LONGEST {
                return Err(failed("its answer has no end".to_owned()));
            }
        }
        match head.starts_with(b"HTTP/1.1 101") {
            true => Ok(Self { socket }),
            false => {
                Err(failed(String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned()))
            }
        }
    }

    async fn send(&mut self, message: &Value) -> Result<(), LabError> {
        let text = message.to_string();
        let mut frame = vec![TEXT];
        // The shortest form there is of the length must be taken.
        match (u8::try_from(text.len()), u16::try_from(text.len())) {
            (Ok(short @ ..126), _) => frame.push(MASKED | short),
            (_, Ok(length)) => {
                frame.push(MASKED | 126);
                frame.extend_from_slice(&length.to_be_bytes());
            }
            (_, Err(error)) => return Err(failed(error.to_string())),
        }
        frame.extend_from_slice(&MASK);
        frame.extend_from_slice(text.as_bytes());
        Ok(self.socket.write_all(&frame).await?)
    }

    /// Reads until a message of this kind comes.
    async fn await_message(&mut self, op: u64) -> Result<Value, LabError> {
        loop {
            let message = self.frame().await?;
            let message: Value = serde_json::from_slice(&message).unwrap_or_default();
            if message.get("op").and_then(Value::as_u64) == Some(op) {
                return Ok(message);
            }
        }
    }

    async fn frame(&mut self) -> Result<Vec<u8>, LabError> {
        let [_, length] = self.socket.read_u16().await?.to_be_bytes();
        let length = match length & 0x7f {
            126 => u64::from(self.socket.read_u16().await?),
            127 => self.socket.read_u64().await?,
            length => u64::from(length),
        };
        let length = usize::try_from(length).ok().filter(|length| *length <= LONGEST);
        let mut payload = vec![0; length.ok_or_else(|| failed("its message is too long".to_owned()))?];
        self.socket.read_exact(&mut payload).await?;
        Ok(payload)
    }
}

fn failed(what: String) -> LabError {
    LabError::Program { program: "OBS".to_owned(), what }
}
