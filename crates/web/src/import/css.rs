//! Tencent's callbacks: event 1 (push started) and 0 (push interrupted); others are acknowledged and left alone.

use std::time::Duration;

use model::{Code, Timestamp};
use serde_json::Value;
use store::Import;
use subtle::ConstantTimeEq;

use super::told::{Elsewhere, Ending, end, start};
use super::{ImportError, Importer, field};
use crate::callback::message::sign;

/// How far the time of an event may be from ours. Records of a time that is far ahead would never age out.
const AHEAD: Duration = Duration::from_secs(86_400);
const BEHIND: Duration = Duration::from_secs(60 * 86_400);

pub(super) fn read(importer: &Importer, body: &[u8], now: Timestamp) -> Result<Option<Import>, ImportError> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| ImportError::Unreadable(error.to_string()))?;
    check(importer, &body, now)?;
    let event_type = number(&body, "event_type").ok_or(ImportError::Field("event_type"))?;
    if event_type != 0 && event_type != 1 {
        return Ok(None);
    }
    let seconds = number(&body, "event_time").ok_or(ImportError::Field("event_time"))?;
    let at = Timestamp(seconds.checked_mul(1000).ok_or(ImportError::Field("event_time"))?);
    if at > now.plus(AHEAD) || at < now.minus(BEHIND) {
        return Err(ImportError::Time);
    }
    let own = |name| text(&body, name).unwrap_or_default();
    let stream = text(&body, "stream_id").unwrap_or_else(|| own("channel_id"));
    let push = Elsewhere {
        key: field::id("sequence", own("sequence"))?,
        domain: field::required("app", own("app"))?,
        app: field::required("appname", own("appname"))?,
        stream: field::required("stream_id", stream)?,
        client_ip: text(&body, "user_ip").and_then(|ip| ip.parse().ok()),
        node: text(&body, "node").unwrap_or_default(),
        param: text(&body, "stream_param").unwrap_or_default(),
        encoder: None,
    };
    if event_type == 1 {
        return Ok(Some(start(importer, push, at)));
    }
    let small = |name| number(&body, name).and_then(|n| u16::try_from(n).ok());
    let size = |name| number(&body, name).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
    let duration = number(&body, "push_duration").and_then(|ms| u64::try_from(ms).ok());
    let ending = Ending {
        at,
        duration: duration.map(Duration::from_millis),
        code: Code::new(
            small("errcode").ok_or(ImportError::Field("errcode"))?,
            small("sub_errcode").unwrap_or(0),
        ),
        size: size("width").zip(size("height")),
    };
    Ok(Some(end(importer, push, ending)))
}

fn check(importer: &Importer, body: &Value, now: Timestamp) -> Result<(), ImportError> {
    let expires = number(body, "t").ok_or(ImportError::Signature)?;
    let given = text(body, "sign").ok_or(ImportError::Signature)?;
    let wanted = sign(&importer.key, expires);
    let same: bool = wanted.as_bytes().ct_eq(given.as_bytes()).into();
    if same && expires >= now.secs() { Ok(()) } else { Err(ImportError::Signature) }
}

/// A number that may be written as text.
fn number(body: &Value, name: &str) -> Option<i64> {
    let value = body.get(name)?;
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A text that may be written as a number.
fn text(body: &Value, name: &str) -> Option<String> {
    match body.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::import::ImportKind;

    const NOW: Timestamp = Timestamp(1_703_731_500_000);

    fn importer() -> Importer {
        Importer {
            name: "tencent".into(),
            kind: ImportKind::Css,
            token: "token".into(),
            account: 5,
            key: "key".into(),
        }
    }

    /// The sample of the documents, signed with our key.
    fn sample(errcode: u16) -> Value {
        json!({
            "app": "test.domain.com", "appid": 12345678, "appname": "live", "channel_id": "test_stream",
            "errcode": errcode, "errmsg": "text", "event_time": 1703731478, "event_type": 0, "height": 0,
            "idc_id": 34, "node": "2.2.2.2", "push_duration": "128581", "sequence": "2210464508206756938",
            "set_id": 2, "sign": sign("key", 1703732078), "stream_id": "test_stream",
            "stream_param": "txSecret=abc&a=b", "t": 1703732078, "user_ip": "1.1.1.1", "width": 0,
        })
    }

    #[test]
    fn an_event_of_a_time_that_cannot_be_is_refused() {
        let now = NOW.secs();
        for (time, taken) in [
            (now + 86_400, true),
            (now + 86_401, false),
            (now - 60 * 86_400, true),
            (now - 60 * 86_400 - 1, false),
        ] {
            let mut body = sample(1);
            body["event_time"] = time.into();
            let read = read(&importer(), body.to_string().as_bytes(), NOW);
            assert_eq!(read.err(), (!taken).then_some(ImportError::Time), "{time}");
        }
    }

    #[test]
    fn a_field_that_is_too_long_is_named() {
        for (name, length) in [("sequence", 129), ("stream_id", 256), ("appname", 256), ("app", 256)] {
            let mut body = sample(1);
            body[name] = "1".repeat(length).into();
            let read = read(&importer(), body.to_string().as_bytes(), NOW);
            assert!(
                matches!(&read, Err(ImportError::TooLong { field, .. }) if *field == name),
                "{name}: {read:?}"
            );
        }
    }

    fn record(body: &Value) -> model::Record {
        match read(&importer(), body.to_string().as_bytes(), NOW).unwrap() {
            Some(Import::End { row, .. }) => row.record,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_interruption_becomes_a_record() {
        let record = record(&sample(1));
        assert_eq!((record.code(), record.source.as_str()), (Code::new(1, 0), "tencent"));
        assert_eq!((record.duration_ms, record.ended_at), (128_581, Timestamp(1_703_731_478_000)));
        assert_eq!(record.stream_param.as_deref(), Some("txSecret=***&a=b"));
        assert_eq!((record.account, record.client_ip.to_string().as_str()), (Some(5), "1.1.1.1"));
    }

    #[test]
    fn reasons_that_are_not_known_here_are_34() {
        for errcode in [0, 18, 21, 22, 27, 34, 99] {
            assert_eq!(record(&sample(errcode)).code(), Code::new(34, 0), "{errcode}");
        }
    }

    #[test]
    fn the_same_end_has_the_same_id() {
        assert_eq!(record(&sample(1)).id, record(&sample(1)).id);
    }

    #[test]
    fn a_wrong_or_missing_signature_is_refused_and_so_is_an_old_one() {
        let mut tampered = sample(1);
        tampered["sign"] = "0".repeat(32).into();
        let mut unsigned = sample(1);
        unsigned.as_object_mut().unwrap().remove("sign");
        let mut later = sample(1);
        later["t"] = 1_703_732_079.into();
        for body in [tampered, unsigned, later] {
            let read = read(&importer(), body.to_string().as_bytes(), NOW);
            assert_eq!(read, Err(ImportError::Signature), "{body}");
        }
        let over = Timestamp(1_703_732_079_000);
        let read = read(&importer(), sample(1).to_string().as_bytes(), over);
        assert_eq!(read, Err(ImportError::Signature));
    }

    proptest! {
        #[test]
        fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..200), time in any::<i64>(), errcode in any::<i64>()) {
            let _ = read(&importer(), &body, NOW);
            let mut odd = sample(1);
            odd["event_time"] = time.into();
            odd["errcode"] = errcode.into();
            odd["push_duration"] = time.to_string().into();
            let _ = read(&importer(), odd.to_string().as_bytes(), NOW);
        }
    }
}
