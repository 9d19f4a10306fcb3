//! Median and spread of a few figures.

use std::fmt;

/// Figures of several runs.
#[derive(Debug, Default)]
pub struct Figures(Vec<f64>);

impl Figures {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn push(&mut self, figure: f64) {
        let at = self.0.partition_point(|other| other.total_cmp(&figure).is_lt());
        self.0.insert(at, figure);
    }

    /// The figure below which this share of them lies; 0 without figures.
    pub fn quantile(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1) as f64;
        self.0.get((last * share).round() as usize).copied().unwrap_or(0.0)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        let [median, min, max] = [0.5, 0.0, 1.0].map(|share| self.quantile(share));
        write!(f, "{median:.digits$} ({min:.digits$} to {max:.digits$})")
    }
}
