//! The timeline of a push as curves: one time axis, a panel a quantity, drawn here so that it is there without script. The
//! script adds a cross-hair, and asks for another stretch.
//!
//! | module | holds |
//! |---|---|
//! | [`stretch`] | which part of the push is drawn |
//! | [`drawing`] | the drawing |
//! | [`told`] | the same in words |

mod drawing;
mod stretch;
mod told;

use cause::{Evidence, timeline::Sample};

use crate::console::frame::Frame;
use crate::console::show::grouped;
use drawing::Drawing;
pub(in crate::console) use stretch::Asked;
use stretch::{Stretch, Stretches, clock};

/// Height of a panel and of the label above it, pixels.
const PANEL: u32 = 64;
const LABEL: u32 = 26;
/// Height of the axis below the panels.
const AXIS: u32 = 24;
/// The width that curves are drawn in; the browser stretches them.
const WIDTH: f64 = 1000.0;
/// Seconds of the curve in a row.
const SPARK: usize = 60;
/// Rows of numbers.
const ROWS: usize = 120;

/// What a page shows of a timeline.
pub(in crate::console) struct Timeline {
    /// The page that it stands on.
    pub page: String,
    pub chart: Chart,
    /// The stretches to choose from; none where there is one alone.
    pub choices: Vec<Choice>,
    /// The stretch that is shown.
    pub from: String,
    pub to: String,
    /// The same in words.
    pub told: String,
    pub numbers: Vec<Numbers>,
}

/// A stretch to choose.
pub(in crate::console) struct Choice {
    pub text: String,
    pub from: u32,
    pub to: u32,
    /// All there is.
    pub whole: bool,
    pub chosen: bool,
}

/// One drawing over one stretch of time.
pub(in crate::console) struct Chart {
    /// What those hear who cannot see it.
    pub title: String,
    pub height: u32,
    pub panels: Vec<Panel>,
    pub ticks: Vec<Mark>,
    /// Places of key frames, per cent of the width.
    pub keys: Vec<String>,
    /// Seconds without a byte.
    pub silences: Vec<Band>,
    pub flags: Vec<Mark>,
    /// Where the push ended; empty where that is not in the stretch.
    pub end: String,
    pub axis_at: u32,
    /// The stretch, seconds after connecting.
    pub from: u32,
    pub to: u32,
    /// `end,length,value,...;...`: what the cross-hair reads.
    pub samples: String,
}

/// One quantity.
pub(in crate::console) struct Panel {
    pub name: String,
    /// The largest value with its unit.
    pub top: String,
    pub unit: &'static str,
    pub label_at: u32,
    pub at: u32,
    /// The curve, in [`WIDTH`] by 100.
    pub line: String,
    /// The same, closed along the bottom.
    pub area: String,
    /// Key frames are marked here.
    pub has_keys: bool,
}

/// A place on the time axis with its text.
pub(in crate::console) struct Mark {
    pub x: String,
    /// `1:05`.
    pub at: String,
    pub text: String,
    /// `start`, `middle`, `end`.
    pub anchor: &'static str,
}

/// A span of the time axis.
pub(in crate::console) struct Band {
    pub x: String,
    pub width: String,
}

/// One row of the numbers behind the drawing.
pub(in crate::console) struct Numbers {
    pub at: String,
    pub cells: Vec<String>,
}

/// The timeline of a push on a page, the stretch that the reader asked for; `None` without samples.
pub(in crate::console) fn timeline(
    evidence: &Evidence,
    asked: &Asked,
    page: String,
    f: &Frame,
) -> Option<Timeline> {
    let samples = evened(evidence.timeline.all().collect(), evidence.lived_ms);
    let (first, last) = (samples.first()?, samples.last()?);
    // The last second is as a rule not whole, and has no sample of its own.
    let lived = u32::try_from(evidence.lived_ms.div_ceil(1_000)).unwrap_or(u32::MAX);
    let stretches = Stretches::of(first.at_s.saturating_sub(first.span_s), last.at_s.max(lived), asked);
    let drawing = Drawing { samples: &samples, evidence, stretch: stretches.chosen, f };
    Some(Timeline {
        page,
        chart: drawing.draw(f.tn("chart-title", stretches.chosen.text())),
        choices: choices(&stretches, f),
        from: clock(stretches.chosen.from),
        to: clock(stretches.chosen.to),
        told: drawing.told(),
        numbers: numbers(&drawing),
    })
}

fn choices(stretches: &Stretches, f: &Frame) -> Vec<Choice> {
    let Stretches { whole, minute, chosen } = *stretches;
    let mut choices: Vec<(String, Stretch)> = Vec::new();
    choices.extend(minute.map(|minute| (f.t("chart-minute"), minute)));
    choices.push((f.t("chart-all"), whole));
    if choices.iter().all(|(_, stretch)| *stretch != chosen) {
        choices.push((chosen.text(), chosen));
    }
    if choices.len() < 2 {
        return Vec::new();
    }
    let choice = |(text, stretch): (String, Stretch)| Choice {
        text,
        from: stretch.from,
        to: stretch.to,
        whole: stretch == whole,
        chosen: stretch == chosen,
    };
    choices.into_iter().map(choice).collect()
}

