//! The PROXY protocol, versions 1 and 2: the client's address as a load balancer in front tells it.
//!
//! Follows the HAProxy specification "The PROXY protocol", sections 2.1 and 2.2. It is read only from peers in the
//! listener's `proxy_protocol` networks; anyone else could claim any address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str;

const V2_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const V1_START: &[u8; 6] = b"PROXY ";
/// Section 2.1: the longest version 1 line, CR LF included.
const V1_LIMIT: usize = 107;
/// Version 2 headers may carry extensions; ones longer than this are refused rather than buffered.
const V2_LIMIT: usize = 4096;

/// A header that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes that the header took.
    pub length: usize,
    /// The client's address; `None` when the balancer speaks for itself (health checks) or does not know.
    pub client: Option<SocketAddr>,
}

/// Why a header could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The connection starts with something else.
    #[error("no PROXY header: byte {offset} is {found:#04x}")]
    Missing {
        /// The first byte that differs from both signatures.
        offset: usize,
        /// What it was.
        found: u8,
    },
    /// A version 1 line without an end within 107 bytes.
    #[error("the PROXY line has no end within {V1_LIMIT} bytes")]
    Unterminated,
    /// A version 1 line with a wrong field.
    #[error("the PROXY line's field {field} is wrong")]
    Field {
        /// Which one.
        field: &'static str,
    },
    /// A version 2 header of an unknown version or command, or with too short or too long a body.
    #[error("PROXY version 2: {what} {value}")]
    Binary {
        /// What is wrong.
        what: &'static str,
        /// Its value.
        value: usize,
    },
}

/// Reads a header from the start of `input`; `None` asks for more bytes.
///
/// # Errors
/// When the bytes can no longer become a header.
pub fn parse(input: &[u8]) -> Result<Option<Header>, HeaderError> {
    let v2 = common_prefix(input, V2_SIGNATURE);
    let v1 = common_prefix(input, V1_START);
    if v2 == V2_SIGNATURE.len() {
        return parse_v2(input);
    }
    if v1 == V1_START.len() {
        return parse_v1(input);
    }
    let matched = v1.max(v2);
    match input.get(matched) {
        Some(&found) => Err(HeaderError::Missing { offset: matched, found }),
        None => Ok(None),
    }
}

fn common_prefix(input: &[u8], signature: &[u8]) -> usize {
    input.iter().zip(signature).take_while(|(a, b)| a == b).count()
}

fn parse_v1(input: &[u8]) -> Result<Option<Header>, HeaderError> {
    let window = input.get(..input.len().min(V1_LIMIT)).unwrap_or(input);
    let Some(end) = window.windows(2).position(|w| w == b"\r\n") else {
        return if input.len() >= V1_LIMIT { Err(HeaderError::Unterminated) } else { Ok(None) };
    };
    let line = window.get(V1_START.len()..end).unwrap_or_default();
    let line = str::from_utf8(line).map_err(|_| HeaderError::Field { field: "line (not ASCII)" })?;
    let length = end + 2;
    let mut fields = line.split(' ');
    let family = fields.next().unwrap_or_default();
    if family == "UNKNOWN" {
        return Ok(Some(Header { length, client: None }));
    }
    let ip: IpAddr = match family {
        "TCP4" => IpAddr::V4(field(fields.next(), "source address")?),
        "TCP6" => IpAddr::V6(field(fields.next(), "source address")?),
        _ => return Err(HeaderError::Field { field: "protocol" }),
    };
    let _: IpAddr = field(fields.next(), "destination address")?;
    let port: u16 = field(fields.next(), "source port")?;
    let _: u16 = field(fields.next(), "destination port")?;
    Ok(Some(Header { length, client: Some(SocketAddr::new(ip, port)) }))
}

fn field<T: str::FromStr>(text: Option<&str>, field: &'static str) -> Result<T, HeaderError> {
    text.and_then(|t| t.parse().ok()).ok_or(HeaderError::Field { field })
}

