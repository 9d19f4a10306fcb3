//! The answer to a GET whose body does not end: its head, then the body, in chunks or plain (RFC 9112, 6 and 7).

use super::SkimError;

/// A head longer than this is none.
const HEAD_AT_MOST: usize = 16 * 1024;
/// Hexadecimal digits of a chunk's size.
const SIZE_DIGITS: u32 = 15;

/// Follows an answer.
#[derive(Debug, Default)]
pub(crate) struct HttpBody {
    part: Part,
    head: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Part {
    #[default]
    Head,
    /// The body is not in chunks.
    Plain,
    /// The line with a chunk's size: its value and digits so far, and whether an extension has begun.
    Size {
        value: u64,
        digits: u32,
        extension: bool,
    },
    Data(u64),
    /// The line break behind a chunk's data.
    Break,
    /// Behind the last chunk.
    Over,
}

const SIZE: Part = Part::Size { value: 0, digits: 0, extension: false };

impl HttpBody {
    /// Takes what came, and hands out the pieces of the body in it.
    pub(crate) fn feed<E: From<SkimError>>(
        &mut self,
        bytes: &[u8],
        mut data: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = bytes;
        while let Some((&byte, behind)) = rest.split_first() {
            match self.part {
                Part::Head => {
                    self.head.push(byte);
                    rest = behind;
                    if self.head.ends_with(b"\r\n\r\n") {
                        self.part = begin(&self.head)?;
                        self.head = Vec::new();
                    } else if self.head.len() > HEAD_AT_MOST {
                        return Err(SkimError::NotHttp.into());
                    }
                }
                Part::Plain => return data(rest),
                Part::Size { value, digits, extension } => {
                    rest = behind;
                    self.part = match (byte, char::from(byte).to_digit(16)) {
                        (b'\n', _) if digits == 0 => return Err(SkimError::NotHttp.into()),
                        (b'\n', _) if value == 0 => Part::Over,
                        (b'\n', _) => Part::Data(value),
                        (_, Some(digit)) if !extension && digits < SIZE_DIGITS => {
                            let value = value << 4 | u64::from(digit);
                            Part::Size { value, digits: digits + 1, extension }
                        }
                        (b'\r' | b';', _) => Part::Size { value, digits, extension: true },
                        _ if extension => self.part,
                        _ => return Err(SkimError::NotHttp.into()),
                    };
                }
                Part::Data(left) => {
                    let count = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    let (piece, behind) = rest.split_at_checked(count).unwrap_or((rest, &[]));
                    data(piece)?;
                    rest = behind;
                    let left = left.saturating_sub(count as u64);
                    self.part = if left == 0 { Part::Break } else { Part::Data(left) };
                }
                Part::Break => {
                    rest = behind;
                    if byte == b'\n' {
                        self.part = SIZE;
                    }
                }
                Part::Over => return Ok(()),
            }
        }
        Ok(())
    }
}

fn begin(head: &[u8]) -> Result<Part, SkimError> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    let first = lines.next().filter(|line| line.starts_with("HTTP/")).ok_or(SkimError::NotHttp)?;
    let status = first.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or(SkimError::NotHttp)?;
    if status != 200 {
        return Err(SkimError::Status(status));
    }
    let chunked = lines.filter_map(|line| line.split_once(':')).any(|(name, value)| {
        name.eq_ignore_ascii_case("transfer-encoding") && value.trim().eq_ignore_ascii_case("chunked")
    });
    Ok(if chunked { SIZE } else { Part::Plain })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(answer: &[u8], piece: usize) -> Result<Vec<u8>, SkimError> {
        let (mut http, mut body) = (HttpBody::default(), Vec::new());
        for part in answer.chunks(piece) {
            http.feed(part, |data| {
                body.extend_from_slice(data);
                Ok::<_, SkimError>(())
            })?;
        }
        Ok(body)
    }

    #[test]
    fn a_plain_body_is_all_that_follows_the_head() {
        for piece in [1, 7, 1000] {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\n\r\nFLV..";
            assert_eq!(body(answer, piece).unwrap(), b"FLV..");
        }
    }

    #[test]
    fn a_refusal_is_told_by_its_status() {
        assert_eq!(body(b"HTTP/1.1 404 Not Found\r\n\r\n", 3), Err(SkimError::Status(404)));
        assert_eq!(body(b"SSH-2.0\r\n\r\n", 3), Err(SkimError::NotHttp));
    }

    proptest! {
        #[test]
        fn chunks_are_joined_however_they_arrive(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..100), 0..10),
            piece in 1..50_usize,
        ) {
            let mut answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
            for chunk in &chunks {
                answer.extend_from_slice(format!("{:x};note=1\r\n", chunk.len()).as_bytes());
                answer.extend_from_slice(chunk);
                answer.extend_from_slice(b"\r\n");
            }
            answer.extend_from_slice(b"0\r\n\r\n");
            prop_assert_eq!(body(&answer, piece).unwrap(), chunks.concat());
        }

        #[test]
        fn no_bytes_make_it_fail_otherwise_than_by_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let answer = [&b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"[..], &bytes].concat();
            let _ = body(&answer, 17);
        }
    }
}
