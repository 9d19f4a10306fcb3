//! The query parameters of a push URL.

use std::borrow::Cow;
use std::fmt;

use crate::mask;

/// More parameters than any push URL has; the rest is left unread.
const MAX_PARAMS: usize = 128;

/// Query parameters in order, percent-decoded (RFC 3986, section 2.1; `+` stays `+`, since tokens in Base64 come
/// unescaped from encoders' input fields). `Debug` masks secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `name=value&name=value`; a name without `=` has an empty value.
    pub fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).take(MAX_PARAMS);
        Self(pairs.map(|pair| split_pair(pair, decode)).collect())
    }

    /// Takes pairs that need no decoding.
    pub(super) fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        Self(pairs.take(MAX_PARAMS).map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// The value of the first parameter of that name; letter case counts.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, mask::mask_value(name, value)))).finish()
    }
}

fn split_pair(pair: &str, read: impl Fn(&str) -> Cow<'_, str>) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (read(name).into_owned(), read(value).into_owned())
}

/// Percent-decodes `text`; text that would not be UTF-8 afterwards stays as it is.
pub fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        match (first, tail) {
            (b'%', [high, low, after @ ..]) => match (nibble(*high), nibble(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                }
                _ => {
                    bytes.push(first);
                    rest = tail;
                }
            },
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_parameter_of_a_name_wins() {
        let params = Params::parse("a=1&&b&a=2&=x&c=d=e");
        assert_eq!(params.get("a"), Some("1"));
        assert_eq!(params.get("b"), Some(""));
        assert_eq!(params.get("c"), Some("d=e"));
        assert_eq!(params.get("A"), None);
        assert_eq!(params.iter().count(), 5);
    }

    #[test]
    fn percent_signs_decode_only_where_they_are_well_formed() {
        for (text, decoded) in [
            ("a%20b", "a b"),
            ("%E6%97%A5", "日"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%ff", "%ff"),
            ("a+b", "a+b"),
        ] {
            assert_eq!(decode(text), decoded);
        }
    }

    #[test]
    fn a_flood_of_parameters_is_cut() {
        assert_eq!(Params::parse(&"a=1&".repeat(100_000)).iter().count(), MAX_PARAMS);
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let text = format!("{:?}", Params::parse("txSecret=f85a2ab3&txTime=5C271099"));
        assert!(!text.contains("f85a2ab3") && text.contains("5C271099"), "{text}");
    }
}
