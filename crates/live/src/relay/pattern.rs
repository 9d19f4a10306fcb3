//! Names with `*` in them, as rules write them.

use std::fmt;

/// A text in which `*` stands for any run of characters, none included. Everything else stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern that everything fits.
    pub fn any() -> Self {
        Self("*".to_owned())
    }

    /// A pattern of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether the whole of `name` fits.
    pub fn fits(&self, name: &str) -> bool {
        let Some((head, rest)) = self.0.split_once('*') else { return self.0 == name };
        let Some(mut left) = name.strip_prefix(head) else { return false };
        // What stands between stars may be taken at its first place: a later one leaves no more to fit the rest.
        let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
        for part in middle.split('*') {
            let Some((_, after)) = left.split_once(part) else { return false };
            left = after;
        }
        left.ends_with(tail)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "live"),
            ("news-*", "news-"),
            ("news-*", "news-1"),
            ("*-hd", "cam-hd"),
            ("a*b*c", "a1b2b3c"),
            ("**", "x"),
            ("日*語", "日本語"),
        ] {
            assert!(Pattern::new(pattern).fits(name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("live", "live2"),
            ("news-*", "new"),
            ("a*a", "a"),
            ("*-hd", "cam-hd2"),
            ("a*b*c", "acb"),
            ("", "x"),
        ] {
            assert!(!Pattern::new(pattern).fits(name), "{pattern} {name}");
        }
    }

    /// The plain definition, slow and certain.
    fn by_trying(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|skip| by_trying(rest, &name[skip..])),
            Some((first, rest)) => name.first() == Some(first) && by_trying(rest, &name[1..]),
        }
    }

    proptest! {
        #[test]
        fn fits_is_what_trying_every_way_finds(pattern in "[ab*]{0,7}", name in "[ab]{0,8}") {
            let (p, n): (Vec<_>, Vec<_>) = (pattern.chars().collect(), name.chars().collect());
            prop_assert_eq!(Pattern::new(pattern).fits(&name), by_trying(&p, &n));
        }
    }
}
