//! The calls that need `unsafe`: `setsockopt` of IP_RECVERR and SO_RCVBUFFORCE, `recvmsg(MSG_ERRQUEUE)`, and `recvmmsg` and
//! `sendmmsg`, which no safe wrapper offers.
#![expect(
    unsafe_code,
    reason = "the error queue of a UDP socket, and many datagrams a call, have no safe wrapper"
)]

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd};

/// Room for the control messages of one report.
const CONTROL_WORDS: usize = 64;
/// Datagrams a call.
const TOGETHER: usize = 64;

/// Datagrams that were received by one call.
pub(crate) struct Inbox {
    data: Vec<u8>,
    largest: usize,
    names: Vec<libc::sockaddr_storage>,
    sizes: Vec<usize>,
}

impl Inbox {
    /// Room for datagrams of `largest` bytes; more of one is cut off. One byte more than the protocol's largest shows that.
    pub(crate) fn new(largest: usize) -> Self {
        let largest = largest.max(1);
        // SAFETY: it is plain integers, for which all zeroes is a value.
        let nobody: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
        let data = vec![0; TOGETHER * largest];
        Self { data, largest, names: vec![nobody; TOGETHER], sizes: Vec::new() }
    }

    /// Receives what there is, as far as there is room; says whether there may be more.
    ///
    /// # Errors
    /// The errno of `recvmmsg`; `WouldBlock` where there is nothing.
    pub(crate) fn receive(&mut self, fd: BorrowedFd<'_>) -> io::Result<bool> {
        self.clear();
        // SAFETY: both are plain integers and pointers, for which all zeroes is a value.
        let (mut pieces, mut heads): ([libc::iovec; TOGETHER], [libc::mmsghdr; TOGETHER]) =
            unsafe { std::mem::zeroed() };
        let places = self.data.chunks_exact_mut(self.largest).zip(&mut self.names);
        for ((piece, head), (data, name)) in pieces.iter_mut().zip(&mut heads).zip(places) {
            *piece = libc::iovec { iov_base: data.as_mut_ptr().cast(), iov_len: data.len() };
            head.msg_hdr.msg_name = std::ptr::from_mut(name).cast();
            head.msg_hdr.msg_namelen = NAME;
            head.msg_hdr.msg_iov = piece;
            head.msg_hdr.msg_iovlen = 1;
        }
        let count = TOGETHER as libc::c_uint;
        // SAFETY: every pointer in `heads` describes memory that outlives the call, with its true length.
        let got = unsafe {
            libc::recvmmsg(
                fd.as_raw_fd(),
                heads.as_mut_ptr(),
                count,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        let Ok(got) = usize::try_from(got) else { return Err(io::Error::last_os_error()) };
        self.sizes.extend(heads.iter().take(got).map(|head| head.msg_len as usize));
        Ok(got == TOGETHER)
    }

    /// Forgets what was received.
    pub(crate) fn clear(&mut self) {
        self.sizes.clear();
    }

    /// How many were received.
    pub(crate) fn len(&self) -> usize {
        self.sizes.len()
    }

    /// A datagram that was received, and from whom.
    pub(crate) fn get(&self, index: usize) -> Option<(SocketAddr, &[u8])> {
        let data = self.data.chunks_exact(self.largest).nth(index)?;
        let name = self.names.get(index)?;
        Some((address(name), data.get(..*self.sizes.get(index)?)?))
    }
}

/// Sends datagrams, as many a call as go; gives how many the system took before it could not take more.
///
/// # Errors
/// The errno of `sendmmsg`, where it took none; as for an error that an earlier datagram met.
pub(crate) fn send(fd: BorrowedFd<'_>, datagrams: &[(SocketAddr, Vec<u8>)]) -> io::Result<usize> {
    // SAFETY: all are plain integers and pointers, for which all zeroes is a value.
    let (mut pieces, mut heads, mut names): (
        [libc::iovec; TOGETHER],
        [libc::mmsghdr; TOGETHER],
        [libc::sockaddr_storage; TOGETHER],
    ) = unsafe { std::mem::zeroed() };
    let places = pieces.iter_mut().zip(&mut heads).zip(&mut names);
    for ((to, data), ((piece, head), name)) in datagrams.iter().zip(places) {
        // The call only reads it.
        *piece = libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() };
        let to = socket2::SockAddr::from(*to);
        // SAFETY: an address is never longer than the storage that is there for any.
        unsafe {
            std::ptr::copy_nonoverlapping(
                to.as_ptr().cast::<u8>(),
                std::ptr::from_mut(name).cast::<u8>(),
                (to.len() as usize).min(size_of::<libc::sockaddr_storage>()),
            );
        }
        head.msg_hdr.msg_name = std::ptr::from_mut(name).cast();
        head.msg_hdr.msg_namelen = to.len();
        head.msg_hdr.msg_iov = piece;
        head.msg_hdr.msg_iovlen = 1;
    }
    let count = datagrams.len().min(TOGETHER) as libc::c_uint;
    // SAFETY: every pointer in `heads` describes memory that outlives the call, with its true length.
    let sent = unsafe { libc::sendmmsg(fd.as_raw_fd(), heads.as_mut_ptr(), count, libc::MSG_DONTWAIT) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Bytes of an address of any family.
const NAME: libc::socklen_t = size_of::<libc::sockaddr_storage>() as libc::socklen_t;

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
    message.msg_namelen = NAME;
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

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn many_datagrams_go_and_come_with_a_call_each_with_its_address() {
        for any in ["127.0.0.1:0", "[::1]:0"] {
            let (Ok(one), Ok(other)) = (UdpSocket::bind(any), UdpSocket::bind(any)) else { continue };
            let (from, to) = (one.local_addr().unwrap(), other.local_addr().unwrap());
            let out: Vec<_> = (0..100_u8).map(|n| (to, vec![n; usize::from(n) * 15 + 1])).collect();
            let sent = send(one.as_fd(), &out).unwrap();
            assert_eq!(sent, TOGETHER);
            assert_eq!(send(one.as_fd(), &out[sent..]).unwrap(), 100 - TOGETHER);
            let mut inbox = Inbox::new(1_501);
            let (mut got, mut rounds) = (Vec::new(), 0);
            while got.len() < 100 && rounds < 1_000 {
                rounds += 1;
                let more = inbox.receive(other.as_fd());
                assert_eq!(more.is_ok_and(|more| more), inbox.len() == TOGETHER);
                let heard = (0..inbox.len()).filter_map(|index| inbox.get(index));
                got.extend(heard.map(|(from, data)| (from, data.to_vec())));
            }
            let wanted: Vec<_> = out.into_iter().map(|(_, data)| (from, data)).collect();
            assert_eq!(got, wanted);
            assert_eq!(inbox.receive(other.as_fd()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
            assert!(inbox.get(0).is_none());
        }
    }
}
