//! Small unsigned floats, so that a sample stays small: exact for small values, rounded to the nearest step above,
//! saturating at the top. Packing what was unpacked gives the same code again.

/// Four bits of exponent and four of mantissa: exact to 31, within 3.2 % above, to 507,904.
pub(super) mod f8 {
    const MANTISSA_BITS: u32 = 4;
    const MAX: u64 = 31 << 14;

    pub(in crate::timeline) fn pack(value: u64) -> u8 {
        u8::try_from(super::pack(value.min(MAX), MANTISSA_BITS)).unwrap_or(u8::MAX)
    }

    pub(in crate::timeline) fn unpack(code: u8) -> u32 {
        u32::try_from(super::unpack(u32::from(code), MANTISSA_BITS)).unwrap_or(u32::MAX)
    }
}

/// Five bits of exponent and eleven of mantissa: exact to 4,095, within 0.025 % above, to 4.3 * 10^12.
pub(super) mod f16 {
    const MANTISSA_BITS: u32 = 11;
    const MAX: u64 = 4095 << 30;

    pub(in crate::timeline) fn pack(value: u64) -> u16 {
        u16::try_from(super::pack(value.min(MAX), MANTISSA_BITS)).unwrap_or(u16::MAX)
    }

    pub(in crate::timeline) fn unpack(code: u16) -> u64 {
        super::unpack(u32::from(code), MANTISSA_BITS)
    }
}

/// A sign bit, four bits of exponent and eleven of mantissa: as [`f16`], to 67,092,480 either way.
pub(super) mod i16f {
    const MANTISSA_BITS: u32 = 11;
    const MAX: u64 = 4095 << 14;
    const SIGN: u16 = 0x8000;

    pub(in crate::timeline) fn pack(value: i64) -> u16 {
        let size = u16::try_from(super::pack(value.unsigned_abs().min(MAX), MANTISSA_BITS)).unwrap_or(!SIGN);
        if value < 0 { size | SIGN } else { size }
    }

    pub(in crate::timeline) fn unpack(code: u16) -> i32 {
        let size = i32::try_from(super::unpack(u32::from(code & !SIGN), MANTISSA_BITS)).unwrap_or(i32::MAX);
        if code & SIGN == 0 { size } else { -size }
    }
}

/// Exponent above, mantissa below; the leading one of the mantissa is not stored unless the exponent is 0.
fn pack(value: u64, mantissa_bits: u32) -> u32 {
    let hidden = 1u64 << mantissa_bits;
    let mut exponent = 1u64;
    let mut mantissa = value;
    if value < hidden {
        return u32::try_from(value).unwrap_or(u32::MAX);
    }
    let bits = u64::BITS - value.leading_zeros();
    let shift = bits.saturating_sub(mantissa_bits + 1);
    if shift > 0 {
        exponent += u64::from(shift);
        mantissa = (value + (1 << (shift - 1))) >> shift;
        if mantissa == hidden << 1 {
            mantissa = hidden;
            exponent += 1;
        }
    }
    u32::try_from((exponent << mantissa_bits) | (mantissa - hidden)).unwrap_or(u32::MAX)
}

fn unpack(code: u32, mantissa_bits: u32) -> u64 {
    let hidden = 1u64 << mantissa_bits;
    let mantissa = u64::from(code) & (hidden - 1);
    match code >> mantissa_bits {
        0 => mantissa,
        exponent => (hidden + mantissa) << (exponent - 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_values_are_exact_and_large_ones_saturate() {
        for value in 0..32u64 {
            assert_eq!(u64::from(f8::unpack(f8::pack(value))), value);
        }
        for value in 0..4096u64 {
            assert_eq!(f16::unpack(f16::pack(value)), value);
            assert_eq!(i64::from(i16f::unpack(i16f::pack(-(value as i64)))), -(value as i64));
        }
        assert_eq!(f8::unpack(f8::pack(u64::MAX)), 31 << 14);
        assert_eq!(f16::unpack(f16::pack(u64::MAX)), 4095 << 30);
        assert_eq!(i16f::unpack(i16f::pack(i64::MIN)), -(4095 << 14));
    }

    #[test]
    fn every_code_but_minus_zero_survives_unpacking() {
        for code in 0..=u8::MAX {
            assert_eq!(f8::pack(u64::from(f8::unpack(code))), code);
        }
        for code in 0..=u16::MAX {
            assert_eq!(f16::pack(f16::unpack(code)), code);
            if code != 0x8000 {
                assert_eq!(i16f::pack(i64::from(i16f::unpack(code))), code);
            }
        }
    }

    proptest! {
        #[test]
        fn rounding_stays_within_the_stated_precision(value in 0u64..(4095 << 30)) {
            let back = f16::unpack(f16::pack(value));
            prop_assert!(back.abs_diff(value) <= value / 4096 + 1);
            let small = value % (31 << 14);
            prop_assert!(u64::from(f8::unpack(f8::pack(small))).abs_diff(small) <= small / 31 + 1);
        }
    }
}
