//! Known encodings, recorded messages, round trips, limits and broken input.

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::amf3;

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = BytesMut::new();
    encode(value, &mut out);
    out.to_vec()
}

fn decoded(bytes: &[u8]) -> Result<Vec<Value>, DecodeError> {
    Decoder::new(bytes).rest()
}

fn broken(bytes: &[u8]) -> DecodeError {
    decoded(bytes).unwrap_err()
}

/// Any value without references, at most five levels deep.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<f64>().prop_map(Value::Number),
        any::<bool>().prop_map(Value::Boolean),
        any::<String>().prop_map(Value::String),
        Just(Value::Null),
        Just(Value::Undefined),
        (any::<f64>(), any::<i16>()).prop_map(|(unix_ms, timezone)| Value::Date { unix_ms, timezone }),
        any::<String>().prop_map(Value::LongString),
        Just(Value::Unsupported),
        any::<String>().prop_map(Value::Xml),
        amf3::any_value().prop_map(Value::AvmPlus),
    ];
    leaf.prop_recursive(5, 50, 6, |inner| {
        let fields = prop::collection::vec((".{1,8}", inner.clone()), 0..6).prop_map(Object::from_iter);
        prop_oneof![
            fields.clone().prop_map(Value::Object),
            fields.clone().prop_map(Value::EcmaArray),
            prop::collection::vec(inner, 0..6).prop_map(Value::StrictArray),
            (any::<String>(), fields).prop_map(|(class, object)| Value::TypedObject { class, object }),
        ]
    })
}

/// The body of the `connect` that ffmpeg 5.1 sends.
const FFMPEG_CONNECT: &[u8] = b"\x02\x00\x07connect\x00\x3f\xf0\x00\x00\x00\x00\x00\x00\x03\
    \x00\x03app\x02\x00\x04live\x00\x04type\x02\x00\x0anonprivate\
    \x00\x08flashVer\x02\x00\x24FMLE/3.0 (compatible; Lavf59.27.100)\
    \x00\x05tcUrl\x02\x00\x1brtmp://127.0.0.1:19351/live\x00\x00\x09";

/// The metadata that ffmpeg 5.1 sends, shortened.
const FFMPEG_METADATA: &[u8] = b"\x02\x00\x0aonMetaData\x08\x00\x00\x00\x04\
    \x00\x05width\x00\x40\x50\x00\x00\x00\x00\x00\x00\x00\x09framerate\x00\x40\x14\x00\x00\x00\x00\x00\x00\
    \x00\x06stereo\x01\x00\x00\x07encoder\x02\x00\x0dLavf59.27.100\x00\x00\x09";

#[test]
fn a_recorded_connect_reads_and_writes_the_same() {
    let values = decoded(FFMPEG_CONNECT).unwrap();
    assert_eq!(values[0].as_str(), Some("connect"));
    assert_eq!(values[1].as_f64(), Some(1.0));
    let object = values[2].as_object().unwrap();
    assert_eq!(object.get("tcUrl").and_then(Value::as_str), Some("rtmp://127.0.0.1:19351/live"));
    let names: Vec<_> = object.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["app", "type", "flashVer", "tcUrl"]);
    let mut out = BytesMut::new();
    encode_all(&values, &mut out);
    assert_eq!(out, FFMPEG_CONNECT);
}

#[test]
fn recorded_metadata_reads_and_writes_the_same() {
    let values = decoded(FFMPEG_METADATA).unwrap();
    let object = Object::new()
        .with("width", 64.0)
        .with("framerate", 5.0)
        .with("stereo", false)
        .with("encoder", "Lavf59.27.100");
    assert_eq!(values, [Value::from("onMetaData"), Value::EcmaArray(object)]);
    let mut out = BytesMut::new();
    encode_all(&values, &mut out);
    assert_eq!(out, FFMPEG_METADATA);
}

