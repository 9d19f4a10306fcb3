//! The TCP port for clients that no datagram gets through for (RFC 6544): it accepts their connections, and hands each to the
//! session that its first packet, a check of the path, is for. What says nothing of use is closed soon.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::leg::Leg;
use super::port::Notice;
use super::stun;

/// Time for the first packet.
const FIRST_PACKET: Duration = Duration::from_secs(5);
/// Connections that may wait for it at once.
const WAITING: usize = 512;
/// Those of one address.
const WAITING_OF_ONE: usize = 32;
/// After an error such as too many open files, accepting again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until the task is aborted.
pub(super) async fn accept(listener: TcpListener, desk: mpsc::UnboundedSender<Notice>, path_limit: Duration) {
    let waiting = Waiting::default();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                // Where too many wait, the newest is closed at once.
                let Some(place) = waiting.enter(peer.ip()) else { continue };
                tokio::spawn(introduce(place, stream, peer, desk.clone(), path_limit));
            }
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections of WebRTC; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn introduce(
    place: Place,
    stream: TcpStream,
    peer: SocketAddr,
    desk: mpsc::UnboundedSender<Notice>,
    path_limit: Duration,
) {
    let mut leg = Leg::new(stream, peer, path_limit);
    let first = tokio::time::timeout(FIRST_PACKET, poll_fn(|cx| leg.poll_packet(cx))).await;
    drop(place);
    let Ok(Ok(first)) = first else { return };
    let Some(fragment) = stun::receiver(&first).map(str::to_owned) else { return };
    // A session that nobody has closes it by dropping it.
    let _ = desk.send(Notice::Came { fragment, leg: Box::new(leg), first });
}

/// Connections that have not said for whom they are.
#[derive(Clone, Debug, Default)]
struct Waiting(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One of them.
#[derive(Debug)]
struct Place {
    waiting: Waiting,
    ip: IpAddr,
}

impl Waiting {
    fn enter(&self, ip: IpAddr) -> Option<Place> {
        let mut by_ip = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = by_ip.get(&ip).copied().unwrap_or(0);
        if of_one >= WAITING_OF_ONE || by_ip.values().sum::<usize>() >= WAITING {
            return None;
        }
        by_ip.insert(ip, of_one + 1);
        drop(by_ip);
        Some(Place { waiting: self.clone(), ip })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_ip = self.waiting.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_ip.get_mut(&self.ip) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                by_ip.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn one_address_cannot_take_the_places_of_all_and_places_come_back() {
        let waiting = Waiting::default();
        let of = |last: u8| IpAddr::from([10, 0, 0, last]);
        let mut places: Vec<_> = (0..WAITING_OF_ONE).map(|_| waiting.enter(of(1)).unwrap()).collect();
        assert!(waiting.enter(of(1)).is_none());
        for last in 2.. {
            match waiting.enter(of(last)) {
                Some(place) => places.push(place),
                None => break,
            }
            for _ in 1..WAITING_OF_ONE {
                places.extend(waiting.enter(of(last)));
            }
        }
        assert_eq!(places.len(), WAITING);
        places.clear();
        assert!(waiting.0.lock().unwrap().is_empty());
        assert!(waiting.enter(of(1)).is_some());
    }

    #[tokio::test]
    async fn who_begins_with_anything_but_a_check_is_closed_and_a_check_names_its_session() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let (desk, mut notices) = mpsc::unbounded_channel();
        let door = tokio::spawn(accept(listener, desk, Duration::from_secs(20)));
        for wrong in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\0\x04\x80\x60\0\0", b"\0\x14\0\x01\0\0"] {
            let mut client = TcpStream::connect(to).await.unwrap();
            client.write_all(wrong).await.unwrap();
            client.shutdown().await.unwrap();
            assert!(matches!(client.read(&mut [0; 1]).await, Ok(0) | Err(_)));
        }
        // A binding request for "ours" (RFC 8489): header, user name, padding.
        let mut check = vec![0, 1, 0, 16, 0x21, 0x12, 0xa4, 0x42];
        check.extend([7; 12]);
        check.extend(b"\0\x06\0\x0aours:their\0\0");
        let mut client = TcpStream::connect(to).await.unwrap();
        client.write_all(&[&[0, 36][..], &check].concat()).await.unwrap();
        let Some(Notice::Came { fragment, leg, first }) = notices.recv().await else {
            panic!("nobody came");
        };
        assert_eq!((fragment.as_str(), leg.peer()), ("ours", client.local_addr().unwrap()));
        assert_eq!(first, check);
        door.abort();
    }
}
