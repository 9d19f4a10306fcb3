//! Known encodings, round trips, references, limits and broken input.

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::amf::Referent;

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = BytesMut::new();
    encode(value, &mut out);
    out.to_vec()
}

/// The one value of this message.
fn decoded(bytes: &[u8]) -> Result<Value, DecodeError> {
    let mut decoder = Decoder::new(bytes);
    let value = decoder.next()?.unwrap();
    assert_eq!((decoder.position(), decoder.next()), (bytes.len(), Ok(None)));
    Ok(value)
}

fn string(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn array(items: Vec<Value>) -> Value {
    Value::Array(Box::new(Array { named: vec![], items }))
}

/// Any value without references, at most four levels deep.
pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Undefined),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        (integer::MIN_I29..=integer::MAX_I29).prop_map(Value::Integer),
        any::<f64>().prop_map(Value::Double),
        any::<String>().prop_map(Value::String),
        any::<String>().prop_map(Value::XmlDocument),
        any::<f64>().prop_map(Value::Date),
        any::<String>().prop_map(Value::Xml),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Value::ByteArray),
        (any::<bool>(), prop::collection::vec(any::<i32>(), 0..5))
            .prop_map(|(fixed, items)| Value::VectorInt { fixed, items }),
        (any::<bool>(), prop::collection::vec(any::<u32>(), 0..5))
            .prop_map(|(fixed, items)| Value::VectorUint { fixed, items }),
        (any::<bool>(), prop::collection::vec(any::<f64>(), 0..5))
            .prop_map(|(fixed, items)| Value::VectorDouble { fixed, items }),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let fields = |name: &'static str| prop::collection::vec((name, inner.clone()), 0..5);
        prop_oneof![
            (fields(".{1,5}"), prop::collection::vec(inner.clone(), 0..5))
                .prop_map(|(named, items)| Value::Array(Box::new(Array { named, items }))),
            (any::<String>(), fields(".{0,5}"), prop::option::of(fields(".{1,5}"))).prop_map(
                |(class, sealed, dynamic)| { Value::Object(Box::new(Object { class, sealed, dynamic })) }
            ),
            (any::<bool>(), any::<String>(), prop::collection::vec(inner.clone(), 0..5)).prop_map(
                |(fixed, class, items)| Value::VectorObject { fixed, class: class.into_boxed_str(), items }
            ),
            (any::<bool>(), prop::collection::vec((inner.clone(), inner.clone()), 0..4))
                .prop_map(|(weak_keys, entries)| Value::Dictionary { weak_keys, entries }),
        ]
    })
}

#[test]
fn known_encodings_read_and_write_the_same() {
    let object = Object {
        class: String::new(),
        sealed: vec![],
        dynamic: Some(vec![("a".to_owned(), string("spam"))]),
    };
    let vectors: Vec<(Value, &[u8])> = vec![
        (Value::Undefined, b"\x00"),
        (Value::Null, b"\x01"),
        (Value::Boolean(false), b"\x02"),
        (Value::Boolean(true), b"\x03"),
        (Value::Integer(0x35), b"\x04\x35"),
        (Value::Integer(0x80), b"\x04\x81\x00"),
        (Value::Integer(-1), b"\x04\xff\xff\xff\xff"),
        (Value::Double(0.1), b"\x05\x3f\xb9\x99\x99\x99\x99\x99\x9a"),
        (string(""), b"\x06\x01"),
        (string("hello"), b"\x06\x0bhello"),
        (Value::XmlDocument("<a/>".to_owned()), b"\x07\x09<a/>"),
        (Value::Date(1000.0), b"\x08\x01\x40\x8f\x40\x00\x00\x00\x00\x00"),
        (array(vec![Value::Integer(0), Value::Integer(1)]), b"\x09\x05\x01\x04\x00\x04\x01"),
        (Value::Object(Box::new(object)), b"\x0a\x0b\x01\x03a\x06\x09spam\x01"),
        (Value::Xml("<a/>".to_owned()), b"\x0b\x09<a/>"),
        (Value::ByteArray(b"hello".to_vec()), b"\x0c\x0bhello"),
        (Value::VectorInt { fixed: true, items: vec![-2] }, b"\x0d\x03\x01\xff\xff\xff\xfe"),
        (Value::VectorUint { fixed: false, items: vec![2] }, b"\x0e\x03\x00\x00\x00\x00\x02"),
        (
            Value::VectorDouble { fixed: false, items: vec![1.0] },
            b"\x0f\x03\x00\x3f\xf0\x00\x00\x00\x00\x00\x00",
        ),
        (
            Value::VectorObject { fixed: false, class: "C".into(), items: vec![Value::Null] },
            b"\x10\x03\x00\x03C\x01",
        ),
        (
            Value::Dictionary { weak_keys: true, entries: vec![(string("k"), Value::Boolean(true))] },
            b"\x11\x03\x01\x06\x03k\x03",
        ),
    ];
    for (value, bytes) in vectors {
        assert_eq!(encoded(&value), bytes, "{value:?}");
        assert_eq!(decoded(bytes).as_ref(), Ok(&value));
    }
}

