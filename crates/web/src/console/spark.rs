//! Curves of a minute, small enough for a row of a table.

/// The height that curves are drawn in.
const HEIGHT: f64 = 100.0;
/// The longest curve, steps.
const SLOTS: usize = 60;

/// A curve with its words.
pub struct Spark {
    /// The width that it is drawn in: as wide as it is long, so that a short one is a curve too.
    pub width: usize,
    /// The curve, open along the bottom. It begins and ends outside of the picture, so that its sides are not seen.
    pub path: String,
    /// What it shows, for those who cannot see it.
    pub text: String,
}

impl Spark {
    /// The curve of values, oldest first; `None` for fewer than two. Values are drawn in relation to the largest of them.
    pub fn of(values: &[f64], text: String) -> Option<Self> {
        let values = values.get(values.len().saturating_sub(SLOTS)..).unwrap_or_default();
        if values.len() < 2 {
            return None;
        }
        let top = values.iter().copied().fold(0.0, f64::max).max(1.0);
        let height = |value: &f64| (HEIGHT - 2.0 - value.max(0.0) / top * (HEIGHT - 8.0)).round();
        // Steps rather than places: a page has fifty of these.
        let mut path = String::new();
        let mut before = 0.0;
        for (index, y) in values.iter().map(height).enumerate() {
            match index {
                0 => path.push_str(&format!("M-1 {HEIGHT}V{y:.0}H0l")),
                _ if y < before => path.push_str(&format!("1-{:.0} ", before - y)),
                _ => path.push_str(&format!("1 {:.0} ", y - before)),
            }
            before = y;
        }
        path.push_str(&format!("h1V{HEIGHT}"));
        Some(Self { width: values.len() - 1, path, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_as_wide_as_its_row_however_short_and_its_largest_value_is_on_top() {
        let spark = Spark::of(&[50.0, 100.0, 0.0], "text".into()).unwrap();
        assert_eq!((spark.width, spark.path.as_str()), (2, "M-1 100V52H0l1-46 1 92 h1V100"));
        assert!(Spark::of(&[1.0], String::new()).is_none());
    }

    #[test]
    fn only_the_last_minute_is_drawn_and_it_is_short() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let spark = Spark::of(&values, String::new()).unwrap();
        assert_eq!(spark.width, 59);
        assert!(spark.path.len() < 400, "{}", spark.path.len());
    }
}
