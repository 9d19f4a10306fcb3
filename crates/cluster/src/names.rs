//! How things are called in NATS, whose names take few characters.

use model::StreamKey;

/// The names of one cluster's buckets and subjects.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    name: String,
}

impl Names {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// One key a node: its heartbeat.
    pub fn nodes(&self) -> String {
        format!("{}_nodes", self.name)
    }

    /// One key a live stream key: its lease.
    pub fn leases(&self) -> String {
        format!("{}_leases", self.name)
    }

    /// One key a push that is live or waits, under its node.
    pub fn pushes(&self) -> String {
        format!("{}_pushes", self.name)
    }

    /// One key a thing of the catalog.
    pub fn catalog(&self) -> String {
        format!("{}_catalog", self.name)
    }

    /// What the nodes alone know.
    pub fn secrets(&self) -> String {
        format!("{}_secrets", self.name)
    }

    /// Where a node listens for commands.
    pub fn commands(&self, node: &str) -> String {
        format!("{}.node.{node}", self.name)
    }
}

/// The name of a stream key: its three parts with dots between, and every other byte than letters, digits, `-` and `_` as
/// `=` and two hexadecimal digits.
pub(crate) fn of_key(key: &StreamKey) -> String {
    [&key.domain, &key.app, &key.stream].map(|part| escaped(part)).join(".")
}

/// The stream key of a name; `None` for what [`of_key`] never gives.
pub(crate) fn key_of(name: &str) -> Option<StreamKey> {
    let mut parts = name.split('.').map(unescaped);
    let (domain, app, stream) = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(StreamKey { domain, app, stream })
}

pub(crate) fn escaped(text: &str) -> String {
    // An empty token is none; `=` alone stands for it.
    if text.is_empty() {
        return "=".to_owned();
    }
    let mut name = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            _ => name.push_str(&format!("={byte:02X}")),
        }
    }
    name
}

pub(crate) fn unescaped(name: &str) -> Option<String> {
    if name == "=" {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'=' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_stream_key_has_a_name_that_people_can_read() {
        let key = StreamKey::new("push.example.com", "live/eu", "demo-1");
        assert_eq!(of_key(&key), "push=2Eexample=2Ecom.live=2Feu.demo-1");
    }

    proptest! {
        #[test]
        fn every_stream_key_is_read_back_from_its_name(domain: String, app: String, stream: String) {
            let key = StreamKey { domain, app, stream };
            let name = of_key(&key);
            prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=.".contains(&b)));
            prop_assert!(!name.starts_with('.') && !name.ends_with('.') && !name.contains(".."));
            prop_assert_eq!(key_of(&name), Some(key));
        }

        #[test]
        fn any_name_is_read_or_refused(name in "[a-zA-Z0-9=._/-]{0,64}") {
            key_of(&name);
        }
    }
}