#[test]
fn an_integer_that_does_not_fit_becomes_a_double() {
    for number in [integer::MAX_I29 + 1, integer::MIN_I29 - 1, i32::MAX, i32::MIN] {
        assert_eq!(decoded(&encoded(&Value::Integer(number))), Ok(Value::Double(f64::from(number))));
    }
}

#[test]
fn a_repeated_string_is_resolved() {
    let repeated = b"\x09\x05\x01\x06\x05hi\x06\x00";
    assert_eq!(decoded(repeated), Ok(array(vec![string("hi"), string("hi")])));
}

#[test]
fn the_empty_string_takes_no_place_among_the_strings() {
    let repeated = b"\x09\x07\x01\x06\x01\x06\x05hi\x06\x00";
    assert_eq!(decoded(repeated), Ok(array(vec![string(""), string("hi"), string("hi")])));
}

#[test]
fn repeated_traits_are_resolved() {
    let two_of_a_class = b"\x09\x05\x01\x0a\x13\x07Foo\x03a\x04\x01\x0a\x01\x04\x02";
    let foo = |number| {
        let sealed = vec![("a".to_owned(), Value::Integer(number))];
        Value::Object(Box::new(Object { class: "Foo".to_owned(), sealed, dynamic: None }))
    };
    assert_eq!(decoded(two_of_a_class), Ok(array(vec![foo(1), foo(2)])));
}

#[test]
fn a_value_may_contain_itself_since_references_are_kept() {
    let circular = b"\x09\x03\x01\x09\x00";
    assert_eq!(decoded(circular), Ok(array(vec![Value::Reference(0)])));
    // References to a date, and then to the array around both.
    let dates = b"\x09\x07\x01\x08\x01\x00\x00\x00\x00\x00\x00\x00\x00\x08\x02\x0a\x00";
    let items = vec![Value::Date(0.0), Value::Reference(1), Value::Reference(0)];
    assert_eq!(decoded(dates), Ok(array(items.clone())));
    assert_eq!(decoded(&encoded(&array(items.clone()))), Ok(array(items)));
}

#[test]
fn a_reference_to_nothing_is_refused() {
    let cases: [(&[u8], usize, Referent, u32, u32); 4] = [
        (b"\x06\x00", 1, Referent::String, 0, 0),
        (b"\x09\x02", 1, Referent::Object, 1, 0),
        (b"\x0a\x05", 1, Referent::Traits, 1, 0),
        (b"\x09\x03\x01\x0a\x02", 4, Referent::Object, 1, 1),
    ];
    for (bytes, offset, what, index, count) in cases {
        let error = decoded(bytes).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::ReferenceOutOfRange { what, index, count });
        assert_eq!(error.offset, offset);
    }
}

#[test]
fn a_class_with_its_own_encoding_is_legal_but_not_readable() {
    let error = decoded(b"\x0a\x07\x07Foo\x01").unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::Externalizable { class: "Foo".to_owned() });
    assert!(error.kind.is_incompatible());
}

#[test]
fn the_path_leads_through_every_container() {
    let mut value = Value::VectorObject {
        fixed: false,
        class: "".into(),
        items: vec![Value::Null, Value::Xml("x".into())],
    };
    value = Value::Dictionary { weak_keys: false, entries: vec![(string("k"), value)] };
    value = Value::Object(Box::new(Object {
        class: "C".to_owned(),
        sealed: vec![("first".to_owned(), Value::Null), ("second".to_owned(), value)],
        dynamic: None,
    }));
    value = Value::Array(Box::new(Array { named: vec![("named".to_owned(), value)], items: vec![] }));
    let bytes = encoded(&value);
    // Without the text of the XML, and the empty name that ends the array.
    let error = decoded(&bytes[..bytes.len() - 2]).unwrap_err();
    assert_eq!(error.path.to_string(), "[0].named.second[0][1]");
    assert_eq!((error.marker, error.format), (Some(marker::XML), crate::amf::Format::Amf3));
}

