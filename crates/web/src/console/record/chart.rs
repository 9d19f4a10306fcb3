//! The timeline of a push as curves: one time axis, a panel a quantity, drawn here so that it is there without script.

use cause::{Evidence, timeline::Sample};

use crate::console::frame::Frame;
use crate::console::show::grouped;

/// Height of a panel and of the label above it, pixels.
const PANEL: u32 = 64;
const LABEL: u32 = 26;
/// Height of the axis below the panels.
const AXIS: u32 = 24;
/// The width that curves are drawn in; the browser stretches them.
const WIDTH: f64 = 1000.0;
/// The close look at the end, seconds.
const MINUTE: u32 = 60;

/// One drawing over one span of time.
pub(in crate::console) struct Chart {
    /// `minute` or `all`: where the page's switch finds it.
    pub id: &'static str,
    /// Its name on the switch, and for those who cannot see it.
    pub title: String,
    pub height: u32,
    pub panels: Vec<Panel>,
    pub ticks: Vec<Mark>,
    /// Places of key frames, per cent of the width.
    pub keys: Vec<String>,
    /// Seconds without a byte.
    pub silences: Vec<Band>,
    pub flags: Vec<Mark>,
    /// Where the push went live and where it ended.
    pub end: String,
    pub axis_at: u32,
}

/// One quantity.
pub(in crate::console) struct Panel {
    pub name: String,
    /// The largest value with its unit.
    pub top: String,
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

/// The drawings that a push deserves: its last minute, and the whole where that is longer. None without samples.
pub(in crate::console) fn charts(evidence: &Evidence, f: &Frame) -> Vec<Chart> {
    let samples = evened(evidence.timeline.all().collect(), evidence.lived_ms);
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Vec::new() };
    let begin = first.at_s.saturating_sub(first.span_s);
    // The last second is as a rule not whole, and has no sample of its own.
    let lived = u32::try_from(evidence.lived_ms.div_ceil(1_000)).unwrap_or(u32::MAX);
    let end = last.at_s.max(lived).max(begin + 1);
    let draw = |id, from: u32, title: String| {
        Drawing { samples: &samples, evidence, from, to: end, f }.draw(id, title)
    };
    let mut charts = Vec::new();
    if end - begin > MINUTE + MINUTE / 4 {
        charts.push(draw("minute", end - MINUTE, f.t("chart-minute")));
    }
    charts.push(draw("all", begin, f.t("chart-all")));
    charts
}

/// The same as numbers, newest first; the fine part alone, where the reader looks.
pub(super) fn numbers(evidence: &Evidence) -> Vec<Numbers> {
    let ms = |us: u32| if us == 0 { String::new() } else { format!("{:.1}", f64::from(us) / 1_000.0) };
    let row = |s: Sample| Numbers {
        at: s.at_s.to_string(),
        cells: vec![
            grouped(kbps(&s) as u64),
            format!("{:.0}", rate(s.video, &s)),
            s.keys.to_string(),
            format!("{:.0}", rate(s.audio, &s)),
            s.lag_ms.to_string(),
            ms(s.rcv_rtt_us),
            s.rtt_us.map(ms).unwrap_or_default(),
            (s.ooo + s.retrans).to_string(),
        ],
    };
    let samples = evened(evidence.timeline.seconds().collect(), evidence.lived_ms);
    samples.into_iter().rev().take(MINUTE as usize).map(row).collect()
}

/// The bitrate of the last minute, kbit/s a second, oldest first.
pub(in crate::console) fn last_minute(evidence: &Evidence) -> Vec<f64> {
    let samples = evened(evidence.timeline.seconds().collect(), evidence.lived_ms);
    let last = samples.len().saturating_sub(MINUTE as usize);
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

struct Drawing<'a> {
    samples: &'a [Sample],
    evidence: &'a Evidence,
    from: u32,
    to: u32,
    f: &'a Frame,
}