fn parse_v2(input: &[u8]) -> Result<Option<Header>, HeaderError> {
    let Some(&[version_command, family, high, low]) = input.get(12..16) else { return Ok(None) };
    if version_command >> 4 != 2 {
        return Err(HeaderError::Binary {
            what: "unknown version",
            value: usize::from(version_command >> 4),
        });
    }
    let body_length = usize::from(u16::from_be_bytes([high, low]));
    if body_length > V2_LIMIT {
        return Err(HeaderError::Binary { what: "header too long:", value: body_length });
    }
    let length = 16 + body_length;
    let Some(body) = input.get(16..length) else { return Ok(None) };
    let client = match version_command & 0x0F {
        0 => None,
        1 => match family {
            0x11 => Some(
                address_v4(body)
                    .ok_or(HeaderError::Binary { what: "IPv4 addresses cut short at", value: body_length })?,
            ),
            0x21 => Some(
                address_v6(body)
                    .ok_or(HeaderError::Binary { what: "IPv6 addresses cut short at", value: body_length })?,
            ),
            _ => None,
        },
        command => return Err(HeaderError::Binary { what: "unknown command", value: usize::from(command) }),
    };
    Ok(Some(Header { length, client }))
}

fn address_v4(body: &[u8]) -> Option<SocketAddr> {
    let ip: [u8; 4] = body.get(..4)?.try_into().ok()?;
    let port: [u8; 2] = body.get(8..10)?.try_into().ok()?;
    body.get(..12)?;
    Some(SocketAddr::new(Ipv4Addr::from(ip).into(), u16::from_be_bytes(port)))
}

fn address_v6(body: &[u8]) -> Option<SocketAddr> {
    let ip: [u8; 16] = body.get(..16)?.try_into().ok()?;
    let port: [u8; 2] = body.get(32..34)?.try_into().ok()?;
    body.get(..36)?;
    Some(SocketAddr::new(Ipv6Addr::from(ip).into(), u16::from_be_bytes(port)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let mut out = V2_SIGNATURE.to_vec();
        out.extend([0x20 | command, family]);
        out.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        out.extend(body);
        out
    }

    #[test]
    fn version_1_gives_the_client() {
        let line = b"PROXY TCP4 203.0.113.7 10.0.0.1 51000 1935\r\n\x03rest";
        let header = parse(line).unwrap().unwrap();
        assert_eq!(header.client, Some("203.0.113.7:51000".parse().unwrap()));
        assert_eq!(&line[header.length..], b"\x03rest");
        let six = parse(b"PROXY TCP6 2001:db8::7 ::1 51000 1935\r\n").unwrap().unwrap();
        assert_eq!(six.client, Some("[2001:db8::7]:51000".parse().unwrap()));
        assert_eq!(parse(b"PROXY UNKNOWN\r\n").unwrap().unwrap().client, None);
    }

    #[test]
    fn version_2_gives_the_client_and_skips_extensions() {
        let mut body = vec![203, 0, 113, 7, 10, 0, 0, 1, 0xC7, 0x38, 0x07, 0x8F];
        body.extend([0x04, 0, 1, 0]);
        let bytes = v2(1, 0x11, &body);
        let header = parse(&bytes).unwrap().unwrap();
        assert_eq!(header.client, Some("203.0.113.7:51000".parse().unwrap()));
        assert_eq!(header.length, bytes.len());
    }

    #[test]
    fn a_balancer_that_speaks_for_itself_names_no_client() {
        assert_eq!(parse(&v2(0, 0, &[])).unwrap().unwrap().client, None);
    }

    #[test]
    fn what_is_no_header_is_told_with_its_place() {
        assert_eq!(parse(b"\x03abc"), Err(HeaderError::Missing { offset: 0, found: 3 }));
        assert_eq!(parse(b"PROXX"), Err(HeaderError::Missing { offset: 4, found: b'X' }));
        assert_eq!(
            parse(b"PROXY TCP4 nonsense 10.0.0.1 1 2\r\n"),
            Err(HeaderError::Field { field: "source address" })
        );
        assert_eq!(parse(&[b"PROXY ".as_slice(), &[b'a'; 200]].concat()), Err(HeaderError::Unterminated));
        assert!(matches!(parse(&v2(1, 0x11, &[1, 2, 3])), Err(HeaderError::Binary { .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_header_that_arrives_in_pieces_reads_the_same(port in any::<u16>(), ip in any::<[u8; 4]>()) {
            let mut body = ip.to_vec();
            body.extend([10, 0, 0, 1]);
            body.extend(port.to_be_bytes());
            body.extend([0, 0]);
            let bytes = v2(1, 0x11, &body);
            for cut in 0..bytes.len() {
                prop_assert_eq!(parse(&bytes[..cut]).unwrap(), None);
            }
            let header = parse(&bytes).unwrap().unwrap();
            prop_assert_eq!(header.client, Some(SocketAddr::from((ip, port))));
        }
    }
}
