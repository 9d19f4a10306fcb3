//! Sound and picture on one clock. Each track begins when its first frame arrives, which for a picture that takes longer to
//! encode and to send is late. The sender's reports (RFC 3550, 6.4.1) say which moment of its wall clock a frame is of, and by
//! that the picture is moved to its sound. The sound stays where it is, since a jump would be heard.

use std::time::SystemTime;

use media::pack::TICKS_PER_SECOND;
use str0m::media::MediaTime;
use str0m::rtp::rtcp::SenderInfo;

/// Less than this is not seen, and clocks of senders are not finer.
const SLACK: i64 = TICKS_PER_SECOND / 50;
/// More than this is no lag of a picture but a clock that is wrong.
const LIMIT: i64 = TICKS_PER_SECOND * 5;

/// How the sender's wall clock relates to the times of the push.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LipSync {
    /// The push's time less the sender's wall clock, in ticks, by the last sound.
    shift: Option<i64>,
}

impl LipSync {
    /// A sound goes out with this time, in ticks.
    pub(super) fn sound(&mut self, out: i64, sent: MediaTime, report: Option<&SenderInfo>) {
        if let Some(wall) = report.and_then(|report| wall_clock(sent, report)) {
            self.shift = Some(out.saturating_sub(wall));
        }
    }

    /// How far a picture that would go out with this time has to be moved, in ticks; 0 where it is in time, or that cannot
    /// be told.
    pub(super) fn picture(&self, out: i64, sent: MediaTime, report: Option<&SenderInfo>) -> i64 {
        let wall = report.and_then(|report| wall_clock(sent, report));
        let due = wall.zip(self.shift).map(|(wall, shift)| wall.saturating_add(shift));
        let off = due.map_or(0, |due| due.saturating_sub(out));
        if (SLACK..LIMIT).contains(&off.saturating_abs()) { off } else { 0 }
    }
}

/// The moment of the sender's wall clock that a time of RTP stands for, in ticks since 1970.
fn wall_clock(sent: MediaTime, report: &SenderInfo) -> Option<i64> {
    let reported = report.ntp_time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_micros();
    let reported = i64::try_from(reported.checked_mul(TICKS_PER_SECOND as u128)? / 1_000_000).ok()?;
    // Both are times of one clock of 32 bits.
    let [sent_units, reported_units] = [sent, report.rtp_time].map(|time| time.numer() as u32);
    let since = i64::from(sent_units.wrapping_sub(reported_units).cast_signed());
    let since = since.checked_mul(TICKS_PER_SECOND)?.checked_div(i64::from(sent.denom()))?;
    reported.checked_add(since)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use str0m::media::Frequency;

    use super::*;

    const VIDEO: Frequency = Frequency::NINETY_KHZ;
    const AUDIO: Frequency = Frequency::FORTY_EIGHT_KHZ;

    fn report(wall_ms: u64, rtp: u64, clock: Frequency) -> SenderInfo {
        SenderInfo {
            ssrc: 1.into(),
            ntp_time: SystemTime::UNIX_EPOCH + Duration::from_millis(wall_ms),
            rtp_time: MediaTime::new(rtp, clock),
            sender_packet_count: 0,
            sender_octet_count: 0,
        }
    }

    #[test]
    fn a_picture_that_came_late_is_moved_to_its_sound() {
        let mut sync = LipSync::default();
        let (voice, face) = (report(50_000, 1_000, AUDIO), report(50_000, 7_000_000, VIDEO));
        assert_eq!(sync.picture(0, MediaTime::new(7_000_000, VIDEO), Some(&face)), 0, "no sound to go by");
        // Half a second after the reports, and both were taken at the moment of the push that their tracks make it.
        sync.sound(90_000, MediaTime::new(25_000, AUDIO), Some(&voice));
        let sent = MediaTime::new(7_045_000, VIDEO);
        assert_eq!(sync.picture(90_000, sent, Some(&face)), 0, "in time");
        assert_eq!(sync.picture(90_000 + 18_000, sent, Some(&face)), -18_000, "200 ms late");
        assert_eq!(sync.picture(90_000 - 9_000, sent, Some(&face)), 9_000, "100 ms early");
        assert_eq!(sync.picture(90_000 + 1_000, sent, Some(&face)), 0, "nobody sees 11 ms");
        assert_eq!(sync.picture(90_000 + 18_000, sent, None), 0, "no report of the picture");
    }

    #[test]
    fn clocks_that_are_wrong_move_nothing() {
        let mut sync = LipSync::default();
        sync.sound(0, MediaTime::new(0, AUDIO), Some(&report(50_000, 0, AUDIO)));
        let wrong = report(90_000, 0, VIDEO);
        assert_eq!(sync.picture(0, MediaTime::new(0, VIDEO), Some(&wrong)), 0);
    }

    #[test]
    fn a_clock_that_wraps_between_report_and_frame_is_followed() {
        let before = report(50_000, u64::from(u32::MAX), VIDEO);
        let wall = wall_clock(MediaTime::new((1 << 32) + 89_999, VIDEO), &before);
        assert_eq!(wall, Some(51 * 90_000));
        assert_eq!(wall_clock(MediaTime::new(89_999, VIDEO), &before), wall);
    }
}
