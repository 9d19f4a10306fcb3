//! What the network between needs of the kernel, for which the standard library has no call: a TUN device, and waiting
//! for several files at once.
#![expect(unsafe_code, reason = "ioctl(TUNSETIFF) and ppoll have no safe wrapper in the standard library")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

/// Makes a TUN device of this name in this process's network namespace. What is written to the file arrives at the
/// device, what leaves by the device is read from the file, one IP packet at a time. The device goes with the file, and
/// stays with it in whichever namespace it is moved to.
///
/// # Errors
/// That of the system: no rights, no such device, or a name that is taken or too long.
pub(super) fn tun(name: &str) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open("/dev/net/tun")?;
    // SAFETY: ifreq is plain integers and a union of such, for which all zeroes is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last byte stays zero.
    if name.len() >= request.ifr_name.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name of the device is too long"));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    request.ifr_ifru.ifru_flags =
        libc::c_short::try_from(libc::IFF_TUN | libc::IFF_NO_PI).unwrap_or_default();
    // SAFETY: the request is a whole ifreq that outlives the call, and the file is open.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(file)
}

/// Waits until one of the files can be read, or the time is over; says which can.
///
/// # Errors
/// That of the system.
pub(super) fn readable<const N: usize>(
    files: [BorrowedFd<'_>; N],
    timeout: Option<Duration>,
) -> io::Result<[bool; N]> {
    let mut polled =
        files.map(|file| libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLIN, revents: 0 });
    let count = libc::nfds_t::try_from(N).unwrap_or(0);
    let time = timeout.map(|timeout| libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the array has `count` entries and outlives the call, as does the time, which may be null.
    let result = unsafe { libc::ppoll(polled.as_mut_ptr(), count, time, std::ptr::null()) };
    match result {
        0.. => Ok(polled.map(|file| file.revents != 0)),
        _ => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok([false; N]),
            error => Err(error),
        },
    }
}
