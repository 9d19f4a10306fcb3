//! What the fields of a callback may hold. Whatever start and end of a push are paired by is refused rather than cut: two
//! pushes that differ behind the cut would become one.

use super::ImportError;

/// The longest id that a server gives a push or a client, bytes.
const MAX_ID: usize = 128;
/// The longest name, bytes: as long as names of pushes may be here.
pub(super) const MAX_NAME: usize = 255;

/// An id as servers make them: visible ASCII.
///
/// # Errors
/// [`ImportError::TooLong`], [`ImportError::Character`], or [`ImportError::Field`] when it is empty.
pub fn id(field: &'static str, text: String) -> Result<String, ImportError> {
    if text.is_empty() {
        return Err(ImportError::Field(field));
    }
    checked(field, text, MAX_ID, |c| c.is_ascii_graphic())
}

/// A name that people chose, which may be empty.
///
/// # Errors
/// [`ImportError::TooLong`] or [`ImportError::Character`], for control characters.
pub fn name(field: &'static str, text: String) -> Result<String, ImportError> {
    checked(field, text, MAX_NAME, |c| !c.is_control())
}

/// A name that must be there.
///
/// # Errors
/// As [`name`], and [`ImportError::Field`] when it is empty.
pub fn required(field: &'static str, text: String) -> Result<String, ImportError> {
    if text.is_empty() {
        return Err(ImportError::Field(field));
    }
    name(field, text)
}

fn checked(
    field: &'static str,
    text: String,
    most: usize,
    legal: impl Fn(char) -> bool,
) -> Result<String, ImportError> {
    if text.len() > most {
        return Err(ImportError::TooLong { field, bytes: text.len(), most });
    }
    match text.chars().find(|c| !legal(*c)) {
        Some(character) => Err(ImportError::Character { field, character }),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names_are_taken_up_to_their_length_and_never_cut() {
        assert_eq!(id("client_id", "x".repeat(MAX_ID)).map(|text| text.len()), Ok(MAX_ID));
        let long = id("client_id", "x".repeat(MAX_ID + 1)).unwrap_err();
        assert_eq!(long.to_string(), "the field client_id has 129 bytes; at most 128 are taken");
        assert_eq!(required("stream", "朝の配信".into()), Ok("朝の配信".into()));
        assert!(matches!(name("app", "é".repeat(128)), Err(ImportError::TooLong { bytes: 256, .. })));
    }

    #[test]
    fn characters_that_no_id_or_name_has_are_named() {
        let error = name("stream", "a\nb".into()).unwrap_err();
        assert_eq!(error.to_string(), "the field stream holds '\\n', which is not taken there");
        for text in ["a b", "é", "a\0"] {
            assert!(matches!(id("sequence", text.into()), Err(ImportError::Character { .. })), "{text:?}");
        }
        assert_eq!(id("sequence", String::new()), Err(ImportError::Field("sequence")));
        assert_eq!(required("name", String::new()), Err(ImportError::Field("name")));
        assert_eq!(name("app", String::new()), Ok(String::new()));
    }
}
