//! The calls that need `unsafe`: `setsockopt` of IP_RECVERR and SO_RCVBUFFORCE, and `recvmsg(MSG_ERRQUEUE)`, which no safe
//! wrapper offers.
#![expect(unsafe_code, reason = "the error queue of a UDP socket has no safe wrapper")]

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd};

/// Room for the control messages of one report.
const CONTROL_WORDS: usize = 64;

/// Asks for reports of the network (ICMP) about what this socket sends.
///
/// # Errors
/// The errno of `setsockopt`.
pub(super) fn ask_for_errors(fd: BorrowedFd<'_>, v6: bool) -> io::Result<()> {
    let on: libc::c_int = 1;
    let size = libc::socklen_t::try_from(size_of::<libc::c_int>()).unwrap_or(0);
    let set = |level, name| {
        // SAFETY: the pointer and the size describe `on`, which outlives the call.
        unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const on).cast(), size) }
    };
    let mut done = 0;
    if v6 {
        done |= set(libc::IPPROTO_IPV6, libc::IPV6_RECVERR);
    }
    // An IPv6 socket takes it too, for IPv4 clients; that it may refuse is no harm there.
    let v4 = set(libc::IPPROTO_IP, libc::IP_RECVERR);
    if done != 0 || (!v6 && v4 != 0) { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Asks for a receive buffer of this many bytes: beyond the system's limit where the program may, else up to it.
pub(super) fn widen(fd: BorrowedFd<'_>, bytes: libc::c_int) {
    let size = libc::socklen_t::try_from(size_of::<libc::c_int>()).unwrap_or(0);
    for name in [libc::SO_RCVBUFFORCE, libc::SO_RCVBUF] {
        // SAFETY: the pointer and the size describe `bytes`, which outlives the call.
        let result = unsafe {
            libc::setsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, name, (&raw const bytes).cast(), size)
        };
        if result == 0 {
            return;
        }
    }
}

/// Takes the oldest report: to whom the datagram was that it is about, and the errno. None when there is no more.
///
/// # Errors
/// The errno of `recvmsg`.
pub(super) fn next_error(fd: BorrowedFd<'_>) -> io::Result<Option<(SocketAddr, i32)>> {
    // SAFETY: both are plain integers, for which all zeroes is a value.
    let (mut name, mut message): (libc::sockaddr_storage, libc::msghdr) = unsafe { std::mem::zeroed() };
    let mut control = [0_u64; CONTROL_WORDS];
    let mut data = [0_u8; 64];
    let mut piece = libc::iovec { iov_base: data.as_mut_ptr().cast(), iov_len: data.len() };
    message.msg_name = (&raw mut name).cast();
    message.msg_namelen = libc::socklen_t::try_from(size_of::<libc::sockaddr_storage>()).unwrap_or(0);
    message.msg_iov = &raw mut piece;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    // SAFETY: every pointer in `message` describes a local that outlives the call, with its true length.
    let got =
        unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT) };
    if got < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::WouldBlock { Ok(None) } else { Err(error) };
    }
    Ok(Some((address(&name), errno(&message))))
}

/// The errno that the report's control message holds; 0 where it holds none.
fn errno(message: &libc::msghdr) -> i32 {
    // SAFETY: `message` was filled by `recvmsg` and its control buffer still lives; the macros walk within its length.
    unsafe {
        let mut at = libc::CMSG_FIRSTHDR(message);
        while !at.is_null() {
            let header = &*at;
            let is_report = matches!(
                (header.cmsg_level, header.cmsg_type),
                (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
            );
            if is_report {
                let report: libc::sock_extended_err = std::ptr::read_unaligned(libc::CMSG_DATA(at).cast());
                return i32::try_from(report.ee_errno).unwrap_or(0);
            }
            at = libc::CMSG_NXTHDR(message, at);
        }
    }
    0
}

fn address(name: &libc::sockaddr_storage) -> SocketAddr {
    let pointer: *const libc::sockaddr_storage = name;
    if i32::from(name.ss_family) == libc::AF_INET6 {
        // SAFETY: the family says which of the address types the storage, which is large enough for any, holds.
        let v6: libc::sockaddr_in6 = unsafe { std::ptr::read_unaligned(pointer.cast()) };
        (Ipv6Addr::from(v6.sin6_addr.s6_addr), u16::from_be(v6.sin6_port)).into()
    } else {
        // SAFETY: as above.
        let v4: libc::sockaddr_in = unsafe { std::ptr::read_unaligned(pointer.cast()) };
        (Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr)), u16::from_be(v4.sin_port)).into()
    }
}
