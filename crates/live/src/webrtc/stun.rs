//! As much of STUN (RFC 8489) as it takes to know for whom a message is: the user name in a binding request, whose first
//! half is the fragment that our answer named (RFC 8445, 7.2.2).

const HEADER: usize = 20;
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const USERNAME: u16 = 0x0006;
const INDICATION: [u8; 2] = [0x00, 0x11];
const FINGERPRINT: u16 = 0x8028;
const FINGERPRINT_MASK: u32 = 0x5354_554e;
/// A user name of two fragments of 256 characters at most (RFC 8839, 5.4).
const LONGEST: usize = 513;

/// Whether a datagram is a STUN message (RFC 7983, 7).
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < 4) && datagram.get(4..8) == Some(&MAGIC_COOKIE)
}

/// The receiver's half of the user name; `None` where there is none, or the message is broken.
pub fn receiver(datagram: &[u8]) -> Option<&str> {
    if !is_stun(datagram) {
        return None;
    }
    let size = u16::from_be_bytes(*datagram.get(2..4)?.first_chunk()?);
    let mut rest = datagram.get(HEADER..HEADER.checked_add(usize::from(size))?)?;
    loop {
        let (head, body) = rest.split_first_chunk::<4>()?;
        let [k0, k1, l0, l1] = *head;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let value = body.get(..length)?;
        if u16::from_be_bytes([k0, k1]) == USERNAME {
            let name = std::str::from_utf8(value).ok().filter(|name| name.len() <= LONGEST)?;
            return name.split_once(':').map(|(receiver, _)| receiver);
        }
        rest = body.get(length.next_multiple_of(4)..)?;
    }
}

/// A binding indication (RFC 8445, 11): a sign of life that asks for no answer.
pub fn indication(transaction: [u8; 12]) -> Vec<u8> {
    let mut message = INDICATION.to_vec();
    // The attribute that follows counts.
    message.extend(8_u16.to_be_bytes());
    message.extend(MAGIC_COOKIE);
    message.extend(transaction);
    let fingerprint = crc32(&message) ^ FINGERPRINT_MASK;
    message.extend(FINGERPRINT.to_be_bytes());
    message.extend(4_u16.to_be_bytes());
    message.extend(fingerprint.to_be_bytes());
    message
}

/// The checksum of ITU V.42, which the fingerprint is made of (RFC 8489, 14.7).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, value) in attributes {
            body.extend(kind.to_be_bytes());
            body.extend((value.len() as u16).to_be_bytes());
            body.extend_from_slice(value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut message = vec![0, 1];
        message.extend((body.len() as u16).to_be_bytes());
        message.extend(MAGIC_COOKIE);
        message.extend([7; 12]);
        message.extend(body);
        message
    }

    #[test]
    fn the_receiver_is_the_first_half_of_the_user_name() {
        let request =
            message(&[(0x0025, b""), (0x8022, b"odd"), (USERNAME, b"ours:theirs"), (0x0008, &[0; 20])]);
        assert_eq!(receiver(&request), Some("ours"));
    }

    #[test]
    fn a_message_without_user_name_is_for_nobody() {
        assert_eq!(receiver(&message(&[(0x0020, &[0; 8])])), None);
        assert_eq!(receiver(&message(&[(USERNAME, b"noseparator")])), None);
        assert_eq!(receiver(b"\x80\x60not stun at all, but rtp"), None);
    }

    #[test]
    fn a_sign_of_life_is_a_binding_indication_with_a_right_fingerprint() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926, "the check value of this checksum");
        let message = indication([9; 12]);
        assert!(is_stun(&message));
        assert_eq!((message.len(), &message[..4]), (28, &[0, 0x11, 0, 8][..]));
        assert_eq!(receiver(&message), None);
        let fingerprint = u32::from_be_bytes(message[24..].try_into().unwrap());
        assert_eq!(fingerprint, crc32(&message[..20]) ^ 0x5354_554e);
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..80), honest in any::<bool>()) {
            if honest && bytes.len() >= 8 {
                bytes[0] = 0;
                bytes[4..8].copy_from_slice(&MAGIC_COOKIE);
            }
            let _ = receiver(&bytes);
        }

        #[test]
        fn any_user_name_is_found_behind_other_attributes(
            name in "[a-zA-Z0-9+/]{1,32}",
            before in proptest::collection::vec((0x8000u16.., proptest::collection::vec(any::<u8>(), 0..9)), 0..4),
        ) {
            let user = format!("{name}:x");
            let mut attributes: Vec<(u16, &[u8])> = before.iter().map(|(kind, value)| (*kind, &value[..])).collect();
            attributes.push((USERNAME, user.as_bytes()));
            let request = message(&attributes);
            prop_assert_eq!(receiver(&request), Some(name.as_str()));
        }
    }
}
