//! A drawing in words, for those who cannot see it.

use cause::timeline::Sample;

use super::Drawing;
use super::drawing::QUANTITIES;
use crate::console::show::{duration, grouped};

impl Drawing<'_> {
    /// What the drawing shows: each quantity's mean, lowest and highest, what was silent, what happened.
    pub(super) fn told(&self) -> String {
        let words = self.f.words();
        let mut sentences = vec![words.with("chart-told-span", &[("span", self.stretch.text())])];
        for quantity in QUANTITIES {
            let values = || self.seen().map(|sample| (quantity.value)(sample));
            let highest = values().fold(0.0, f64::max);
            if highest <= 0.0 && !quantity.always {
                continue;
            }
            let said = |value: f64| grouped(value.round() as u64);
            sentences.push(words.with(
                "chart-told-quantity",
                &[
                    ("name", self.f.t(quantity.name)),
                    ("mean", said(mean(self.seen(), quantity.value))),
                    ("lowest", said(values().fold(highest, f64::min))),
                    ("highest", said(highest)),
                    ("unit", quantity.unit.to_owned()),
                ],
            ));
        }
        let silent: Vec<u32> = self.silent().into_iter().map(|(from, to)| to.saturating_sub(from)).collect();
        if let Some(longest) = silent.iter().max() {
            let values = [
                ("count", silent.len().to_string()),
                ("longest", duration(words, u64::from(*longest) * 1_000)),
            ];
            sentences.push(words.with("chart-told-silences", &values));
        }
        sentences.extend(self.flags().into_iter().map(|flag| format!("{} {}.", flag.at, flag.text)));
        sentences.join(" ")
    }
}

/// The mean over time.
fn mean<'a>(samples: impl Iterator<Item = &'a Sample>, value: fn(&Sample) -> f64) -> f64 {
    let (mut sum, mut seconds) = (0.0, 0.0);
    for sample in samples {
        let span = f64::from(sample.span_s.max(1));
        sum += value(sample) * span;
        seconds += span;
    }
    if seconds > 0.0 { sum / seconds } else { 0.0 }
}
