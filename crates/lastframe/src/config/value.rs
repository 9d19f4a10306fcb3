//! The kinds of values a setting can take, read alike from TOML and from an environment variable.
//!
//! Each reader's error is the second half of a sentence about the value: what it should look like.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use toml::de::DeValue;

/// A value as it was given.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a> {
    /// From the configuration file.
    Toml(&'a DeValue<'a>),
    /// From an environment variable; lists are comma-separated.
    Env(&'a str),
}

/// Why a value cannot be taken; the value itself is not repeated when it could be a secret.
pub type Refused = String;

impl<'a> Given<'a> {
    /// Any text.
    pub fn text(self) -> Result<&'a str, Refused> {
        match self {
            Self::Toml(value) => value.as_str().ok_or_else(|| self.wants("text in quotes")),
            Self::Env(text) => Ok(text),
        }
    }

    /// `true` or `false`.
    pub fn boolean(self) -> Result<bool, Refused> {
        match self {
            Self::Toml(value) => value.as_bool(),
            Self::Env(text) => text.parse().ok(),
        }
        .ok_or_else(|| self.wants("true or false"))
    }

    /// A whole number from 0 to `max`.
    pub fn count(self, max: usize) -> Result<usize, Refused> {
        let number = match self {
            Self::Toml(value) => {
                value.as_integer().and_then(|i| u64::from_str_radix(i.as_str(), i.radix()).ok())
            }
            Self::Env(text) => text.parse().ok(),
        };
        number
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| *n <= max)
            .ok_or_else(|| self.wants(&format!("a whole number from 0 to {max}")))
    }

    /// A duration such as `70s`, `1500ms`, `24h`, `30d`; more than zero.
    pub fn duration(self) -> Result<Duration, Refused> {
        self.text()
            .ok()
            .and_then(parse_duration)
            .filter(|d| !d.is_zero())
            .ok_or_else(|| self.wants("a duration such as \"70s\", \"1500ms\", \"24h\" or \"30d\""))
    }

    /// A duration, or `off`.
    pub fn duration_or_off(self) -> Result<Option<Duration>, Refused> {
        if self.is_off() {
            return Ok(None);
        }
        self.duration().map(Some).map_err(|_| self.wants("a duration such as \"60s\", or \"off\""))
    }

    /// A number above zero, or `off`.
    pub fn number_or_off(self) -> Result<Option<f64>, Refused> {
        if self.is_off() {
            return Ok(None);
        }
        let number: Option<f64> = match self {
            Self::Toml(DeValue::Float(f)) => f.as_str().parse().ok(),
            Self::Toml(DeValue::Integer(i)) => i.as_str().parse().ok(),
            Self::Toml(_) => None,
            Self::Env(text) => text.parse().ok(),
        };
        number
            .filter(|n| n.is_finite() && *n > 0.0)
            .map(Some)
            .ok_or_else(|| self.wants("a number above 0, or \"off\""))
    }

    /// A size in bytes such as `4MiB`, `64KiB`, or plain bytes.
    pub fn size(self) -> Result<u64, Refused> {
        let size = match self {
            Self::Toml(DeValue::Integer(i)) => u64::from_str_radix(i.as_str(), i.radix()).ok(),
            _ => self.text().ok().and_then(parse_size),
        };
        size.filter(|n| *n > 0).ok_or_else(|| self.wants("a size such as \"4MiB\" or \"64KiB\""))
    }

    /// A list of texts; a single text is a list of one.
    pub fn texts(self) -> Result<Vec<&'a str>, Refused> {
        match self {
            Self::Toml(DeValue::Array(items)) => items
                .iter()
                .map(|item| item.get_ref().as_str())
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| self.wants("a list of texts in quotes")),
            Self::Toml(_) => self.text().map(|t| vec![t]),
            Self::Env(text) => Ok(text.split(',').map(str::trim).filter(|t| !t.is_empty()).collect()),
        }
    }

    /// An address to listen on, such as `0.0.0.0:1935` or `[::]:1935`.
    pub fn address(self) -> Result<SocketAddr, Refused> {
        let address = self.text().ok().and_then(|text| text.parse().ok());
        address
            .ok_or_else(|| self.wants("an address to listen on, such as \"0.0.0.0:1935\" or \"[::]:1935\""))
    }

    /// Networks such as `10.0.0.0/8`; a plain address is a network of one.
    pub fn networks(self) -> Result<Vec<IpNet>, Refused> {
        self.texts()?
            .into_iter()
            .map(|text| {
                parse_network(text).ok_or_else(|| {
                    format!("`{text}` is no network; write one such as \"10.0.0.0/8\", \"2001:db8::/32\" or a single address")
                })
            })
            .collect()
    }

    /// Addresses without ports.
    pub fn ips(self) -> Result<Vec<IpAddr>, Refused> {
        self.texts()?
            .into_iter()
            .map(|text| {
                text.trim()
                    .parse()
                    .map_err(|_| format!("`{text}` is no IP address; write one such as \"203.0.113.9\""))
            })
            .collect()
    }

    /// What was given, for messages.
    pub fn shown(self) -> String {
        match self {
            Self::Toml(value) => match value {
                DeValue::String(text) => format!("\"{text}\""),
                DeValue::Integer(number) => number.to_string(),
                DeValue::Float(number) => number.to_string(),
                DeValue::Boolean(flag) => flag.to_string(),
                other => format!("a value of type {}", other.type_str()),
            },
            Self::Env(text) => format!("\"{text}\""),
        }
    }

    pub fn is_off(self) -> bool {
        matches!(self, Self::Toml(DeValue::String(t)) if t.as_ref() == "off")
            || matches!(self, Self::Env("off"))
    }

    fn wants(self, what: &str) -> Refused {
        format!("{} does not fit; write {what}", self.shown())
    }
}

