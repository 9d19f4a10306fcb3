//! Curves of block characters.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// `values` as one line of at most `columns` characters, scaled to the largest. A zero is a blank, so that silence
/// shows; more values than columns are averaged.
pub fn sparkline(values: &[f64], columns: usize) -> String {
    let squeezed = squeeze(values, columns);
    let top = squeezed.iter().copied().fold(0.0, f64::max);
    squeezed
        .iter()
        .map(|value| match *value > 0.0 && top > 0.0 {
            false => ' ',
            true => {
                let step = (value / top * 8.0).ceil() as usize;
                BLOCKS.get(step.saturating_sub(1)).copied().unwrap_or('█')
            }
        })
        .collect()
}

fn squeeze(values: &[f64], columns: usize) -> Vec<f64> {
    if columns == 0 || values.len() <= columns {
        return values.to_vec();
    }
    (0..columns)
        .map(|c| {
            let from = c * values.len() / columns;
            let to = (c + 1) * values.len() / columns;
            let part = values.get(from..to).unwrap_or_default();
            part.iter().sum::<f64>() / part.len().max(1) as f64
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_blank_and_the_largest_value_a_full_block() {
        assert_eq!(sparkline(&[8.0, 4.0, 1.0, 0.0], 10), "█▄▁ ");
        assert_eq!(sparkline(&[], 10), "");
        assert_eq!(sparkline(&[0.0, 0.0], 10), "  ");
    }

    #[test]
    fn many_values_are_averaged_into_the_columns() {
        assert_eq!(sparkline(&[4.0, 4.0, 0.0, 0.0], 2), "█ ");
        assert_eq!(sparkline(&vec![1.0; 1000], 60).chars().count(), 60);
    }
}
