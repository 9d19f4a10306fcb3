//! One drawing: panels, ticks, bands and flags over one stretch of time.

use cause::Evidence;
use cause::timeline::Sample;

use super::stretch::{Stretch, clock};
use super::{AXIS, Band, Chart, LABEL, Mark, PANEL, Panel, WIDTH, kbps, rate};
use crate::console::frame::Frame;
use crate::console::show::grouped;

/// What is drawn of a push.
pub(super) struct Drawing<'a> {
    pub samples: &'a [Sample],
    pub evidence: &'a Evidence,
    pub stretch: Stretch,
    pub f: &'a Frame,
}

impl Drawing<'_> {
    pub fn draw(&self, title: String) -> Chart {
        let mut panels = Vec::new();
        let mut values: Vec<fn(&Sample) -> f64> = Vec::new();
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
            values.push(quantity.value);
            panels.push(Panel {
                name: self.f.t(quantity.name),
                top: with_unit(grouped(top.round() as u64), quantity.unit),
                unit: quantity.unit,
                label_at,
                at: label_at + LABEL - 16,
                line,
                area,
                has_keys: quantity.keys,
            });
        }
        let height = u32::try_from(panels.len()).unwrap_or(0) * (PANEL + LABEL) + AXIS;
        Chart {
            title,
            height,
            ticks: self.ticks(),
            keys: self.keys(),
            silences: self.silences(),
            flags: self.flags(),
            end: self.end(),
            axis_at: height - 8,
            samples: self.numbers(&values),
            from: self.stretch.from,
            to: self.stretch.to,
            panels,
        }
    }

    /// The samples of the stretch that is drawn, those too that reach out of it.
    pub(super) fn seen(&self) -> impl Iterator<Item = &Sample> {
        let Stretch { from, to } = self.stretch;
        self.samples.iter().filter(move |s| s.at_s > from && begin(s) < to)
    }

    fn share(&self, second: f64) -> f64 {
        let span = f64::from(self.stretch.length().max(1));
        ((second - f64::from(self.stretch.from)) / span).clamp(0.0, 1.0)
    }

    fn percent(&self, second: f64) -> String {
        format!("{:.2}%", self.share(second) * 100.0)
    }

    fn x(&self, second: u32) -> f64 {
        self.share(f64::from(second)) * WIDTH
    }

    fn first_x(&self) -> f64 {
        self.seen().next().map_or(0.0, |s| self.x(begin(s)))
    }

    fn last_x(&self) -> f64 {
        self.seen().last().map_or(0.0, |s| self.x(s.at_s))
    }

    /// A sample stands at the end of its span. The first one is drawn from the beginning of its own, so that a push of few
    /// seconds is a curve too.
    fn curve(&self, value: fn(&Sample) -> f64, top: f64) -> String {
        let top = if top > 0.0 { top } else { 1.0 };
        let mut path = String::new();
        for sample in self.seen() {
            let y = 96.0 - (value(sample).max(0.0) / top) * 92.0;
            if path.is_empty() {
                path.push_str(&format!("M{:.1} {y:.1}", self.x(begin(sample))));
            }
            path.push_str(&format!("L{:.1} {y:.1}", self.x(sample.at_s)));
        }
        path
    }

    /// Places of key frames.
    fn keys(&self) -> Vec<String> {
        let with_keys = self.seen().filter(|s| s.keys > 0 && s.at_s <= self.stretch.to);
        with_keys.map(|s| self.percent(f64::from(s.at_s))).collect()
    }

    /// Where the push ended; empty where that is not in the stretch.
    fn end(&self) -> String {
        let ended = self.evidence.lived_ms as f64 / 1_000.0;
        if ended <= f64::from(self.stretch.to) { self.percent(ended) } else { String::new() }
    }

    /// The samples for the script: end of the span, its length, and a value for each panel.
    fn numbers(&self, values: &[fn(&Sample) -> f64]) -> String {
        let row = |sample: &Sample| {
            let mut row = format!("{},{}", sample.at_s, sample.span_s.max(1));
            for value in values {
                row.push_str(&format!(",{:.0}", value(sample)));
            }
            row
        };
        self.seen().map(row).collect::<Vec<_>>().join(";")
    }

    fn ticks(&self) -> Vec<Mark> {
        let Stretch { from, to } = self.stretch;
        let span = self.stretch.length().max(1);
        let step = STEPS.into_iter().find(|step| span / step <= 6).unwrap_or(span);
        let first = from.div_ceil(step).saturating_mul(step);
        let seconds = (first..=to).step_by(usize::try_from(step).unwrap_or(usize::MAX));
        let tick = |second: u32| {
            let share = self.share(f64::from(second));
            let anchor = match share {
                s if s < 0.03 => "start",
                s if s > 0.97 => "end",
                _ => "middle",
            };
            Mark { x: self.percent(f64::from(second)), at: clock(second), text: clock(second), anchor }
        };
        seconds.map(tick).collect()
    }

    /// Spans without a byte, seconds.
    pub(super) fn silent(&self) -> Vec<(u32, u32)> {
        let mut bands: Vec<(u32, u32)> = Vec::new();
        for sample in self.seen().filter(|s| s.bytes == 0) {
            let from = begin(sample).max(self.stretch.from);
            match bands.last_mut() {
                Some((_, to)) if *to == from => *to = sample.at_s,
                _ => bands.push((from, sample.at_s)),
            }
        }
        bands
    }

    fn silences(&self) -> Vec<Band> {
        let width = |from: u32, to: u32| self.share(f64::from(to)) - self.share(f64::from(from));
        let band = |(from, to): (u32, u32)| Band {
            x: self.percent(f64::from(from)),
            width: format!("{:.2}%", width(from, to) * 100.0),
        };
        self.silent().into_iter().map(band).collect()
    }

    pub(super) fn flags(&self) -> Vec<Mark> {
        let mut flags: Vec<Mark> = Vec::new();
        for event in &self.evidence.events {
            let text = format!("{} ×{}", event.name(self.f.lang), event.count);
            for ms in [event.first_ms, event.last_ms] {
                let second = ms / 1_000;
                if second < self.stretch.from || second > self.stretch.to {
                    continue;
                }
                let x = self.percent(f64::from(ms) / 1_000.0);
                if !flags.iter().any(|flag| flag.x == x && flag.text == text) {
                    flags.push(Mark { x, at: clock(second), text: text.clone(), anchor: "middle" });
                }
            }
        }
        flags
    }
}

/// The beginning of a sample's span.
fn begin(sample: &Sample) -> u32 {
    sample.at_s.saturating_sub(sample.span_s.max(1))
}

fn with_unit(number: String, unit: &str) -> String {
    if unit.is_empty() { number } else { format!("{number} {unit}") }
}

/// Steps of the time axis that people can read, seconds.
const STEPS: [u32; 16] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400, 604_800];

/// What has a panel of its own.
pub(super) struct Quantity {
    pub name: &'static str,
    pub unit: &'static str,
    pub value: fn(&Sample) -> f64,
    /// Shown also where it never rose above nothing.
    pub always: bool,
    keys: bool,
}

pub(super) const QUANTITIES: [Quantity; 5] = [
    Quantity { name: "chart-bitrate", unit: "kbit/s", value: kbps, always: true, keys: false },
    Quantity { name: "chart-fps", unit: "fps", value: |s| rate(s.video, s), always: true, keys: true },
    Quantity {
        name: "chart-lag",
        unit: "ms",
        value: |s| f64::from(s.lag_ms.max(0)),
        always: true,
        keys: false,
    },
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
