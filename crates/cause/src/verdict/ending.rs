//! How the connection ended, with the errno of a write counted as the read's own.

use crate::evidence::{Close, Errno, Evidence};

/// The one thing that the socket said in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    EndOfFile,
    Reset,
    TimedOut,
    Unreachable(Errno),
    /// A write failed, and the receive side has nothing to say.
    SendFailed(Errno),
    /// Our own host broke the socket.
    OwnHost(Errno),
    IdleLimit,
    TransportLost,
    /// None of these: the reader of the evidence has to look.
    Other,
}

impl Ending {
    /// The kernel reports a connection's error once: when a write took it, the receive side shows an end of file, or
    /// nothing. So a write's errno that tells of the peer or the path replaces those.
    pub(super) fn of(e: &Evidence) -> Self {
        let read = Self::of_read(e.close);
        let Some(errno) = e.write_error else { return read };
        let written = Self::of_errno(errno);
        let says_little =
            matches!(read, Self::EndOfFile | Self::IdleLimit | Self::SendFailed(_) | Self::Other);
        match written {
            Self::Reset | Self::TimedOut | Self::Unreachable(_) if says_little => written,
            Self::Other if read == Self::Other => Self::SendFailed(errno),
            _ if read == Self::Other => written,
            _ => read,
        }
    }

    fn of_read(close: Close) -> Self {
        match close {
            Close::EndOfFile => Self::EndOfFile,
            Close::Reset => Self::Reset,
            Close::TimedOut => Self::TimedOut,
            Close::Unreachable(errno) => Self::Unreachable(errno),
            Close::Failed(errno) => Self::of_errno(errno),
            Close::IdleLimit => Self::IdleLimit,
            Close::TransportLost => Self::TransportLost,
            Close::Open | Close::SetupLimit | Close::NodeDied | Close::TaskFailed | Close::Unreadable => {
                Self::Other
            }
        }
    }

    fn of_errno(errno: Errno) -> Self {
        match errno {
            Errno::ECONNRESET => Self::Reset,
            Errno::ETIMEDOUT => Self::TimedOut,
            Errno::EHOSTUNREACH
            | Errno::ENETUNREACH
            | Errno::EHOSTDOWN
            | Errno::ENETDOWN
            | Errno::ENONET
            | Errno::ENOPROTOOPT
            | Errno::ECONNREFUSED => Self::Unreachable(errno),
            Errno::EPIPE | Errno::ESHUTDOWN => Self::SendFailed(errno),
            Errno::ECONNABORTED
            | Errno::ENOMEM
            | Errno::ENOBUFS
            | Errno::EBADF
            | Errno::EINVAL
            | Errno::ENOTCONN => Self::OwnHost(errno),
            _ => Self::Other,
        }
    }
}