#[test]
fn known_encodings_read_and_write_the_same() {
    let fields = || Object::new().with("a", Value::Null);
    let vectors: Vec<(Value, &[u8])> = vec![
        (Value::Number(1.0), b"\x00\x3f\xf0\x00\x00\x00\x00\x00\x00"),
        (Value::Boolean(true), b"\x01\x01"),
        (Value::from("hi"), b"\x02\x00\x02hi"),
        (Value::Object(fields()), b"\x03\x00\x01a\x05\x00\x00\x09"),
        (Value::Null, b"\x05"),
        (Value::Undefined, b"\x06"),
        (Value::EcmaArray(fields()), b"\x08\x00\x00\x00\x01\x00\x01a\x05\x00\x00\x09"),
        (Value::StrictArray(vec![Value::Null]), b"\x0a\x00\x00\x00\x01\x05"),
        (Value::Date { unix_ms: 1.0, timezone: -60 }, b"\x0b\x3f\xf0\x00\x00\x00\x00\x00\x00\xff\xc4"),
        (Value::LongString("hi".to_owned()), b"\x0c\x00\x00\x00\x02hi"),
        (Value::Unsupported, b"\x0d"),
        (Value::Xml("<a/>".to_owned()), b"\x0f\x00\x00\x00\x04<a/>"),
        (
            Value::TypedObject { class: "C".to_owned(), object: fields() },
            b"\x10\x00\x01C\x00\x01a\x05\x00\x00\x09",
        ),
        (Value::AvmPlus(amf3::Value::Integer(5)), b"\x11\x04\x05"),
    ];
    for (value, bytes) in vectors {
        assert_eq!(encoded(&value), bytes, "{value:?}");
        assert_eq!(decoded(bytes).as_deref(), Ok(&[value][..]));
    }
}

#[test]
fn the_count_of_an_ecma_array_is_not_believed() {
    for count in [0, 20, u32::MAX] {
        let mut bytes = FFMPEG_METADATA.to_vec();
        bytes[14..18].copy_from_slice(&count.to_be_bytes());
        assert_eq!(decoded(&bytes), decoded(FFMPEG_METADATA), "{count}");
    }
}

#[test]
fn any_byte_but_zero_is_true() {
    assert_eq!(decoded(b"\x01\x02"), Ok(vec![Value::Boolean(true)]));
}

#[test]
fn duplicate_fields_are_kept_and_the_last_one_counts() {
    let value = Value::Object(Object::new().with("a", 1.0).with("a", 2.0));
    let back = decoded(&encoded(&value)).unwrap();
    assert_eq!(back[0].as_object().unwrap().len(), 2);
    assert_eq!(back[0].as_object().unwrap().get("a"), Some(&Value::Number(2.0)));
}

#[test]
fn a_reference_is_checked_and_kept() {
    // The second item refers to the array, the third to the object within it.
    let bytes = b"\x0a\x00\x00\x00\x03\x03\x00\x00\x09\x07\x00\x00\x07\x00\x01";
    let items = vec![Value::Object(Object::new()), Value::Reference(0), Value::Reference(1)];
    assert_eq!(decoded(bytes), Ok(vec![Value::StrictArray(items)]));
    let error = broken(b"\x03\x00\x00\x09\x07\x00\x01");
    let kind = DecodeErrorKind::ReferenceOutOfRange { what: Referent::Object, index: 1, count: 1 };
    assert_eq!((error.kind, error.offset, error.marker), (kind, 5, Some(marker::REFERENCE)));
}

#[test]
fn reserved_and_unknown_markers_are_told_apart() {
    for marker in [marker::MOVIE_CLIP, marker::RECORD_SET] {
        let error = broken(&[marker::NULL, marker]);
        assert!(error.kind.is_incompatible());
        assert_eq!((error.kind, error.offset), (DecodeErrorKind::ReservedMarker(marker), 1));
    }
    for marker in (marker::AVM_PLUS + 1..=u8::MAX).chain([marker::OBJECT_END]) {
        let error = broken(&[marker::NULL, marker]);
        assert!(!error.kind.is_incompatible());
        assert_eq!((error.kind, error.offset), (DecodeErrorKind::UnknownMarker(marker), 1));
        assert_eq!((error.marker, error.path.to_string()), (Some(marker), "[1]".to_owned()));
    }
}

