//! A distribution of times in bounded memory.

/// Each doubling is cut into this many steps, so a percentile is off by 1/64 at most.
const STEPS: u64 = 64;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Enough for 2^36 microseconds, nineteen hours.
const PLACES: usize = ((36 - STEP_BITS as usize) + 1) * STEPS as usize;

/// Times in microseconds, counted by size.
#[derive(Clone, Debug)]
pub(super) struct Delays {
    counts: Vec<u64>,
    count: u64,
    max_us: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self { counts: vec![0; PLACES], count: 0, max_us: 0 }
    }
}

impl Delays {
    pub(super) fn add(&mut self, us: u64) {
        if let Some(count) = self.counts.get_mut(place(us).min(PLACES - 1)) {
            *count += 1;
        }
        self.count += 1;
        self.max_us = self.max_us.max(us);
    }

    /// The time that `share` of all stay below, milliseconds; `None` when there are none.
    pub(super) fn quantile_ms(&self, share: f64) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let wanted = self.count as f64 * share;
        let mut seen = 0;
        let place = self.counts.iter().position(|count| {
            seen += count;
            #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
            let reached = seen as f64 >= wanted;
            seen > 0 && reached
        })?;
        Some(in_ms(end_of(place).min(self.max_us)))
    }

    pub(super) fn max_ms(&self) -> Option<f64> {
        (self.count > 0).then(|| in_ms(self.max_us))
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

/// Values below [`STEPS`] have a place each; above, the highest bits decide.
fn place(us: u64) -> usize {
    let shift = (u64::BITS - us.leading_zeros()).saturating_sub(STEP_BITS + 1);
    usize::try_from(u64::from(shift) * STEPS + (us >> shift)).unwrap_or(PLACES)
}

/// The largest value of a place.
fn end_of(place: usize) -> u64 {
    let place = place as u64;
    let shift = (place / STEPS).saturating_sub(1);
    ((place - shift * STEPS + 1) << shift) - 1
}

#[expect(clippy::cast_precision_loss, reason = "times stay far below 2^52 microseconds")]
fn in_ms(us: u64) -> f64 {
    (us as f64 / 10.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_in_its_place_and_places_rise() {
        let mut before = 0;
        for us in (0..100_000_u64).chain([1 << 30, (1 << 36) - 1]) {
            let here = place(us);
            assert!(here >= before && here < PLACES, "{us} us");
            let end = end_of(here);
            assert!(end >= us && end - us <= us / 64, "{us} us ends at {end}");
            before = here;
        }
    }

    #[test]
    fn quantiles_are_those_of_the_values() {
        let mut delays = Delays::default();
        assert_eq!(delays.quantile_ms(0.5), None);
        (1..=1000).for_each(|ms| delays.add(ms * 1000));
        let near = |share: f64, ms: f64| (delays.quantile_ms(share).unwrap() / ms - 1.0).abs() < 0.02;
        assert!(near(0.5, 500.0) && near(0.9, 900.0) && near(0.99, 990.0));
        assert_eq!((delays.max_ms(), delays.count()), (Some(1000.0), 1000));
    }
}
