//! What streams and apps may be called.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest app or stream name, in bytes.
const MAX_NAME: usize = 255;

/// Which names are legal: 1-255 bytes of letters, digits and `-_.~!*()@+=:,`, for an app with single `/` between
/// segments. `.` and `..` are no segments, since HTTP clients take them out of playback URLs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameRule {
    /// Letters and digits of any script.
    #[default]
    Utf8,
    /// ASCII letters and digits only, as in CSS.
    Ascii,
}

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// There is none.
    Empty,
    /// Longer than 255 bytes.
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A character that is not legal.
    Character {
        /// The first such character.
        found: char,
        /// Characters before it.
        position: usize,
    },
    /// A segment is `.` or `..`.
    DotSegment,
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "is missing"),
            Self::TooLong { bytes } => write!(f, "is {bytes} bytes long, {MAX_NAME} are allowed"),
            Self::Character { found, position } => {
                write!(f, "has the illegal character {found:?} at position {}", position.saturating_add(1))
            }
            Self::DotSegment => write!(f, "has a segment `.` or `..`"),
        }
    }
}

impl NameRule {
    /// Checks a stream name.
    ///
    /// # Errors
    /// The first fault.
    pub fn check_stream(self, name: &str) -> Result<(), NameFault> {
        self.check(name, false)
    }

    /// Checks an app name.
    ///
    /// # Errors
    /// The first fault.
    pub fn check_app(self, name: &str) -> Result<(), NameFault> {
        self.check(name, true)
    }

    fn check(self, name: &str, segments: bool) -> Result<(), NameFault> {
        if name.is_empty() {
            return Err(NameFault::Empty);
        }
        if name.len() > MAX_NAME {
            return Err(NameFault::TooLong { bytes: name.len() });
        }
        let legal = |c: char| self.allows(c) || (segments && c == '/');
        if let Some((position, found)) = name.chars().enumerate().find(|&(_, c)| !legal(c)) {
            return Err(NameFault::Character { found, position });
        }
        if name.split('/').any(|segment| segment == "." || segment == "..") {
            return Err(NameFault::DotSegment);
        }
        Ok(())
    }

    fn allows(self, c: char) -> bool {
        let letter_or_digit = match self {
            Self::Utf8 => c.is_alphanumeric(),
            Self::Ascii => c.is_ascii_alphanumeric(),
        };
        letter_or_digit || "-_.~!*()@+=:,".contains(c)
    }
}

/// A name as a record keeps it: `None` if empty, cut to 255 bytes.
pub(super) fn claimed(name: &str) -> Option<String> {
    let cut = name.get(..name.floor_char_boundary(MAX_NAME)).unwrap_or(name);
    (!cut.is_empty()).then(|| cut.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script_are_legal_by_default() {
        for name in ["a", "日本語", "Привет-1", "a-_.~!*()@+=:,b", &"x".repeat(255), "a..b"] {
            assert_eq!(NameRule::Utf8.check_stream(name), Ok(()), "{name}");
        }
        assert_eq!(NameRule::Utf8.check_app("live/東京/1"), Ok(()));
        assert_eq!(NameRule::Ascii.check_stream("a-_.~!*()@+=:,b9"), Ok(()));
    }

    #[test]
    fn each_fault_of_a_name_is_told() {
        let character = |found, position| NameFault::Character { found, position };
        let vectors = [
            ("", NameFault::Empty),
            (&*"語".repeat(86), NameFault::TooLong { bytes: 258 }),
            ("a b", character(' ', 1)),
            ("日本?", character('?', 2)),
            ("a/b", character('/', 1)),
            ("a%20", character('%', 1)),
            ("a\u{0}", character('\0', 1)),
            ("<script>", character('<', 0)),
            (".", NameFault::DotSegment),
            ("..", NameFault::DotSegment),
        ];
        for (name, fault) in vectors {
            assert_eq!(NameRule::Utf8.check_stream(name), Err(fault), "{name}");
        }
        assert_eq!(NameRule::Utf8.check_app("live/../x"), Err(NameFault::DotSegment));
        assert_eq!(NameRule::Ascii.check_stream("日"), Err(character('日', 0)));
    }

    #[test]
    fn a_record_keeps_at_most_255_bytes_of_a_name() {
        assert_eq!(claimed(""), None);
        assert_eq!(claimed(&"語".repeat(100)), Some("語".repeat(85)));
    }
}