#[test]
fn an_error_names_the_message_and_the_field() {
    let cut = FFMPEG_CONNECT.len() - 10;
    let error = Decoder::new(&FFMPEG_CONNECT[..cut]).named("command").rest().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "AMF0 broken at byte {} in command[2].tcUrl (marker 0x02): 27 bytes needed, 20 left",
            FFMPEG_CONNECT.len() - 30
        )
    );
}

#[test]
fn an_error_inside_amf3_says_so_and_one_behind_it_does_not() {
    let inside = broken(b"\x03\x00\x01a\x11\x06\x07ab");
    assert_eq!(
        (inside.format, inside.marker, inside.path.to_string().as_str()),
        (Format::Amf3, Some(6), "[0].a")
    );
    let behind = broken(b"\x03\x00\x01a\x11\x04\x05\x00\x05b");
    assert_eq!((behind.format, behind.marker, behind.offset), (Format::Amf0, Some(3), 9));
}

#[test]
fn amf3_references_reach_across_the_values_of_a_message() {
    let bytes = b"\x11\x06\x05hi\x05\x11\x06\x00";
    let hi = Value::AvmPlus(amf3::Value::String("hi".to_owned()));
    assert_eq!(decoded(bytes), Ok(vec![hi.clone(), Value::Null, hi]));
}

#[test]
fn text_that_is_not_utf_8_is_refused_at_its_first_bad_byte() {
    let error = broken(b"\x02\x00\x04ab\xe9d");
    assert_eq!((error.kind, error.offset), (DecodeErrorKind::BadUtf8, 5));
}

#[test]
fn text_of_data_messages_may_be_in_a_code_page() {
    let values = Decoder::with(b"\x02\x00\x04ab\xe9d", Limits::default(), Text::Lossy).rest();
    assert_eq!(values, Ok(vec![Value::from("ab\u{fffd}d")]));
}

#[test]
fn an_empty_name_must_be_followed_by_the_end_marker() {
    let error = broken(b"\x03\x00\x01a\x05\x00\x00\x02\x00\x01b");
    assert_eq!((error.kind, error.offset), (DecodeErrorKind::MissingObjectEnd { found: 2 }, 7));
}

#[test]
fn after_an_error_nothing_more_comes() {
    let mut decoder = Decoder::new(b"\xff\x05\x05");
    assert!(decoder.next().is_err());
    assert_eq!(decoder.next(), Ok(None));
}

#[test]
fn metadata_without_its_end_still_tells_its_fields() {
    let mut decoder = Decoder::new(&FFMPEG_METADATA[..FFMPEG_METADATA.len() - 3]);
    decoder.next().unwrap();
    let error = decoder.next().unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::UnexpectedEnd { needed: 2, have: 0 });
    let partial = decoder.partial().unwrap();
    assert_eq!(decoded(FFMPEG_METADATA).unwrap()[1], partial);
    assert_eq!(decoder.partial(), None);
}

#[test]
fn what_is_left_of_a_broken_value_includes_broken_values_within() {
    let inner = Object::new().with("b", vec![Value::from(1.0), Value::from(2.0)]);
    let bytes = encoded(&Value::Object(Object::new().with("a", inner).with("c", 3.0)));
    // Cut inside the second number of the array.
    let mut decoder = Decoder::new(&bytes[..bytes.len() - 20]);
    assert_eq!(decoder.next().unwrap_err().path.to_string(), "[0].a.b[1]");
    let inner = Object::new().with("b", vec![Value::from(1.0)]);
    assert_eq!(decoder.partial(), Some(Value::Object(Object::new().with("a", inner))));
}

