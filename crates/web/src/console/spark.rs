//! Curves of a minute, small enough for a row of a table.

/// The height that curves are drawn in.
const HEIGHT: f64 = 100.0;
/// Steps that a curve has room for; one that has fewer stands at the right, where now is.
const SLOTS: usize = 60;

/// A curve with its words.
pub struct Spark {
    /// The curve, closed along the bottom, in 60 by 100.
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
        let first = SLOTS - values.len();
        let mut path = format!("M{first} {HEIGHT}");
        for (index, value) in values.iter().enumerate() {
            let y = HEIGHT - (value.max(0.0) / top * (HEIGHT - 4.0));
            path.push_str(&format!("L{} {y:.0}", first + index));
        }
        path.push_str(&format!("L{} {HEIGHT}Z", SLOTS - 1));
        Some(Self { path, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_ends_at_the_right_and_touches_the_top_with_its_largest_value() {
        let spark = Spark::of(&[0.0, 50.0, 100.0], "text".into()).unwrap();
        assert_eq!(spark.path, "M57 100L57 100L58 52L59 4L59 100Z");
        assert!(Spark::of(&[1.0], String::new()).is_none());
    }

    #[test]
    fn only_the_last_minute_is_drawn() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let spark = Spark::of(&values, String::new()).unwrap();
        assert!(spark.path.starts_with("M0 100L0 "), "{}", spark.path);
        assert_eq!(spark.path.matches('L').count(), 61);
    }
}
