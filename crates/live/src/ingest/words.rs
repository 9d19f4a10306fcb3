//! What clients say, as the black box and the records keep it.

use model::mask::mask_text;

/// A text of the client's is kept to this length, characters.
const TEXT: usize = 120;

/// Client text with secrets masked, cut at a character.
pub(super) fn text(raw: &str) -> String {
    let masked = mask_text(raw);
    match masked.char_indices().nth(TEXT) {
        Some((end, _)) => format!("{}…", masked.get(..end).unwrap_or_default()),
        None => masked,
    }
}