#[test]
fn nesting_stops_at_the_limit() {
    let nested = |levels: usize| {
        let mut bytes = b"\x0a\x00\x00\x00\x01".repeat(levels);
        bytes.push(marker::NULL);
        bytes
    };
    assert!(decoded(&nested(32)).is_ok());
    let error = broken(&nested(33));
    assert_eq!((error.kind, error.offset), (DecodeErrorKind::TooDeep { limit: 32 }, 160));
    let limits = Limits { depth: usize::MAX, ..Limits::default() };
    let error = Decoder::with(&nested(100_000), limits, Text::Strict).next().unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooDeep { limit: Limits::MAX_DEPTH });
}

#[test]
fn values_stop_at_the_limit() {
    let limits = Limits { elements: 10, ..Limits::default() };
    let error = Decoder::with(&[marker::NULL; 11], limits, Text::Strict).rest().unwrap_err();
    assert_eq!((error.kind, error.offset), (DecodeErrorKind::TooManyElements { limit: 10 }, 10));
}

#[test]
fn text_stops_at_the_limit() {
    let limits = Limits { bytes: 3, ..Limits::default() };
    let error = Decoder::with(b"\x02\x00\x02hi\x02\x00\x02hi", limits, Text::Strict).rest().unwrap_err();
    assert_eq!((error.kind, error.offset), (DecodeErrorKind::TooManyBytes { limit: 3 }, 8));
}

#[test]
fn a_declared_count_that_is_not_there_is_the_end_and_allocates_nothing() {
    for marker in [marker::STRICT_ARRAY, marker::ECMA_ARRAY, marker::LONG_STRING, marker::XML] {
        let error = broken(&[marker, 0xff, 0xff, 0xff, 0xff]);
        assert!(matches!(error.kind, DecodeErrorKind::UnexpectedEnd { have: 0, .. }), "{error}");
    }
}

#[test]
fn a_string_that_does_not_fit_is_written_as_a_long_one() {
    for (length, long) in [(65_535, false), (65_536, true)] {
        let text = "x".repeat(length);
        let back = decoded(&encoded(&Value::String(text.clone()))).unwrap();
        let expected = if long { Value::LongString(text) } else { Value::String(text) };
        assert!(back == [expected], "{length}");
    }
}

#[test]
fn what_cannot_be_written_is_left_out_or_cut() {
    let name = "あ".repeat(30_000);
    let value = Value::EcmaArray(Object::new().with("", 1.0).with(name.as_str(), 2.0));
    let back = decoded(&encoded(&value)).unwrap();
    let expected = Object::new().with(&name[..65_535], 2.0);
    assert!(back == [Value::EcmaArray(expected)]);
    assert_eq!(encoded(&value)[1..5], [0, 0, 0, 1]);
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(values in prop::collection::vec(any_value(), 0..4)) {
        let mut out = BytesMut::new();
        encode_all(&values, &mut out);
        prop_assert_eq!(decoded(&out), Ok(values));
    }

    #[test]
    fn a_message_cut_anywhere_is_an_unexpected_end_at_the_cut(value in any_value()) {
        let bytes = encoded(&value);
        for cut in 1..bytes.len() {
            let error = broken(&bytes[..cut]);
            let DecodeErrorKind::UnexpectedEnd { needed, have } = error.kind else {
                return Err(TestCaseError::fail(format!("{error}")));
            };
            prop_assert!(needed > have);
            prop_assert_eq!(error.offset + have, cut);
        }
    }

    #[test]
    fn one_changed_byte_never_panics(value in any_value(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = encoded(&value);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        for text in [Text::Strict, Text::Lossy] {
            let mut decoder = Decoder::with(&bytes, Limits::default(), text);
            if let Err(error) = decoder.rest() {
                prop_assert!(error.offset <= bytes.len());
            }
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut decoder = Decoder::new(&bytes);
        let mut values = Vec::new();
        while let Ok(Some(value)) = decoder.next() {
            values.push(value);
        }
        prop_assert!(decoder.position() <= bytes.len());
    }
}
