//! RTMP without I/O: bytes in, events and bytes out, for servers and for clients.
//!
//! Nothing here opens a socket, reads a clock, spawns a task or draws a random number; whoever drives a
//! session does that and hands the results in. What a session can say about a peer that broke the protocol is
//! a [`Fault`]: which rule, at which byte of the connection, on which chunk stream, in which message, at
//! which [`Stage`], and what was found.
//!
//! | module | what lives there | specification |
//! |---|---|---|
//! | [`handshake`] | the simple and the digest handshake, both halves | RTMP 1.0, 5.2 |
//! | [`chunk`] | messages cut into chunks and joined again | RTMP 1.0, 5.3 |
//! | [`message`] | what a message says: controls, commands, data, aggregates | RTMP 1.0, 5.4, 6 and 7 |
//! | [`amf0`], [`amf3`] | the values inside commands and data | AMF 0, AMF 3 |
//! | [`ertmp`] | what `connect` negotiates beyond the old codecs | Enhanced RTMP v2 |
//! | [`server`] | [`ServerSession`]: the side that is pushed to and played from | RTMP 1.0, 7.2 |
//! | [`client`] | [`ClientSession`]: the side that pushes and plays, and misbehaves when asked to | RTMP 1.0, 7.2 |
//!
//! ```
//! use rtmp::{ClientConfig, ClientSession, ServerConfig, ServerSession, server};
//!
//! # fn main() -> Result<(), rtmp::Fault> {
//! let mut server = ServerSession::new(ServerConfig::new([1; 1528]));
//! let mut client = ClientSession::new(ClientConfig::new([2; 1528]));
//! client.start();
//! client.connect("live", "rtmp://localhost/live", &[]);
//! loop {
//!     server.read_buf().extend_from_slice(&client.output().split());
//!     if let Some(event) = server.poll()? {
//!         if let server::Event::Connect(connect) = event {
//!             assert_eq!(connect.app, "live");
//!             break;
//!         }
//!     }
//!     client.read_buf().extend_from_slice(&server.output().split());
//!     client.poll()?;
//! }
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod amf;
pub mod amf0;
pub mod amf3;
pub mod chunk;
pub mod client;
pub mod ertmp;
mod fault;
pub mod handshake;
mod link;
pub mod message;
pub mod server;

pub use client::{ClientConfig, ClientSession};
pub use fault::{Class, Details, Fault, Rule, Stage};
pub use message::{MediaKind, MessageInfo};
pub use server::{ServerConfig, ServerSession};
