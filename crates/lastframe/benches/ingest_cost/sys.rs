//! epoll for the control program: what a server that does nothing but read would use, without a runtime in between.
#![expect(
    unsafe_code,
    reason = "the control is measured against bare epoll, and no crate of the workspace wraps it"
)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// A level-triggered epoll set.
pub struct Epoll(OwnedFd);

/// Room for the events of one wait.
pub struct Events(Vec<libc::epoll_event>);

impl Events {
    pub fn with_room(events: usize) -> Self {
        Self(vec![libc::epoll_event { events: 0, u64: 0 }; events.max(1)])
    }

    /// The token of the event at `index` of the last wait.
    pub fn token(&self, index: usize) -> Option<u64> {
        self.0.get(index).map(|event| event.u64)
    }
}

impl Epoll {
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers; the result is checked before it is used.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, valid and owned by nobody else.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Watches a descriptor for input until it is closed.
    pub fn add(&self, fd: &impl AsRawFd, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token };
        // SAFETY: both descriptors are open, and `event` outlives the call.
        let result = unsafe {
            libc::epoll_ctl(self.0.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &raw mut event)
        };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Waits for input; returns how many events came.
    pub fn wait(&self, events: &mut Events) -> io::Result<usize> {
        let room = i32::try_from(events.0.len()).unwrap_or(i32::MAX);
        // SAFETY: the pointer and the length describe `events`, which outlives the call.
        let count = unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.0.as_mut_ptr(), room, -1) };
        match usize::try_from(count) {
            Ok(count) => Ok(count),
            Err(_) => Err(io::Error::last_os_error()),
        }
    }
}