/// The same as numbers, newest first.
fn numbers(drawing: &Drawing<'_>) -> Vec<Numbers> {
    let ms = |us: u32| if us == 0 { String::new() } else { format!("{:.1}", f64::from(us) / 1_000.0) };
    let row = |s: &Sample| Numbers {
        at: clock(s.at_s),
        cells: vec![
            grouped(kbps(s) as u64),
            format!("{:.0}", rate(s.video, s)),
            s.keys.to_string(),
            format!("{:.0}", rate(s.audio, s)),
            s.lag_ms.to_string(),
            ms(s.rcv_rtt_us),
            s.rtt_us.map(ms).unwrap_or_default(),
            (s.ooo + s.retrans).to_string(),
        ],
    };
    let seen: Vec<&Sample> = drawing.seen().collect();
    seen.into_iter().rev().take(ROWS).map(row).collect()
}

/// The bitrate of the last minute, kbit/s a second, oldest first.
pub(in crate::console) fn last_minute(evidence: &Evidence) -> Vec<f64> {
    let samples = evened(evidence.timeline.seconds().collect(), evidence.lived_ms);
    let last = samples.len().saturating_sub(SPARK);
    samples.iter().skip(last).map(kbps).collect()
}

fn kbps(sample: &Sample) -> f64 {
    sample.bytes as f64 * 8.0 / 1_000.0 / f64::from(sample.span_s.max(1))
}

fn rate(count: u32, sample: &Sample) -> f64 {
    f64::from(count) / f64::from(sample.span_s.max(1))
}

/// What came after the last whole second was added to that second; without this its rates would stand out.
fn evened(mut samples: Vec<Sample>, lived_ms: u64) -> Vec<Sample> {
    if let Some(last) = samples.last_mut() {
        let over = lived_ms.saturating_sub(u64::from(last.at_s) * 1_000);
        if over > 0 && over < 1_000 {
            let whole = f64::from(last.span_s.max(1)) * 1_000.0;
            let share = whole / (whole + over as f64);
            let scaled = |n: u32| (f64::from(n) * share).round() as u32;
            last.bytes = (last.bytes as f64 * share).round() as u64;
            last.video = scaled(last.video);
            last.audio = scaled(last.audio);
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use cause::Lang;
    use cause::evidence::Transport;

    use super::*;

    fn pushed(seconds: u32) -> Evidence {
        let mut evidence = Evidence::new(Transport::Rtmp);
        for at_s in 1..=seconds {
            let bytes = if at_s.is_multiple_of(10) { 0 } else { 125_000 };
            let sample = Sample { at_s, span_s: 1, bytes, video: 30, keys: 1, ..Sample::default() };
            evidence.timeline.push(sample);
        }
        evidence.lived_ms = u64::from(seconds) * 1_000 + 400;
        evidence
    }

    fn drawn(evidence: &Evidence, asked: &str) -> Timeline {
        let asked: Asked = serde_urlencoded::from_str(asked).unwrap();
        timeline(evidence, &asked, "/records/1".into(), &Frame::bare(Lang::En)).unwrap()
    }

    #[test]
    fn a_short_push_is_drawn_whole_and_of_a_long_one_the_last_minute_first() {
        let f = Frame::bare(Lang::En);
        let nothing = Evidence::new(Transport::Rtmp);
        assert!(timeline(&nothing, &Asked::default(), String::new(), &f).is_none());
        let short = drawn(&pushed(20), "");
        assert_eq!((short.from.as_str(), short.to.as_str(), short.choices.len()), ("0:00", "0:21", 0));
        let long = drawn(&pushed(200), "");
        assert_eq!((long.from.as_str(), long.to.as_str()), ("2:21", "3:21"));
        let texts: Vec<&str> = long.choices.iter().map(|choice| choice.text.as_str()).collect();
        assert_eq!(texts, ["The last minute", "The whole push"]);
        let part = drawn(&pushed(200), "from=0:30&to=40");
        assert_eq!(part.choices.iter().map(|choice| choice.chosen).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!((part.chart.samples.split(';').count(), part.numbers.len()), (10, 10));
        assert_eq!(part.chart.end, "", "its end is not in the picture");
    }

    #[test]
    fn a_push_of_two_seconds_is_a_curve_as_wide_as_the_drawing() {
        let line = &drawn(&pushed(2), "").chart.panels[0].line;
        assert!(line.starts_with("M0.0 ") && line.matches('L').count() == 2, "{line}");
    }

    #[test]
    fn values_units_and_silences_stand_where_they_belong() {
        let timeline = drawn(&pushed(20), "");
        let chart = &timeline.chart;
        assert_eq!(chart.panels[0].top, "1,000 kbit/s");
        assert_eq!(chart.panels[1].top, "30 fps");
        assert_eq!(chart.panels.len(), 3, "what never happened has no panel");
        assert_eq!(chart.silences.len(), 2);
        assert_eq!(chart.silences[0].x, "42.86%");
        assert!(chart.ticks.iter().any(|t| t.text == "0:10"));
        assert!(chart.samples.starts_with("1,1,1000,30,0;2,1,1000,30,0;"), "{}", chart.samples);
        let told = "Bitrate: 900 kbit/s on average, lowest 0, highest 1,000.";
        assert!(timeline.told.contains(told) && timeline.told.contains("2 silent"), "{}", timeline.told);
    }

    #[test]
    fn what_came_in_the_unfinished_last_second_makes_no_peak() {
        let last = Sample { at_s: 3, span_s: 1, bytes: 1_500, video: 45, ..Sample::default() };
        let evened = evened(vec![last], 3_500);
        assert_eq!((evened[0].bytes, evened[0].video), (1_000, 30));
    }
}
