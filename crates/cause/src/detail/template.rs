//! The templates that details are worded by.
//!
//! A template is a sentence. `{name}` stands for a parameter, and only inside brackets: `[...]` is left out whole when
//! one of its parameters is missing, so that a detail with few parameters still reads well.

/// Fills a template; `value` gives the shown form of a parameter, if there is one.
pub(crate) fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::with_capacity(template.len().saturating_mul(2));
    for (place, piece) in template.split(['[', ']']).enumerate() {
        // Brackets come in pairs and do not nest, so every second piece stands inside a pair.
        if place % 2 == 0 {
            text.push_str(piece);
        } else if let Some(filled) = fill_all(piece, &value) {
            text.push_str(&filled);
        }
    }
    text
}

/// The piece with all its parameters; `None` if one is missing.
fn fill_all(piece: &str, value: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut text = String::new();
    for (place, part) in piece.split(['{', '}']).enumerate() {
        if place % 2 == 0 {
            text.push_str(part);
        } else {
            text.push_str(&value(part)?);
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<String> {
        match name {
            "one" => Some("1".to_owned()),
            "odd" => Some("[{one}]".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn a_parameter_takes_its_place() {
        assert_eq!(fill("It was[ {one} and {one}].", value), "It was 1 and 1.");
    }

    #[test]
    fn a_part_with_a_missing_parameter_is_left_out_whole() {
        assert_eq!(fill("It was[ {one} and {two}][, {one}].", value), "It was, 1.");
    }

    #[test]
    fn what_a_parameter_holds_is_not_read_as_a_template() {
        assert_eq!(fill("It was[ {odd}].", value), "It was [{one}].");
    }
}
