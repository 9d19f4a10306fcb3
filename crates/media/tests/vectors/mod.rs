//! Message bodies as real encoders made them, header included. Above each stands the command that made it; "ffmpeg 5" is
//! 5.1.9 of Debian 12, "ffmpeg 9" is 9.0.2. `V(SIZE)` stands for
//! `-f lavfi -i testsrc2=size=320x180:rate=25 -frames:v 2 -vf scale=SIZE`, `A` for
//! `-f lavfi -i sine=frequency=440:sample_rate=48000 -t 0.2`. The output of each is an FLV file.
#![allow(dead_code)]

pub mod audio;
pub mod video;

/// The bytes of a hexadecimal string; spaces set its fields apart.
pub fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().filter(|digit| *digit != ' ').collect();
    assert!(digits.len().is_multiple_of(2) && digits.iter().all(char::is_ascii_hexdigit), "{hex}");
    let digit = |digit: char| digit.to_digit(16).unwrap_or_default() as u8;
    digits.chunks(2).map(|pair| (digit(pair[0]) << 4) | digit(pair[1])).collect()
}

/// The bytes of a string of ones and zeros; spaces set its fields apart, and zeros fill the last byte.
pub fn from_bits(bits: &str) -> Vec<u8> {
    let bits: Vec<char> = bits.chars().filter(|bit| *bit != ' ').collect();
    let byte = |bits: &[char]| (0..8).fold(0, |byte, at| (byte << 1) | u8::from(bits.get(at) == Some(&'1')));
    bits.chunks(8).map(byte).collect()
}
