//! Cookies.

use axum::http::{HeaderMap, HeaderValue, header};

/// The value of the cookie `name`, if the request carries it.
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// A `Set-Cookie` value. `value` must be made of characters that cookies may have; `max_age` is in seconds, and 0
/// removes the cookie. Scripts never see it.
pub fn set(name: &str, value: &str, max_age: u64, tls: bool) -> Option<HeaderValue> {
    let secure = if tls { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cookie_is_found_among_many() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; session=abc; b=2"));
        headers.append(header::COOKIE, HeaderValue::from_static("lang=ja"));
        assert_eq!(read(&headers, "session"), Some("abc"));
        assert_eq!(read(&headers, "lang"), Some("ja"));
        assert_eq!(read(&headers, "sess"), None);
    }
}
