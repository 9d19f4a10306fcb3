//! Error numbers of the operating system.

use serde::{Deserialize, Serialize};

/// An operating-system error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Errno(pub i32);

/// Numbers of Linux, the one system this server runs on; `cause` does no I/O and so knows no `libc`.
impl Errno {
    /// Bad file descriptor.
    pub const EBADF: Self = Self(9);
    /// Out of memory.
    pub const ENOMEM: Self = Self(12);
    /// Invalid argument.
    pub const EINVAL: Self = Self(22);
    /// Written after the peer had closed or reset.
    pub const EPIPE: Self = Self(32);
    /// ICMP: the host is not on the network.
    pub const ENONET: Self = Self(64);
    /// ICMP: protocol unreachable.
    pub const ENOPROTOOPT: Self = Self(92);
    /// Our network interface is down.
    pub const ENETDOWN: Self = Self(100);
    /// ICMP: network unreachable, or no route.
    pub const ENETUNREACH: Self = Self(101);
    /// The connection was taken away on our own host, as `ss -K` does.
    pub const ECONNABORTED: Self = Self(103);
    /// Reset by the peer.
    pub const ECONNRESET: Self = Self(104);
    /// No buffers left on our host.
    pub const ENOBUFS: Self = Self(105);
    /// Not connected.
    pub const ENOTCONN: Self = Self(107);
    /// Written after our own shutdown.
    pub const ESHUTDOWN: Self = Self(108);
    /// TCP gave up.
    pub const ETIMEDOUT: Self = Self(110);
    /// ICMP: port unreachable.
    pub const ECONNREFUSED: Self = Self(111);
    /// The host is down.
    pub const EHOSTDOWN: Self = Self(112);
    /// ICMP: host unreachable, or no answer to ARP.
    pub const EHOSTUNREACH: Self = Self(113);
}