impl Drawing<'_> {
    fn draw(&self, id: &'static str, title: String) -> Chart {
        let mut panels = Vec::new();
        for quantity in QUANTITIES {
            let top = self.seen().map(|s| (quantity.value)(s)).fold(0.0, f64::max);
            if top <= 0.0 && !quantity.always {
                continue;
            }
            let label_at = u32::try_from(panels.len()).unwrap_or(0) * (PANEL + LABEL) + 16;
            let line = self.curve(quantity.value, top);
            let area = match line.strip_prefix('M') {
                None => String::new(),
                Some(rest) => format!("M{:.1} 100 L{rest} L{:.1} 100 Z", self.first_x(), self.last_x()),
            };
            panels.push(Panel {
                name: self.f.t(quantity.name),
                top: format!("{} {}", grouped(top.round() as u64), quantity.unit),
                label_at,
                at: label_at + LABEL - 16,
                line,
                area,
                has_keys: quantity.keys,
            });
        }
        let height = u32::try_from(panels.len()).unwrap_or(0) * (PANEL + LABEL) + AXIS;
        Chart {
            id,
            title,
            height,
            ticks: self.ticks(),
            keys: self.seen().filter(|s| s.keys > 0).map(|s| self.percent(f64::from(s.at_s))).collect(),
            silences: self.silences(),
            flags: self.flags(),
            end: self.percent(self.evidence.lived_ms as f64 / 1_000.0),
            axis_at: height - 8,
            panels,
        }
    }

    /// The samples of the span that is drawn.
    fn seen(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(|s| s.at_s > self.from && s.at_s <= self.to)
    }

    fn share(&self, second: f64) -> f64 {
        let span = f64::from(self.to.saturating_sub(self.from).max(1));
        ((second - f64::from(self.from)) / span).clamp(0.0, 1.0)
    }

    fn percent(&self, second: f64) -> String {
        format!("{:.2}%", self.share(second) * 100.0)
    }

    fn first_x(&self) -> f64 {
        self.seen().next().map_or(0.0, |s| self.share(f64::from(s.at_s)) * WIDTH)
    }

    fn last_x(&self) -> f64 {
        self.seen().last().map_or(0.0, |s| self.share(f64::from(s.at_s)) * WIDTH)
    }

    fn curve(&self, value: fn(&Sample) -> f64, top: f64) -> String {
        let top = if top > 0.0 { top } else { 1.0 };
        let mut path = String::new();
        for sample in self.seen() {
            let command = if path.is_empty() { 'M' } else { 'L' };
            let x = self.share(f64::from(sample.at_s)) * WIDTH;
            let y = 96.0 - (value(sample).max(0.0) / top) * 92.0;
            path.push_str(&format!("{command}{x:.1} {y:.1}"));
        }
        path
    }

    fn ticks(&self) -> Vec<Mark> {
        let span = self.to.saturating_sub(self.from).max(1);
        let step = STEPS.into_iter().find(|step| span / step <= 6).unwrap_or(span);
        let mut second = self.from.div_ceil(step) * step;
        let mut ticks = Vec::new();
        while second <= self.to {
            let share = self.share(f64::from(second));
            let anchor = match share {
                s if s < 0.03 => "start",
                s if s > 0.97 => "end",
                _ => "middle",
            };
            ticks.push(Mark { x: self.percent(f64::from(second)), text: clock(second), anchor });
            second += step;
        }
        ticks
    }

    fn silences(&self) -> Vec<Band> {
        let mut bands: Vec<(u32, u32)> = Vec::new();
        for sample in self.seen().filter(|s| s.bytes == 0) {
            let from = sample.at_s.saturating_sub(sample.span_s).max(self.from);
            match bands.last_mut() {
                Some((_, to)) if *to == from => *to = sample.at_s,
                _ => bands.push((from, sample.at_s)),
            }
        }
        let width = |from: u32, to: u32| self.share(f64::from(to)) - self.share(f64::from(from));
        bands
            .into_iter()
            .map(|(from, to)| Band {
                x: self.percent(f64::from(from)),
                width: format!("{:.2}%", width(from, to) * 100.0),
            })
            .collect()
    }

    fn flags(&self) -> Vec<Mark> {
        let mut flags = Vec::new();
        for event in &self.evidence.events {
            let text = format!("{} ×{}", event.name(self.f.lang), event.count);
            for at in [event.first_ms, event.last_ms] {
                let second = at / 1_000;
                if second >= self.from && second <= self.to {
                    let x = self.percent(f64::from(at) / 1_000.0);
                    if !flags.iter().any(|f: &Mark| f.x == x && f.text == text) {
                        flags.push(Mark { x, text: text.clone(), anchor: "middle" });
                    }
                }
            }
        }
        flags
    }
}

/// Steps of the time axis that people can read, seconds.
const STEPS: [u32; 16] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400, 604_800];

struct Quantity {
    name: &'static str,
    unit: &'static str,
    value: fn(&Sample) -> f64,
    /// Shown also where it never rose above nothing.
    always: bool,
    keys: bool,
}

const QUANTITIES: [Quantity; 5] = [
    Quantity { name: "chart-bitrate", unit: "kbit/s", value: kbps, always: true, keys: false },
    Quantity { name: "chart-fps", unit: "fps", value: |s| rate(s.video, s), always: true, keys: true },
    Quantity { name: "chart-lag", unit: "ms", value: |s| f64::from(s.lag_ms), always: true, keys: false },
    Quantity {
        name: "chart-rtt",
        unit: "ms",
        value: |s| f64::from(s.rcv_rtt_us.max(s.rtt_us.unwrap_or(0))) / 1_000.0,
        always: false,
        keys: false,
    },
    Quantity {
        name: "chart-repairs",
        unit: "",
        value: |s| f64::from(s.ooo) + f64::from(s.retrans),
        always: false,
        keys: false,
    },
];

/// `0:05`, `12:00`, `1:00:00` after connecting.
fn clock(second: u32) -> String {
    let (h, m, s) = (second / 3_600, second % 3_600 / 60, second % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
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

    #[test]
    fn a_short_push_is_drawn_once_and_a_long_one_twice() {
        let f = Frame::bare(Lang::En);
        assert!(charts(&Evidence::new(Transport::Rtmp), &f).is_empty());
        let ids = |seconds| charts(&pushed(seconds), &f).iter().map(|c| c.id).collect::<Vec<_>>();
        assert_eq!(ids(20), ["all"]);
        assert_eq!(ids(200), ["minute", "all"]);
    }

    #[test]
    fn values_units_and_silences_stand_where_they_belong() {
        let charts = charts(&pushed(20), &Frame::bare(Lang::En));
        let chart = &charts[0];
        assert_eq!(chart.panels[0].top, "1,000 kbit/s");
        assert_eq!(chart.panels[1].top, "30 fps");
        assert_eq!(chart.panels.len(), 3, "what never happened has no panel");
        assert_eq!(chart.silences.len(), 2);
        assert_eq!(chart.silences[0].x, "42.86%");
        assert!(chart.ticks.iter().any(|t| t.text == "0:10"));
    }

    #[test]
    fn what_came_in_the_unfinished_last_second_makes_no_peak() {
        let last = Sample { at_s: 3, span_s: 1, bytes: 1_500, video: 45, ..Sample::default() };
        let evened = evened(vec![last], 3_500);
        assert_eq!((evened[0].bytes, evened[0].video), (1_000, 30));
    }

    #[test]
    fn hours_are_said_as_hours() {
        assert_eq!((clock(65), clock(3_600)), ("1:05".to_owned(), "1:00:00".to_owned()));
    }
}
