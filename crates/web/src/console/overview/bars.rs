//! Ends over time as stacked bars, a colour and a pattern of place for each side.

use cause::Side;
use model::Timestamp;
use store::Summary;

use super::{BUCKET, side_of, since};
use crate::console::frame::Frame;
use crate::console::show::{When, grouped};

const BARS: usize = 24;
/// Height that bars are drawn in.
const HEIGHT: f64 = 100.0;

/// One hour.
pub(super) struct Bar {
    /// Place and width, per cent.
    pub x: String,
    pub parts: Vec<Part>,
    /// What it says to those who point at it, and to those who cannot see it.
    pub text: String,
    /// How many of each side, in the order of [`Side::ALL`].
    pub counts: Vec<String>,
    pub begin: When,
}

/// One side's share of an hour.
pub(super) struct Part {
    pub side: &'static str,
    pub y: String,
    pub height: String,
}

/// The bars of the last day, oldest first, and the largest of them.
pub(super) fn bars(day: &Summary, now: Timestamp, f: &Frame) -> (Vec<Bar>, u64) {
    let first = since(now).millis();
    let width = i64::try_from(BUCKET.as_millis()).unwrap_or(1);
    let mut hours = vec![[0u64; Side::ALL.len()]; BARS];
    for ((begin, code), count) in &day.counts {
        let index = usize::try_from((begin.millis() - first) / width).unwrap_or(usize::MAX);
        let side = Side::ALL.into_iter().position(|side| side == side_of(*code));
        if let (Some(hour), Some(side)) = (hours.get_mut(index), side)
            && let Some(sum) = hour.get_mut(side)
        {
            *sum += count;
        }
    }
    let top = hours.iter().map(|hour| hour.iter().sum::<u64>()).max().unwrap_or(0);
    let bars = hours.iter().enumerate().map(|(index, hour)| {
        let begin = When::of(Timestamp(first + i64::try_from(index).unwrap_or(0) * width));
        Bar {
            x: format!("{:.2}%", index as f64 * 100.0 / BARS as f64 + 0.4),
            parts: parts(hour, top),
            text: text(hour, f),
            counts: hour.iter().map(|count| grouped(*count)).collect(),
            begin,
        }
    });
    (bars.collect(), top)
}

fn parts(hour: &[u64; Side::ALL.len()], top: u64) -> Vec<Part> {
    let mut below = 0.0;
    let mut parts = Vec::new();
    for (side, count) in Side::ALL.into_iter().zip(hour).filter(|(_, count)| **count > 0) {
        // What is there at all can be seen.
        let height = (*count as f64 / top.max(1) as f64 * HEIGHT).max(1.5);
        below += height;
        parts.push(Part {
            side: side.as_str(),
            y: format!("{:.2}%", (HEIGHT - below).max(0.0)),
            height: format!("{height:.2}%"),
        });
    }
    parts
}

fn text(hour: &[u64; Side::ALL.len()], f: &Frame) -> String {
    let said: Vec<String> = Side::ALL
        .into_iter()
        .zip(hour)
        .filter(|(_, count)| **count > 0)
        .map(|(side, count)| format!("{} {}", side.label(f.lang), grouped(*count)))
        .collect();
    if said.is_empty() { f.t("overview-nothing") } else { said.join(", ") }
}

#[cfg(test)]
mod tests {
    use cause::Lang;
    use model::Code;

    use super::*;

    #[test]
    fn an_hour_is_stacked_by_side_and_said_in_words() {
        let now = Timestamp(1_795_383_346_292);
        let mut day = Summary::default();
        day.counts.insert((since(now), Code::new(1, 0)), 3);
        day.counts.insert((since(now), Code::new(12, 0)), 1);
        let (bars, top) = bars(&day, now, &Frame::bare(Lang::En));
        assert_eq!((bars.len(), top), (24, 4));
        assert_eq!(bars[0].text, "Client 3, Network 1");
        assert_eq!(bars[0].parts[0].height, "75.00%");
        assert_eq!((bars[0].parts[1].y.as_str(), bars[0].parts[1].height.as_str()), ("0.00%", "25.00%"));
        assert!(bars[1].parts.is_empty());
        assert_eq!(bars[0].counts, ["3", "1", "0", "0", "0"]);
    }
}