#[test]
fn every_marker_without_a_type_is_refused() {
    for marker in marker::DICTIONARY + 1..=u8::MAX {
        let error = decoded(&[marker, 1, 1, 1]).unwrap_err();
        assert_eq!((error.kind, error.offset), (DecodeErrorKind::UnknownMarker(marker), 0));
    }
}

#[test]
fn a_declared_length_that_is_not_there_is_the_end_and_allocates_nothing() {
    for marker in marker::STRING..=marker::DICTIONARY {
        let error = decoded(&[marker, 0xff, 0xff, 0xff, 0xff]).unwrap_err();
        let ended = matches!(error.kind, DecodeErrorKind::UnexpectedEnd { .. });
        assert!(ended, "{marker:#x}: {error}");
    }
}

#[test]
fn a_string_repeated_beyond_the_limit_is_refused() {
    let mut bytes = vec![marker::ARRAY, 0xff, 0x7f, 0x01, marker::STRING, 0x87, 0x69];
    bytes.extend([b'a'; 500]);
    bytes.extend([marker::STRING, 0x00].repeat(0x1fff));
    let limits = Limits { bytes: 10_000, ..Limits::default() };
    let error = Decoder::with(&bytes, limits, Text::Strict).next().unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooManyBytes { limit: 10_000 });
    assert_eq!(error.path.to_string(), "[0][20]");
}

#[test]
fn long_traits_repeated_beyond_the_limit_are_refused() {
    let name = "n".repeat(1000);
    let object = Object { class: name.clone(), sealed: vec![], dynamic: None };
    let mut bytes = vec![marker::ARRAY, 0xff, 0x7f, 0x01];
    bytes.extend(encoded(&Value::Object(Box::new(object))));
    bytes.extend([marker::OBJECT, 0x01].repeat(0x1fff));
    let limits = Limits { bytes: 10_000, ..Limits::default() };
    let error = Decoder::with(&bytes, limits, Text::Strict).next().unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooManyBytes { limit: 10_000 });
}

#[test]
fn names_in_traits_count_as_values() {
    // An object of a class with 2^20 fields, all with the empty name, and no value.
    let mut bytes = vec![marker::OBJECT, 0x84, 0x80, 0x80, 0x03, 0x01];
    bytes.extend(vec![0x01; 1 << 20]);
    let error = Decoder::new(&bytes).next().unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooManyElements { limit: 65_536 });
}

#[test]
fn the_items_of_numeric_vectors_count_as_values() {
    let value = Value::VectorInt { fixed: false, items: vec![0; 100] };
    let limits = Limits { elements: 100, ..Limits::default() };
    let error = Decoder::with(&encoded(&value), limits, Text::Strict).next().unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooManyElements { limit: 100 });
}

#[test]
fn fields_are_found_by_name() {
    let value = Value::Object(Box::new(Object {
        class: String::new(),
        sealed: vec![("a".to_owned(), Value::Integer(1))],
        dynamic: Some(vec![("b".to_owned(), Value::Double(2.0))]),
    }));
    assert_eq!(value.field("a").and_then(Value::as_f64), Some(1.0));
    assert_eq!(value.field("b").and_then(Value::as_f64), Some(2.0));
    assert_eq!(value.field("c"), None);
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(value in any_value()) {
        prop_assert_eq!(decoded(&encoded(&value)), Ok(value));
    }

    #[test]
    fn a_message_cut_anywhere_is_an_unexpected_end_at_the_cut(value in any_value()) {
        let bytes = encoded(&value);
        for cut in 1..bytes.len() {
            let error = decoded(&bytes[..cut]).unwrap_err();
            let DecodeErrorKind::UnexpectedEnd { needed, have } = error.kind else {
                return Err(TestCaseError::fail(format!("{error}")));
            };
            prop_assert!(needed > have);
            prop_assert_eq!(error.offset + have, cut);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut decoder = Decoder::new(&bytes);
        while let Ok(Some(value)) = decoder.next() {
            prop_assert!(!encoded(&value).is_empty());
        }
        prop_assert!(decoder.position() <= bytes.len());
    }
}
