//! What the network reports about datagrams of ours that did not arrive.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use cause::evidence::Errno;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::sys;

/// Reports taken at once.
const AT_ONCE: usize = 64;
/// Reports of a closed port, with nothing heard from it between them, that say that its program is gone. One alone could
/// be about a datagram to the program before it.
pub(crate) const REFUSED_TWICE: u32 = 2;

/// A report about one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// No program has the port any more: it was killed, or closed its socket without a goodbye.
    Refused,
    /// A router or host says that there is no way to it.
    Unreachable(Errno),
}

/// Takes the reports that have come, all but those of a flood, which the next look takes.
pub(crate) fn take(socket: &UdpSocket, mut each: impl FnMut(SocketAddr, Report)) {
    let mut looked = false;
    // Within this, the socket is not ready for it any more once the queue is empty, and a report that comes meanwhile wakes.
    let _ = socket.try_io(Interest::ERROR, || {
        looked = true;
        if drain(socket, &mut each) { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    if !looked {
        drain(socket, &mut each);
    }
}

/// Whether all were taken.
fn drain(socket: &UdpSocket, each: &mut impl FnMut(SocketAddr, Report)) -> bool {
    for _ in 0..AT_ONCE {
        match sys::next_error(socket.as_fd()) {
            Ok(Some((to, libc::ECONNREFUSED))) => each(to, Report::Refused),
            Ok(Some((to, errno @ (libc::EHOSTUNREACH | libc::ENETUNREACH)))) => {
                each(to, Report::Unreachable(Errno(errno)));
            }
            // Others, as of packets that were too large, end nothing.
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_closed_port_is_reported_with_its_address() {
        let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        sys::ask_for_errors(socket.as_fd(), false).unwrap();
        socket.send_to(b"hello?", gone).await.unwrap();
        let mut seen = Vec::new();
        for _ in 0..500 {
            take(&socket, |to, report| seen.push((to, report)));
            if !seen.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(seen, [(gone, Report::Refused)]);
    }
}
