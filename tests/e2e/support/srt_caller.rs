//! An SRT caller as small as can be: it shakes hands and says what it was answered.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use super::clock::PATIENCE;

const HANDSHAKE: u32 = 0x8000_0000;
const SHUTDOWN: u32 = 0x8005_0000;
const INDUCTION: u32 = 1;
const CONCLUSION: u32 = 0xFFFF_FFFF;

/// What a call was answered.
#[derive(Debug)]
pub enum Answer {
    /// Accepted; the connection says goodbye when it is let go.
    Accepted(SrtCaller),
    /// Refused with this code.
    Refused(u32),
}

impl PartialEq for Answer {
    /// An accepted call equals a refusal with the code 0.
    fn eq(&self, other: &Self) -> bool {
        let code = |answer: &Self| match answer {
            Self::Accepted(_) => 0,
            Self::Refused(code) => *code,
        };
        code(self) == code(other)
    }
}

/// One connection.
#[derive(Debug)]
pub struct SrtCaller {
    socket: UdpSocket,
    id: u32,
}

impl SrtCaller {
    /// Says hello and never goes on.
    pub fn greet(server: SocketAddr) {
        let mut caller = Self::new(server);
        caller.handshake(INDUCTION, 0, &[]);
    }

    /// Calls with this stream id, and lets go at once.
    pub fn call(server: SocketAddr, stream_id: &str) -> Answer {
        Self::open(server, stream_id)
    }

    /// Calls with this stream id.
    pub fn open(server: SocketAddr, stream_id: &str) -> Answer {
        let mut caller = Self::new(server);
        let (_, cookie, _) = caller.handshake(INDUCTION, 0, &[]);
        // What both sides can do: version, flags, latency; then the stream id, its words the other way round.
        let mut extensions = words(&[0x0001_0003, 0x0001_0501, 0x0000_00BF, 0x0078_0078]);
        let mut id = stream_id.as_bytes().to_vec();
        id.resize(id.len().next_multiple_of(4), 0);
        extensions.extend(words(&[0x0005_0000 | u32::try_from(id.len() / 4).unwrap()]));
        id.chunks(4).for_each(|word| extensions.extend(word.iter().rev()));
        let (kind, _, peer) = caller.handshake(CONCLUSION, cookie, &extensions);
        if kind == CONCLUSION {
            caller.id = peer;
            Answer::Accepted(caller)
        } else {
            Answer::Refused(kind - 1_000)
        }
    }

    fn new(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        Self { socket, id: 0 }
    }

    /// Sends a handshake until it is answered: the kind of the answer, its cookie, the other side's number.
    fn handshake(&mut self, kind: u32, cookie: u32, extensions: &[u8]) -> (u32, u32, u32) {
        let (version, field) = if kind == INDUCTION { (4, 2) } else { (5, 5) };
        let mut packet = words(&[HANDSHAKE, 0, 1, 0, version, field, 1_000, 1_500, 8_192, kind, 77, cookie]);
        packet.extend([0; 16]);
        packet.extend(extensions);
        let mut answer = [0; 1_500];
        let tries = PATIENCE.as_millis() / 500;
        for _ in 0..tries {
            self.socket.send(&packet).unwrap();
            if let Ok(size) = self.socket.recv(&mut answer)
                && size >= 64
            {
                let word = |at: usize| u32::from_be_bytes(answer[at..at + 4].try_into().unwrap());
                return (word(36), word(44), word(40));
            }
        }
        panic!("no answer to a handshake");
    }
}

impl Drop for SrtCaller {
    fn drop(&mut self) {
        if self.id != 0 {
            let mut packet = words(&[SHUTDOWN, 0, 2, self.id]);
            packet.extend([0; 4]);
            let _ = self.socket.send(&packet);
        }
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}
