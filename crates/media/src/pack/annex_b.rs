//! NAL units set apart by start codes (ITU-T H.264 and H.265, annex B).

use std::ops::Range;

use super::PackError;

/// A picture in some hundred slices is large already.
const MAX_UNITS: usize = 1024;

/// Finds the NAL units of `data`; `units` is cleared first. Zero bytes behind a unit belong to the start code after it.
pub(super) fn split(data: &[u8], units: &mut Vec<Range<usize>>) -> Result<(), PackError> {
    units.clear();
    let Some((first, mut start)) = next_start_code(data, 0) else {
        return Err(PackError::StartCode { offset: 0 });
    };
    if data.get(..first).is_some_and(|before| before.iter().any(|byte| *byte != 0)) {
        return Err(PackError::StartCode { offset: 0 });
    }
    loop {
        let next = next_start_code(data, start);
        let end = next.map_or(data.len(), |(end, _)| end);
        let unit = data.get(start..end).unwrap_or_default();
        let size = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if size > 0 {
            if units.len() == MAX_UNITS {
                return Err(PackError::TooManyUnits { limit: MAX_UNITS });
            }
            units.push(start..start + size);
        }
        match next {
            Some((_, after)) => start = after,
            None => return Ok(()),
        }
    }
}

/// The next 00 00 01 from `from` on: where it starts and where it ends.
fn next_start_code(data: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    // The third byte decides how far to step: above 1, no code can start at any of the three.
    while let Some(third) = data.get(at + 2) {
        match third {
            0 => at += 1,
            1 if data.get(at..at + 2) == Some(&[0, 0]) => return Some((at, at + 3)),
            _ => at += 3,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn units(data: &[u8]) -> Result<Vec<Vec<u8>>, PackError> {
        let mut units = Vec::new();
        split(data, &mut units)?;
        Ok(units.into_iter().map(|unit| data[unit].to_vec()).collect())
    }

    #[test]
    fn short_and_long_start_codes_part_the_units() {
        assert_eq!(units(b"\0\0\0\x01ab\0\0\x01c\0\0\0\0\x01d").unwrap(), [&b"ab"[..], b"c", b"d"]);
        assert_eq!(units(b"\0\0\x01\0\0\x01").unwrap(), [&b""[..]; 0]);
    }

    #[test]
    fn data_before_the_first_start_code_is_an_error() {
        assert_eq!(units(b"x\0\0\x01a"), Err(PackError::StartCode { offset: 0 }));
        assert_eq!(units(b"\0\0\0"), Err(PackError::StartCode { offset: 0 }));
    }

    #[test]
    fn a_flood_of_units_is_refused() {
        let flood = b"\0\0\x01a".repeat(MAX_UNITS + 1);
        assert_eq!(units(&flood), Err(PackError::TooManyUnits { limit: MAX_UNITS }));
    }

    proptest! {
        #[test]
        fn units_without_zeros_come_out_as_they_went_in(
            parts in proptest::collection::vec(proptest::collection::vec(1u8.., 1..20), 1..20),
            long in any::<bool>(),
        ) {
            let code: &[u8] = if long { &[0, 0, 0, 1] } else { &[0, 0, 1] };
            let data: Vec<u8> = parts.iter().flat_map(|part| [code, part].concat()).collect();
            prop_assert_eq!(units(&data).unwrap(), parts);
        }

        #[test]
        fn any_bytes_are_split_or_refused(data in proptest::collection::vec(0u8..3, 0..200)) {
            for unit in units(&data).unwrap_or_default() {
                prop_assert!(!unit.is_empty() && unit.windows(3).all(|w| w != [0, 0, 1]));
            }
        }
    }
}
