//! What needs `unsafe`: `getsockopt(TCP_INFO)`, for which no safe wrapper with today's fields exists, and a descriptor that is
//! kept beside its socket.
#![expect(
    unsafe_code,
    reason = "TCP_INFO has no safe wrapper that reaches rcv_ooopack and rcv_wnd; see Held"
)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;

use cause::evidence::TcpFacts;
use tokio::net::TcpStream;

/// A socket shared by its clones, each with the descriptor at hand. To write a batch to hundreds of sockets whose own
/// memory has gone cold since the last one costs as much for finding their descriptors as for anything else in it.
#[derive(Clone, Debug)]
pub(super) struct Held {
    stream: Arc<TcpStream>,
    fd: RawFd,
}

impl Held {
    pub(super) fn new(stream: TcpStream) -> Self {
        let fd = stream.as_raw_fd();
        Self { stream: Arc::new(stream), fd }
    }

    /// The socket as the runtime knows it.
    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Its descriptor.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: it is the descriptor of `stream`, which is shared and so cannot give it up, and is closed no sooner than
        // `self`, which the result borrows, lets go of it.
        unsafe { BorrowedFd::borrow_raw(self.fd) }
    }
}

/// Reads `TCP_INFO` of a connected socket.
///
/// # Errors
/// The errno of `getsockopt`.
pub(crate) fn tcp_info(fd: BorrowedFd<'_>) -> io::Result<TcpFacts> {
    // SAFETY: tcp_info is plain integers, for which all zeroes is a value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).unwrap_or(0);
    // SAFETY: the pointer and the length describe `info`, which outlives the call; the kernel writes at most
    // `length` bytes. An older kernel writes fewer, and what it leaves out stays zero.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast::<libc::c_void>(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(TcpFacts {
        state: info.tcpi_state,
        rtt_us: info.tcpi_rtt,
        rcv_rtt_us: info.tcpi_rcv_rtt,
        retransmits: info.tcpi_retransmits,
        probes: info.tcpi_probes,
        total_retrans: info.tcpi_total_retrans,
        unacked: info.tcpi_unacked,
        notsent_bytes: info.tcpi_notsent_bytes,
        last_data_recv_ms: info.tcpi_last_data_recv,
        last_ack_recv_ms: info.tcpi_last_ack_recv,
        segs_in: info.tcpi_segs_in,
        data_segs_in: info.tcpi_data_segs_in,
        rcv_ooopack: info.tcpi_rcv_ooopack,
        rcv_wnd: info.tcpi_rcv_wnd,
        bytes_received: info.tcpi_bytes_received,
        send_queue: 0,
    })
}