/// Reads `70s`, `1500ms`, `2m`, `24h`, `30d`; `None` for anything else, and above a thousand years.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let millis: u64 = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    const MAX: u64 = 1_000 * 366 * 86_400_000;
    number.checked_mul(millis).filter(|ms| *ms <= MAX).map(Duration::from_millis)
}

/// Reads `4MiB`, `64KiB`, `1GiB`, `1MB`, `512B`, `512`; `None` for anything else.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// Reads a network in CIDR form, or an address as a network of one.
pub fn parse_network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse().ok().map(|ip: std::net::IpAddr| IpNet::from(ip)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("70s"), Some(Duration::from_secs(70)));
        assert_eq!(parse_duration("1500ms"), Some(Duration::from_millis(1500)));
        assert_eq!(parse_duration("30d"), Some(Duration::from_secs(30 * 86_400)));
        assert_eq!(parse_duration("24 h"), Some(Duration::from_secs(86_400)));
        for bad in
            ["70", "s", "-1s", "1.5s", "70x", "", "99999999999999999999s", "18446744073709551615d", "7０s"]
        {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes_are_bytes_unless_a_unit_says_otherwise() {
        assert_eq!(parse_size("4MiB"), Some(4 << 20));
        assert_eq!(parse_size("1MB"), Some(1_000_000));
        assert_eq!(parse_size("512"), Some(512));
        for bad in ["", "MiB", "4mib", "-1", "99999999999GiB"] {
            assert_eq!(parse_size(bad), None, "{bad}");
        }
    }

    #[test]
    fn lists_of_the_environment_are_comma_separated() {
        assert_eq!(Given::Env("10.0.0.0/8, ::1").networks().unwrap().len(), 2);
        assert_eq!(Given::Env("").networks().unwrap().len(), 0);
        assert!(Given::Env("10.0.0.0/8,nowhere").networks().unwrap_err().contains("nowhere"));
    }
}
