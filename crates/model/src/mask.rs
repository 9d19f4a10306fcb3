//! Secrets taken out of what is kept or shown. A parameter's name alone decides, generously: one value too many
//! hidden costs little, one shown costs a key.

use std::borrow::Cow;

use crate::stream_key::decode;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// A name that has one of these in it, letter case and percent-encoding aside, names a secret.
const SECRET_PARTS: [&str; 11] =
    ["secret", "token", "passw", "passphrase", "pwd", "auth", "sign", "credential", "session", "jwt", "hash"];

/// A name that ends in one of these names a secret (`streamkey` does, `keyframe` does not).
const SECRET_ENDS: [&str; 4] = ["key", "pass", "sig", "pw"];

/// Whether the value of a parameter of that name is a secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = decode(name).to_ascii_lowercase();
    SECRET_PARTS.iter().any(|part| name.contains(part)) || SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

/// A parameter's value as it may be shown: [`MASK`] for a secret, else with the secrets of URLs inside it masked.
pub fn mask_value<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if value.is_empty() {
        return Cow::Borrowed(value);
    }
    if is_secret_name(name) {
        return Cow::Borrowed(MASK);
    }
    let decoded = decode(value);
    let masked = mask_text(&decoded);
    if masked == decoded {
        Cow::Borrowed(value)
    } else if decoded == value {
        Cow::Owned(masked)
    } else {
        // A URL inside a URL, percent-encoded: where the secret ends in the encoded text is not worth finding out.
        Cow::Borrowed(MASK)
    }
}

/// A query `name=value&name=value` with the values of secrets replaced by [`MASK`]; names, order and all else stay.
pub fn mask_query(query: &str) -> String {
    let mut masked = String::with_capacity(query.len());
    for (i, pair) in query.split('&').enumerate() {
        if i > 0 {
            masked.push('&');
        }
        match pair.split_once('=') {
            Some((name, value)) => {
                masked.push_str(name);
                masked.push('=');
                masked.push_str(&mask_value(name, value));
            }
            None => masked.push_str(pair),
        }
    }
    masked
}

/// Any text (a log line, a command's argument, a URL, an SRT stream id) with the secrets in it replaced by [`MASK`]:
/// values of `name=value`, and passwords of `scheme://user:password@host`.
///
/// A value ends at `&`, white space, a quote or an angle bracket, and at `,` or `;` where another `name=` follows.
pub fn mask_text(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    // After `scheme://`, up to the end of the authority: a colon there starts a password or a port.
    let mut in_authority = false;
    while let Some(at) = rest.find(['=', ':']) {
        let (before, from_mark) = rest.split_at(at);
        let (mark, mut after) = from_mark.split_at(1);
        masked.push_str(before);
        masked.push_str(mark);
        in_authority = in_authority && !before.contains(ends_authority) && !before.contains('@');
        let secret_len = match mark {
            "=" if is_secret_name(name_at_end(before)) => value_len(after),
            ":" if in_authority => {
                in_authority = false;
                password_len(after)
            }
            _ => 0,
        };
        if secret_len > 0 {
            masked.push_str(MASK);
        } else if let (":", Some(authority)) = (mark, after.strip_prefix("//")) {
            masked.push_str("//");
            in_authority = true;
            after = authority;
        }
        rest = after.get(secret_len..).unwrap_or_default();
    }
    masked.push_str(rest);
    masked
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '%' | '[' | ']')
}

/// The parameter name that `text` ends in.
fn name_at_end(text: &str) -> &str {
    let name = text.trim_end_matches(is_name_char);
    text.get(name.len()..).unwrap_or_default()
}

fn value_len(text: &str) -> usize {
    let ends_at = |(at, c): (usize, char)| match c {
        '&' | '"' | '\'' | '<' | '>' => true,
        ',' | ';' => text.get(at + 1..).is_some_and(starts_with_name),
        _ => c.is_whitespace() || c.is_control(),
    };
    text.char_indices().find(|&at| ends_at(at)).map_or(text.len(), |(at, _)| at)
}

fn starts_with_name(text: &str) -> bool {
    let after_name = text.trim_start_matches(is_name_char);
    after_name.len() < text.len() && after_name.starts_with('=')
}

fn ends_authority(c: char) -> bool {
    matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>') || c.is_whitespace()
}

/// The length of a password before `@`; 0 if `text` starts with a port or a path instead.
fn password_len(text: &str) -> usize {
    let authority = text.split(ends_authority).next().unwrap_or_default();
    authority.rfind('@').unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secrets_are_masked_and_nothing_else() {
        let vectors = [
            ("txSecret=f85a2ab3&txTime=5C271099", "txSecret=***&txTime=5C271099"),
            ("a=1&TOKEN=x&b", "a=1&TOKEN=***&b"),
            ("user=joe&pass=a=b&wsSecret=1", "user=joe&pass=***&wsSecret=***"),
            ("tx%53ecret=f85a", "tx%53ecret=***"),
            ("stream_key=abc&keyframe=2&keyint=60", "stream_key=***&keyframe=2&keyint=60"),
            ("txSecret=&txTime", "txSecret=&txTime"),
            ("token=ab,cd;ef/gh", "token=***"),
            ("back=rtmp://h/live/s?txSecret=f85a", "back=rtmp://h/live/s?txSecret=***"),
            ("back=rtmp%3A%2F%2Fh%2Fs%3FtxSecret%3Df85a&x=1", "back=***&x=1"),
            ("", ""),
        ];
        for (query, masked) in vectors {
            assert_eq!(mask_query(query), masked);
        }
    }

    #[test]
    fn secrets_are_found_in_any_text() {
        let vectors = [
            (
                "publish rtmp://h:1935/live/s?txSecret=f85a&txTime=5C27 live",
                "publish rtmp://h:1935/live/s?txSecret=***&txTime=5C27 live",
            ),
            (
                "#!::h=d.example,r=live/s,txSecret=f85a,txTime=5C27",
                "#!::h=d.example,r=live/s,txSecret=***,txTime=5C27",
            ),
            ("password=\"no\"", "password=\"no\""),
            ("name 's?token=abc' refused", "name 's?token=***' refused"),
            ("rtmp://joe:pa:ss@h:1935/live", "rtmp://joe:***@h:1935/live"),
            ("rtmp://joe=1:pass@h/live", "rtmp://joe=1:***@h/live"),
            ("rtmp://h:1935/live/a@b", "rtmp://h:1935/live/a@b"),
            ("rtmp://[2001:db8::1]:1935/live", "rtmp://[2001:db8::1]:1935/live"),
            ("at 12:30 = noon", "at 12:30 = noon"),
        ];
        for (text, masked) in vectors {
            assert_eq!(mask_text(text), masked);
        }
    }

    #[test]
    fn masking_a_long_hostile_text_takes_linear_time() {
        for text in ["token=,".repeat(200_000), "://a:b".repeat(200_000), "token=a,b".repeat(200_000)] {
            assert!(mask_text(&text).len() <= text.len() * 2);
        }
    }
}
