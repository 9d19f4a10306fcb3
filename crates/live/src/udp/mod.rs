//! What the ports of the datagram transports share: a receive buffer that holds while the program is busy, many datagrams a
//! system call, and the reports of
//! the network about datagrams of ours that did not arrive.

mod errors;
mod sys;

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use tokio::io::Interest;
use tokio::net::UdpSocket;

pub(crate) use errors::{REFUSED_TWICE, Report, take};
pub(crate) use sys::{Inbox, send};

/// Binds a port that asks for reports, with a receive buffer of as many bytes as the system gives, up to `buffer`.
///
/// # Errors
/// The errno of bind.
pub(crate) fn bind(addr: SocketAddr, buffer: i32) -> io::Result<UdpSocket> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(addr),
        socket2::Type::DGRAM,
        Some(socket2::Protocol::UDP),
    )?;
    socket.set_nonblocking(true)?;
    if addr.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    sys::widen(socket.as_fd(), buffer);
    sys::ask_for_errors(socket.as_fd(), addr.is_ipv6())?;
    socket.bind(&addr.into())?;
    UdpSocket::from_std(socket.into())
}

/// Receives what there is, as far as there is room; `WouldBlock` where the socket has been emptied.
///
/// # Errors
/// The errno of `recvmmsg`.
pub(crate) fn receive(socket: &UdpSocket, inbox: &mut Inbox) -> io::Result<()> {
    // Where the socket is known to have nothing, it is not asked.
    inbox.clear();
    socket.try_io(Interest::READABLE, || {
        // A call that was not filled has emptied it.
        if inbox.receive(socket.as_fd())? { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
    })
}
