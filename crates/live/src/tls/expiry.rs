//! Until when a certificate is good, and warnings before that.

use std::sync::Arc;
use std::time::Duration;

use model::{Clock, Timestamp};

use super::Certificates;

/// So long before its end a certificate is called a worry: authorities' renewals are long over by then.
pub const EXPIRY_WARNING: Duration = Duration::from_secs(21 * 86_400);

/// The same for those that are good for a short time only, which are renewed when a third of it is left: a fourth of it.
const SHARE_LEFT: u64 = 4;

/// From when until when a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Validity {
    /// Its first moment.
    pub from: Timestamp,
    /// Its last.
    pub until: Timestamp,
}

/// How a certificate stands to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is good for long enough.
    Good,
    /// It ends soon: who renews it should have done so.
    EndsSoon,
    /// Nobody takes it any more.
    Over,
}

impl Validity {
    /// How it stands at this moment.
    pub fn standing(self, now: Timestamp) -> Standing {
        let whole = self.until.since(self.from);
        let warning = EXPIRY_WARNING.min(Duration::from_millis(whole / SHARE_LEFT));
        match self.until {
            until if until < now => Standing::Over,
            until if until < now.plus(warning) => Standing::EndsSoon,
            _ => Standing::Good,
        }
    }
}

/// How often it is told.
const TOLD_EVERY: Duration = Duration::from_secs(86_400);

/// DER tags (X.690, 8.1.2).
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;

/// Warns in the log of certificates that end soon, once a day, until the task is aborted.
pub async fn warn_of_expiry(certificates: Arc<Certificates>, clock: Arc<dyn Clock>) {
    let mut every = tokio::time::interval(TOLD_EVERY);
    loop {
        every.tick().await;
        for (name, validity) in certificates.validities() {
            let expires = validity.until;
            match validity.standing(clock.now()) {
                Standing::Good => {}
                Standing::EndsSoon => tracing::warn!(certificate = name, %expires, "a certificate ends soon"),
                Standing::Over => tracing::error!(certificate = name, %expires, "a certificate has ended"),
            }
        }
    }
}

/// From when until when a certificate is good (RFC 5280, 4.1.2.5); `None` where these bytes are no certificate.
pub(super) fn validity(certificate: &[u8]) -> Option<Validity> {
    let (whole, _) = element(certificate, SEQUENCE)?;
    let (mut rest, _) = element(whole, SEQUENCE)?;
    if let Some((_, after)) = element(rest, VERSION) {
        rest = after;
    }
    // Serial number, signature's algorithm, issuer.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, rest) = element(rest, tag)?;
    }
    let (validity, _) = element(rest, SEQUENCE)?;
    let (begin, end) = any_element(validity)?;
    let until = time(*end.first()?, any_element(end)?.0)?;
    Some(Validity { from: time(*validity.first()?, begin)?, until })
}

/// The content of an element with this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    if *bytes.first()? == tag { any_element(bytes) } else { None }
}

fn any_element(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(*first), rest),
        // Certificates have no element of 16 MiB.
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x0F))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (century, rest) = match tag {
        // RFC 5280, 4.1.2.5.1: two digits from 50 on are of the last century.
        UTC_TIME => (if text.get(..2)? < "50" { "20" } else { "19" }, text),
        GENERALIZED_TIME => text.split_at_checked(2)?,
        _ => return None,
    };
    if rest.len() != 12 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |at: usize| rest.get(at..at + 2);
    let day = format!("{century}{}-{}-{}", part(0)?, part(2)?, part(4)?);
    Timestamp::parse(&format!("{day}T{}:{}:{}Z", part(6)?, part(8)?, part(10)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn made(until: (i32, u8, u8)) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_of_a_certificate_is_read_in_both_forms_of_time() {
        for (until, text) in
            [((2031, 3, 9), "2031-03-09T00:00:00.000Z"), ((2063, 12, 31), "2063-12-31T00:00:00.000Z")]
        {
            assert_eq!(validity(&made(until)).unwrap().until.to_string(), text);
        }
        let Validity { from, .. } = validity(&made((2031, 3, 9))).unwrap();
        assert_eq!(from.to_string(), "2020-01-01T00:00:00.000Z");
    }

    #[test]
    fn the_last_three_weeks_are_a_worry_and_of_a_short_time_its_last_fourth() {
        let now = Timestamp::parse("2026-11-22T00:00:00Z").unwrap();
        let days = |days: u64| Duration::from_secs(days * 86_400);
        let left = |whole: u64, left: u64| {
            let until = now.plus(days(left));
            Validity { from: until.minus(days(whole)), until }.standing(now)
        };
        assert_eq!((left(365, 22), left(365, 20)), (Standing::Good, Standing::EndsSoon));
        // Renewed with 30, 15 and 2 days left; see RFC 9773 for why they become ever shorter.
        assert_eq!((left(90, 29), left(90, 20)), (Standing::Good, Standing::EndsSoon));
        assert_eq!((left(47, 13), left(47, 11)), (Standing::Good, Standing::EndsSoon));
        assert_eq!((left(6, 2), left(6, 1)), (Standing::Good, Standing::EndsSoon));
        let over = Validity { from: now.minus(days(9)), until: now.minus(Duration::from_secs(1)) };
        assert_eq!(over.standing(now), Standing::Over);
        let absurd = Validity { from: now.plus(days(9)), until: now.plus(days(1)) };
        assert_eq!(absurd.standing(now), Standing::Good);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..400usize, value: u8) {
            let _ = validity(&bytes);
            let mut damaged = made((2031, 3, 9));
            let at = at % damaged.len();
            damaged[at] = value;
            let _ = validity(&damaged);
        }
    }
}
