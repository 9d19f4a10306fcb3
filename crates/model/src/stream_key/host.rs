//! The host a client named, and what counts as a domain name.

use std::net::{IpAddr, Ipv6Addr};

/// The host of a push URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name: ASCII lower case, without port and trailing dot. Not yet known to be a legal domain name.
    Domain(String),
    /// An address; an IPv4 address mapped into IPv6 is given as IPv4.
    Ip(IpAddr),
    /// The client named no host.
    Missing,
}

impl Host {
    /// Reads `[user@]host[:port]`, the authority of a URL (RFC 3986, section 3.2) or a Host header.
    pub fn parse(authority: &str) -> Self {
        let host_port = authority.rsplit_once('@').map_or(authority, |(_, rest)| rest).trim();
        let host = match host_port.strip_prefix('[') {
            Some(rest) => rest.split_once(']').map_or(rest, |(inside, _)| inside),
            // A bare IPv6 address has colons too; only what is no address can have a port behind the first colon.
            None if host_port.parse::<Ipv6Addr>().is_ok() => host_port,
            None => host_port.split_once(':').map_or(host_port, |(host, _)| host),
        };
        // A zone (RFC 6874) is a matter of the client's own machine.
        let unzoned = host.split_once('%').map_or(host, |(address, _)| address);
        if let Ok(ip) = unzoned.parse::<IpAddr>() {
            return Self::Ip(ip.to_canonical());
        }
        let name = host.strip_suffix('.').unwrap_or(host);
        if name.is_empty() { Self::Missing } else { Self::Domain(name.to_ascii_lowercase()) }
    }
}

/// Whether `name` can be a domain name: labels of 1-63 ASCII letters, digits, `-` and `_`, no hyphen at a label's
/// ends, 253 bytes at most (RFC 1035, section 2.3.1, and RFC 1123, section 2.1; `_` because such host names are in
/// use). A last label of digits alone would be a mistyped IP address.
pub fn is_domain_name(name: &str) -> bool {
    let label_is_legal = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_is_number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    name.len() <= 253 && name.split('.').all(label_is_legal) && !last_is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Host {
        Host::Ip(text.parse().unwrap())
    }

    #[test]
    fn an_authority_gives_its_host() {
        let vectors = [
            ("push.example.com", Host::Domain("push.example.com".into())),
            ("Push.EXAMPLE.com.:1935", Host::Domain("push.example.com".into())),
            ("user:pa@ss@h.example:1935", Host::Domain("h.example".into())),
            ("localhost:1935", Host::Domain("localhost".into())),
            ("192.0.2.7:1935", ip("192.0.2.7")),
            ("[2001:db8::1]:1935", ip("2001:db8::1")),
            ("[2001:db8::1]", ip("2001:db8::1")),
            ("2001:db8::1", ip("2001:db8::1")),
            ("[fe80::1%25eth0]:1935", ip("fe80::1")),
            ("[::ffff:192.0.2.7]", ip("192.0.2.7")),
            ("", Host::Missing),
            (":1935", Host::Missing),
            (".", Host::Missing),
            ("[", Host::Missing),
        ];
        for (authority, host) in vectors {
            assert_eq!(Host::parse(authority), host, "{authority}");
        }
    }

    #[test]
    fn domain_names_are_told_from_other_text() {
        let label = "a".repeat(63);
        for name in
            ["localhost", "push.example.com", "7.push.example", "a_b.example", "xn--fiq228c.cn", &label]
        {
            assert!(is_domain_name(name), "{name}");
        }
        let long_label = "a".repeat(64);
        let long_name = vec!["abcdefg"; 32].join(".");
        for name in [
            "",
            "a..b",
            ".a",
            "a.",
            "-a.com",
            "a-.com",
            "a b",
            "日本.jp",
            "127.1",
            "999.1.1.1",
            &long_label,
            &long_name,
        ] {
            assert!(!is_domain_name(name), "{name}");
        }
    }
}
