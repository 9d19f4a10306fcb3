//! Parameters of a query string or a form (`application/x-www-form-urlencoded`), read strictly: what two readers could
//! take for different things is refused.

use super::value::{Params, Value};
use crate::api::css::error::{Code, CssError};

/// Parameters of one request at most.
const MAX_PARAMS: usize = 512;

/// Reads pairs. All values are text here; what they stand for the action's table says.
///
/// # Errors
/// `InvalidParameter` for a broken escape, text that is not UTF-8, an empty or repeated name, too many parameters.
pub fn read(text: &[u8]) -> Result<Params, CssError> {
    read_pairs(text, Params::add)
}

/// As [`read`], for the query of a client that repeats a name to send a list.
///
/// # Errors
/// As there, but for repeated names.
pub fn read_with_lists(text: &[u8]) -> Result<Params, CssError> {
    read_pairs(text, Params::add_to_list)
}

fn read_pairs(
    text: &[u8],
    add: fn(&mut Params, String, Value) -> Result<(), CssError>,
) -> Result<Params, CssError> {
    let mut params = Params::default();
    for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if params.count() >= MAX_PARAMS {
            return Err(wrong(format!("There are more than {MAX_PARAMS} parameters.")));
        }
        let at = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = match at.and_then(|at| pair.split_at_checked(at)) {
            Some((name, value)) => (name, value.get(1..).unwrap_or_default()),
            None => (pair, [].as_slice()),
        };
        let (name, value) = (decode(name)?, decode(value)?);
        add(&mut params, name, Value::Text(value))?;
    }
    Ok(params)
}

/// Undoes `%XX` and `+`.
fn decode(text: &[u8]) -> Result<String, CssError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(*byte).to_digit(16));
                let value = digit().zip(digit()).map(|(high, low)| high * 16 + low);
                value
                    .and_then(|value| u8::try_from(value).ok())
                    .ok_or_else(|| wrong("A `%` is not followed by two hexadecimal digits."))?
            }
            byte => *byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| wrong("A parameter is not UTF-8."))
}

fn wrong(message: impl Into<String>) -> CssError {
    CssError::new(Code::InvalidParameter, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        text.bytes().map(|byte| format!("%{byte:02X}")).collect()
    }

    #[test]
    fn escapes_plus_signs_and_empty_values_are_read() {
        let params = read("Reason=a+b%2Bc%E9%85%8D&Empty=&Bare&&X=1=2".as_bytes()).unwrap();
        let text = |name: &str| match params.get(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        assert_eq!(text("Reason").as_deref(), Some("a b+c配"));
        assert_eq!(text("Empty").as_deref(), Some(""));
        assert_eq!(text("Bare").as_deref(), Some(""));
        assert_eq!(text("X").as_deref(), Some("1=2"));
    }

    #[test]
    fn what_two_readers_could_take_differently_is_refused() {
        for text in ["A=1&A=2", "A=%4", "A=%zz", "A=%ff", "=1", "A=1&%41=2"] {
            assert_eq!(read(text.as_bytes()).unwrap_err().code, Code::InvalidParameter, "{text}");
        }
        let many = "x&".repeat(10) + &(0..600).map(|n| format!("p{n}=&")).collect::<String>();
        assert!(read(many.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_parameters_or_an_error(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }

        #[test]
        fn what_was_escaped_reads_back(name in "[^\\x00]{1,20}", value in ".{0,40}") {
            let params = read(format!("{}={}", escaped(&name), escaped(&value)).as_bytes()).unwrap();
            prop_assert_eq!(params.get(&name), Some(&Value::Text(value)));
        }
    }
}
