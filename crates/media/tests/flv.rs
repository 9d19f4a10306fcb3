//! FLV files: what is written is read back, and what is broken is named.

mod vectors;

use media::flv::{FileHeader, FlvError, MAX_BODY, Tag, TagHeader, TagType, read_tag, write_tag};
use proptest::prelude::*;
use vectors::{audio::AAC, bytes};

#[test]
fn the_header_is_that_of_ffmpeg() {
    let bytes = FileHeader { audio: true, video: true }.encode();
    assert_eq!(bytes, *b"FLV\x01\x05\0\0\0\x09\0\0\0\0");
    let header = FileHeader { audio: true, video: false };
    assert_eq!(FileHeader::decode(&header.encode()), Ok(Some((header, 13))));
}

#[test]
fn a_tag_is_that_of_ffmpeg() {
    let body = bytes(AAC);
    let mut file = Vec::new();
    write_tag(&mut file, TagType::Audio, 0, &body).unwrap();
    assert_eq!(file, bytes("0800000700000000000000af00121056e50000000012"));
}

#[test]
fn the_timestamp_has_its_highest_byte_last() {
    let header = TagHeader::new(TagType::Video, 0x1234_5678, &[]).unwrap();
    assert_eq!(header.encode(), [9, 0, 0, 0, 0x34, 0x56, 0x78, 0x12, 0, 0, 0]);
}

#[test]
fn a_body_beyond_24_bits_is_refused_and_nothing_written() {
    let mut file = Vec::new();
    let body = vec![0; MAX_BODY + 1];
    let error = write_tag(&mut file, TagType::Video, 0, &body);
    assert_eq!((error, file.len()), (Err(FlvError::BodyTooLong { found: MAX_BODY + 1 }), 0));
    assert!(write_tag(&mut file, TagType::Video, 0, &body[1..]).is_ok());
}

#[test]
fn what_is_not_flv_is_named_by_its_first_wrong_byte() {
    let error = FileHeader::decode(b"FLV\x02").unwrap_err();
    assert_eq!(error, FlvError::NotFlv { offset: 3, found: 2, expected: 1 });
    assert_eq!(FileHeader::decode(b"FL"), Ok(None));
    assert_eq!(FileHeader::decode(b"FLV\x01\x05\0\0\0\x08"), Err(FlvError::HeaderSize { found: 8 }));
    let unknown = read_tag(&[7; 30]);
    assert_eq!(unknown, Err(FlvError::UnknownTagType { offset: 0, found: 7 }));
}

#[test]
fn a_wrong_size_behind_a_tag_is_a_fault_and_none_is_not() {
    let mut file = Vec::new();
    write_tag(&mut file, TagType::Script, 0, b"abc").unwrap();
    let last = file.len() - 1;
    file[last] = 15;
    let error = FlvError::PreviousTagSize { offset: 14, found: 15, expected: 14 };
    assert_eq!(read_tag(&file), Err(error));
    file[last] = 0;
    assert!(read_tag(&file).unwrap().is_some());
}

fn tag_type() -> impl Strategy<Value = TagType> {
    prop_oneof![Just(TagType::Audio), Just(TagType::Video), Just(TagType::Script)]
}

proptest! {
    #[test]
    fn tags_are_read_back_as_written(
        tags in prop::collection::vec((tag_type(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..50)), 0..8),
    ) {
        let mut file = Vec::new();
        for (tag_type, timestamp_ms, body) in &tags {
            write_tag(&mut file, *tag_type, *timestamp_ms, body).unwrap();
        }
        let mut rest = file.as_slice();
        for (tag_type, timestamp_ms, body) in &tags {
            let header = TagHeader::new(*tag_type, *timestamp_ms, body).unwrap();
            let (tag, used) = read_tag(rest).unwrap().unwrap();
            prop_assert_eq!(tag, Tag { header, body });
            for cut in 0..used {
                prop_assert_eq!(read_tag(&rest[..cut]), Ok(None));
            }
            rest = &rest[used..];
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn reading_random_bytes_never_panics(data in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = FileHeader::decode(&data);
        if let Ok(Some((_, used))) = read_tag(&data) {
            prop_assert!(used <= data.len());
        }
    }
}
