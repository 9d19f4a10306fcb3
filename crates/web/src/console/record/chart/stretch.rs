//! The stretch of a push that the reader looks at.

use serde::Deserialize;

/// The close look at the end, seconds.
const MINUTE: u32 = 60;

/// A stretch as the URL has it: seconds after connecting, or `1:05`. Empty for what is shown by itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::console) struct Asked {
    from: String,
    to: String,
}

/// A stretch of time, seconds after connecting; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub from: u32,
    pub to: u32,
}

/// What a push has to be looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretches {
    /// From its first sample to its end.
    pub whole: Stretch,
    /// Its last minute; `None` where that is about all there is.
    pub minute: Option<Stretch>,
    /// What the reader looks at.
    pub chosen: Stretch,
}

impl Stretches {
    /// Those of a push that lasted from `begin` to `end`.
    pub fn of(begin: u32, end: u32, asked: &Asked) -> Self {
        let whole = Stretch { from: begin, to: end.max(begin.saturating_add(1)) };
        let minute = (whole.length() > MINUTE + MINUTE / 4)
            .then(|| Stretch { from: whole.to.saturating_sub(MINUTE), to: whole.to });
        let (from, to) = (seconds(&asked.from), seconds(&asked.to));
        let chosen = match (from, to) {
            (None, None) => minute.unwrap_or(whole),
            (from, to) => whole.part(from.unwrap_or(whole.from), to.unwrap_or(whole.to)),
        };
        Self { whole, minute, chosen }
    }
}

impl Stretch {
    /// How long it is, seconds.
    pub fn length(self) -> u32 {
        self.to.saturating_sub(self.from)
    }

    /// A part of it, at least one second long, in whatever order its ends are given.
    fn part(self, one: u32, other: u32) -> Self {
        let last = self.to.saturating_sub(1);
        let from = one.min(other).clamp(self.from, last.max(self.from));
        Self { from, to: one.max(other).clamp(from.saturating_add(1), self.to.max(from.saturating_add(1))) }
    }

    /// `0:05 – 1:00`.
    pub fn text(self) -> String {
        format!("{} – {}", clock(self.from), clock(self.to))
    }
}

/// `0:05`, `12:00`, `1:00:00` after connecting.
pub(super) fn clock(second: u32) -> String {
    let (h, m, s) = (second / 3_600, second % 3_600 / 60, second % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// What [`clock`] says, or plain seconds; `None` for anything else.
fn seconds(text: &str) -> Option<u32> {
    let parts: Option<Vec<u32>> = text.trim().split(':').map(|part| part.parse().ok()).collect();
    let parts = parts.filter(|parts| parts.len() <= 3)?;
    parts.into_iter().try_fold(0u32, |sum, part| sum.checked_mul(60)?.checked_add(part))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(from: &str, to: &str) -> Asked {
        Asked { from: from.to_owned(), to: to.to_owned() }
    }

    #[test]
    fn hours_are_said_as_hours_and_read_again() {
        assert_eq!((clock(65), clock(3_600)), ("1:05".to_owned(), "1:00:00".to_owned()));
        for second in [0, 59, 60, 3_599, 3_600, 400_000] {
            assert_eq!(seconds(&clock(second)), Some(second));
        }
        for wrong in ["", "x", "1:2:3:4", "-1", "99999999999", "4000000000:00"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_last_minute_is_shown_by_itself_where_there_is_more() {
        assert_eq!(Stretches::of(0, 70, &Asked::default()).chosen, Stretch { from: 0, to: 70 });
        assert_eq!(Stretches::of(0, 200, &Asked::default()).chosen, Stretch { from: 140, to: 200 });
        assert_eq!(Stretches::of(0, 200, &asked("0", "")).chosen, Stretch { from: 0, to: 200 });
        assert_eq!(Stretches::of(0, 200, &asked("1:30", "0:20")).chosen, Stretch { from: 20, to: 90 });
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_lies_within_the_push(begin: u32, length: u32, from in ".{0,9}", to in "[0-9:]{0,9}") {
            let stretches = Stretches::of(begin, begin.saturating_add(length), &asked(&from, &to));
            let (whole, chosen) = (stretches.whole, stretches.chosen);
            prop_assert!(chosen.from >= whole.from && chosen.to <= whole.to.max(chosen.from.saturating_add(1)));
            prop_assert!(chosen.to > chosen.from || begin == u32::MAX);
        }
    }
}
