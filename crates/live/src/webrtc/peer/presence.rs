//! Whether the client is there: when it was heard, by which ways, and what the network says of these.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use cause::evidence::{Close, Errno};
use str0m::net::Protocol;

use crate::udp::{REFUSED_TWICE, Report};

/// The longest time between two checks of a client that is alive, and a little more: it checks its path every 6 s at least
/// (RFC 7675, 5.1), whether it has media to send or not.
const CHECKED_EVERY: Duration = Duration::from_millis(6_500);
/// A client that was not heard for this long is sent a sign of life, so that the network reports it if its program is gone;
/// and what the network reports counts only then, since a live client may have closed one socket of several.
pub(super) const QUIET: Duration = Duration::from_millis(250);
/// A client whose connection has ended may come by another within this: some connect again when a box on the way has cut
/// theirs off. A killed one is known as soon as over UDP.
const COMES_AGAIN: Duration = Duration::from_millis(500);

/// Where a client was heard.
pub(super) type Source = (SocketAddr, Protocol);

/// What is known of the client's presence.
#[derive(Debug)]
pub(super) struct Presence {
    heard: Instant,
    source: Option<Source>,
    /// When it was heard last in datagrams, and from where.
    datagrams: Option<(Instant, SocketAddr)>,
    /// Reports of a closed port since.
    refused: u32,
    unreachable: Option<Errno>,
    /// How its connection has ended, and until when it may come by another.
    cut_off: Option<(Close, Instant)>,
}

/// What a report of the network means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing, or it has been noted.
    Noted,
    /// The client may be gone: another sign of life will tell.
    Ask,
    /// The client's program is gone.
    Gone,
}

impl Presence {
    pub(super) fn new(now: Instant) -> Self {
        Self { heard: now, source: None, datagrams: None, refused: 0, unreachable: None, cut_off: None }
    }

    /// The client was heard.
    pub(super) fn heard(&mut self, now: Instant, source: Source) {
        self.heard = now;
        self.source = Some(source);
        if source.1 == Protocol::Udp {
            self.datagrams = Some((now, source.0));
        }
        self.refused = 0;
        self.unreachable = None;
        self.cut_off = None;
    }

    /// Where it was heard last.
    pub(super) fn source(&self) -> Option<Source> {
        self.source
    }

    /// How long it has been silent.
    pub(super) fn quiet(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard)
    }

    /// Whether it has been silent for longer than one that is alive.
    pub(super) fn is_silent(&self, now: Instant) -> bool {
        self.quiet(now) > CHECKED_EVERY
    }

    /// What the network said of the way to it last, since it was heard.
    pub(super) fn unreachable(&self) -> Option<Errno> {
        self.unreachable
    }

    /// The network says what became of a datagram to this address.
    pub(super) fn report(&mut self, now: Instant, to: SocketAddr, report: Report) -> Heard {
        if self.source != Some((to, Protocol::Udp)) || self.quiet(now) < QUIET {
            return Heard::Noted;
        }
        match report {
            Report::Unreachable(errno) => {
                self.unreachable = Some(errno);
                Heard::Noted
            }
            Report::Refused => {
                self.refused += 1;
                if self.refused < REFUSED_TWICE { Heard::Ask } else { Heard::Gone }
            }
        }
    }

    /// A connection of its has ended. True where that was the one that it was heard on: then this is how the client was cut
    /// off, unless it has been heard by datagrams too of late, or comes again.
    pub(super) fn connection_ended(&mut self, now: Instant, peer: SocketAddr, close: Close) -> bool {
        if self.source != Some((peer, Protocol::Tcp)) {
            return false;
        }
        let of_late = |(at, _): &(Instant, SocketAddr)| now.saturating_duration_since(*at) <= CHECKED_EVERY;
        match self.datagrams.filter(of_late) {
            Some((_, address)) => self.source = Some((address, Protocol::Udp)),
            None => self.cut_off = Some((close, now + COMES_AGAIN)),
        }
        true
    }

    /// When it is decided that the client does not come again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.cut_off.map(|(_, until)| until)
    }

    /// How the client was cut off, once it does not come again.
    pub(super) fn cut_off(&self, now: Instant) -> Option<Close> {
        self.cut_off.filter(|(_, until)| now >= *until).map(|(close, _)| close)
    }
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};

    use super::*;

    const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);
    const ELSEWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 2);

    fn heard(source: Source) -> (Presence, Instant) {
        let now = SystemClock.instant();
        let mut presence = Presence::new(now);
        presence.heard(now, source);
        (presence, now)
    }

    #[test]
    fn a_client_whose_only_connection_has_ended_is_cut_off_unless_it_comes_again() {
        let (mut presence, now) = heard((HERE, Protocol::Tcp));
        assert!(!presence.connection_ended(now, ELSEWHERE, Close::Reset), "it was not heard there");
        assert!(presence.connection_ended(now, HERE, Close::EndOfFile));
        assert_eq!(presence.cut_off(now), None);
        assert_eq!(presence.due(), Some(now + COMES_AGAIN));
        assert_eq!(presence.cut_off(now + COMES_AGAIN), Some(Close::EndOfFile));
        presence.heard(now + COMES_AGAIN / 2, (ELSEWHERE, Protocol::Tcp));
        assert_eq!((presence.due(), presence.cut_off(now + COMES_AGAIN)), (None, None));
    }

    #[test]
    fn a_connection_beside_datagrams_may_end() {
        let (mut presence, now) = heard((HERE, Protocol::Udp));
        presence.heard(now + QUIET, (HERE, Protocol::Tcp));
        assert!(presence.connection_ended(now + QUIET, HERE, Close::EndOfFile));
        assert_eq!(presence.cut_off(now + CHECKED_EVERY), None);
        assert_eq!(presence.source(), Some((HERE, Protocol::Udp)), "signs of life go there now");
        // Datagrams that came long ago are no way any more.
        let late = now + CHECKED_EVERY * 2;
        presence.heard(late, (HERE, Protocol::Tcp));
        assert!(presence.connection_ended(late, HERE, Close::Reset));
        assert_eq!(presence.cut_off(late + COMES_AGAIN), Some(Close::Reset));
    }

    #[test]
    fn reports_count_in_a_silence_and_it_takes_two() {
        let (mut presence, now) = heard((HERE, Protocol::Udp));
        assert_eq!(presence.report(now, HERE, Report::Refused), Heard::Noted, "it was heard just now");
        let later = now + QUIET;
        assert_eq!(presence.report(later, ELSEWHERE, Report::Refused), Heard::Noted);
        assert_eq!(presence.report(later, HERE, Report::Refused), Heard::Ask);
        assert_eq!(presence.report(later, HERE, Report::Unreachable(Errno(113))), Heard::Noted);
        assert_eq!(presence.unreachable(), Some(Errno(113)));
        assert_eq!(presence.report(later, HERE, Report::Refused), Heard::Gone);
        presence.heard(later, (HERE, Protocol::Udp));
        assert_eq!(presence.unreachable(), None);
        assert_eq!(presence.report(later + QUIET, HERE, Report::Refused), Heard::Ask);
    }
}
