//! What happened to a stream in a window of time: every push in it, the gaps between them and why they were there, and
//! what viewers saw. Pure.

use model::{Code, PushId, Record, Timestamp};
use serde::Serialize;

/// A push that was live, as far as the diagnosis needs it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The push.
    pub push: PushId,
    /// When it went live.
    pub from: Timestamp,
    /// When it ended; `None` while it is live.
    pub to: Option<Timestamp>,
    /// Why it ended.
    pub code: Option<Code>,
}

impl Span {
    /// The span of a record; `None` for a push that never was live.
    pub fn of(record: &Record) -> Option<Self> {
        let from = record.published_at?;
        Some(Self { push: record.id, from, to: Some(record.ended_at), code: Some(record.code()) })
    }
}

/// A time in which nothing was live.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// When the last push ended.
    pub from: Timestamp,
    /// When the next one went live; the end of the window if none did.
    pub to: Timestamp,
    /// How long.
    pub ms: u64,
    /// No push has ended it within the window.
    pub open: bool,
    /// The push whose end began it.
    pub ended: PushId,
    /// The push that ended it.
    pub resumed: Option<PushId>,
    /// Why the push ended: the cause of the gap.
    pub code: String,
    /// Pushes that were refused, or left early, while it lasted: why it lasted.
    pub refused: Vec<PushId>,
}

/// What viewers saw over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Viewers {
    /// Milliseconds with a picture.
    pub live_ms: u64,
    /// Milliseconds without one, from the first push on.
    pub dark_ms: u64,
    /// How often the picture went.
    pub interruptions: u64,
    /// How often one push followed another without a gap.
    pub takeovers: u64,
    /// The longest time without a picture.
    pub longest_ms: u64,
    /// Whether there is a picture at the end of the window.
    pub live_at_end: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// The gaps, oldest first.
    pub gaps: Vec<Gap>,
    /// What viewers saw.
    pub viewers: Viewers,
}

/// Diagnoses the window from `since` to `until`. `refused` are the pushes that never were live, with the times of their
/// ends.
pub fn diagnose(
    mut spans: Vec<Span>,
    refused: &[(PushId, Timestamp)],
    since: Timestamp,
    until: Timestamp,
) -> Diagnosis {
    spans.sort_by_key(|span| (span.from, span.push));
    let mut gaps = Vec::new();
    let mut viewers = Viewers::default();
    // The span that reaches furthest so far, and how far.
    let mut last: Option<(Span, Timestamp)> = None;
    let gap = |ended: &Span, from: Timestamp, to: Timestamp, resumed: Option<PushId>| Gap {
        from,
        to,
        ms: to.since(from),
        open: resumed.is_none(),
        ended: ended.push,
        resumed,
        code: ended.code.map_or_else(String::new, |code| code.to_string()),
        refused: refused.iter().filter(|(_, at)| *at >= from && *at <= to).map(|(id, _)| *id).collect(),
    };
    for span in spans {
        let (from, to) = (span.from.max(since), span.to.unwrap_or(until).min(until));
        if to < from {
            continue;
        }
        let reached = last.as_ref().map_or(from, |(_, reached)| *reached);
        match &last {
            Some((before, _)) if from > reached => gaps.push(gap(before, reached, from, Some(span.push))),
            Some(_) => viewers.takeovers += 1,
            None => {}
        }
        viewers.live_ms += to.since(from.max(reached));
        if last.is_none() || to >= reached {
            last = Some((span, to));
        }
    }
    if let Some((before, reached)) = &last {
        viewers.live_at_end = *reached >= until;
        if !viewers.live_at_end {
            gaps.push(gap(before, *reached, until, None));
        }
    }
    viewers.interruptions = gaps.len() as u64;
    viewers.dark_ms = gaps.iter().map(|gap| gap.ms).sum();
    viewers.longest_ms = gaps.iter().map(|gap| gap.ms).max().unwrap_or(0);
    Diagnosis { gaps, viewers }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> PushId {
        PushId::from_parts(Timestamp(1), n.into())
    }

    fn span(n: u8, from: i64, to: i64) -> Span {
        let code = Some(Code::new(3, 0));
        Span { push: id(n), from: Timestamp(from), to: Some(Timestamp(to)), code }
    }

    fn of(spans: &[Span]) -> Diagnosis {
        diagnose(spans.to_vec(), &[(id(9), Timestamp(2_500))], Timestamp(0), Timestamp(10_000))
    }

    #[test]
    fn a_gap_is_laid_to_the_push_before_it_and_tells_who_was_refused_meanwhile() {
        let found = of(&[span(2, 3_000, 10_000), span(1, 1_000, 2_000)]);
        assert_eq!(found.gaps.len(), 1);
        let gap = &found.gaps[0];
        assert_eq!((gap.from, gap.to, gap.ms, gap.open), (Timestamp(2_000), Timestamp(3_000), 1_000, false));
        assert_eq!((gap.ended, gap.resumed, gap.code.as_str()), (id(1), Some(id(2)), "3/0"));
        assert_eq!(gap.refused, [id(9)]);
        let viewers = &found.viewers;
        assert_eq!((viewers.live_ms, viewers.dark_ms, viewers.interruptions), (8_000, 1_000, 1));
        assert!(viewers.live_at_end);
    }

    #[test]
    fn a_takeover_is_no_gap() {
        let found = of(&[span(1, 0, 5_000), span(2, 4_900, 10_000)]);
        assert_eq!((found.gaps.len(), found.viewers.takeovers, found.viewers.live_ms), (0, 1, 10_000));
    }

    #[test]
    fn a_backup_that_ended_inside_of_another_push_begins_no_gap() {
        let found = of(&[span(1, 0, 8_000), span(2, 1_000, 2_000), span(3, 9_000, 10_000)]);
        assert_eq!(found.gaps.len(), 1);
        assert_eq!(found.gaps[0].ended, id(1));
    }

    #[test]
    fn a_stream_that_did_not_come_back_is_dark_until_the_end() {
        let found = of(&[span(1, 0, 4_000)]);
        assert!(found.gaps[0].open && !found.viewers.live_at_end);
        assert_eq!((found.gaps[0].ms, found.viewers.longest_ms), (6_000, 6_000));
    }

    #[test]
    fn without_a_push_there_is_nothing_to_miss() {
        assert_eq!(of(&[]), Diagnosis { gaps: Vec::new(), viewers: Viewers::default() });
    }

    #[test]
    fn a_live_push_reaches_to_the_end_of_the_window() {
        let live = Span { to: None, code: None, ..span(1, 2_000, 0) };
        let found = of(&[live]);
        assert!(found.viewers.live_at_end && found.gaps.is_empty());
        assert_eq!(found.viewers.live_ms, 8_000);
    }
}
