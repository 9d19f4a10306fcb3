//! QR codes, drawn as one path, so that nothing is fetched and no script runs.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};

/// Quiet modules around the code, as ISO/IEC 18004 asks for.
const QUIET: i32 = 4;

/// A QR code to be drawn in SVG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Qr {
    /// Modules from edge to edge, with the quiet zone.
    pub side: i32,
    /// The dark modules as a path of unit squares, run by run.
    pub path: String,
}

impl Qr {
    /// The code of a text; `None` for one that is too long for any.
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium)
            .or_else(|_| QrCode::encode_text(text, QrCodeEcc::Low))
            .ok()?;
        let size = code.size();
        let mut path = String::new();
        for y in 0..size {
            let mut x = 0;
            while x < size {
                let begin = x;
                while x < size && code.get_module(x, y) {
                    x += 1;
                }
                if x > begin {
                    let _ = write!(path, "M{} {}h{}v1h-{}z", begin + QUIET, y + QUIET, x - begin, x - begin);
                }
                x += 1;
            }
        }
        Some(Self { side: size + 2 * QUIET, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_quiet_zone_and_its_corner() {
        let qr = Qr::of("rtmp://d.example/live/test").unwrap();
        // A finder pattern begins with seven dark modules in a row.
        assert!(qr.path.starts_with("M4 4h7v1h-7z"), "{}", qr.path);
        assert_eq!((qr.side - 8 - 17) % 4, 0, "{}", qr.side);
    }

    #[test]
    fn what_no_code_can_hold_is_none() {
        assert_eq!(Qr::of(&"é".repeat(3_000)), None);
    }
}
