//! The body of a callback, with the fields of the CSS callback documents, and its signature.

use std::time::Duration;

use cause::{Cause, EventKind, Lang};
use md5::{Digest, Md5};
use model::mask::MASK;
use model::{Code, Timestamp};
use serde_json::{Value, json};
use store::{Notice, ReportedEvent, Told, Waiting};

/// How long a signature is good.
const SIGNED_FOR: Duration = Duration::from_secs(600);

/// A body to send, and the same as it may be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// To be sent.
    pub body: String,
    /// Without secrets.
    pub masked: String,
}

/// Words an event for its receiver. The query of the push URL goes as it was received only where the receiver can tell
/// that it comes from here: in a signed callback.
pub fn message(waiting: &Waiting, notice: &Notice, key: &str, now: Timestamp, timeout: Duration) -> Message {
    let mut fields = match &notice.told {
        Told::Exception { interval_ms, events } => exception(waiting, notice, *interval_ms, events, timeout),
        Told::Begin => push(waiting, notice, Code::new(0, 0), "ok", (0, 0)),
        Told::End { errcode, sub_errcode, duration_ms, width, height } => {
            let code = Code::new(*errcode, *sub_errcode);
            let errmsg = Cause::from_code(code).unwrap_or(Cause::Unknown).errmsg(Lang::En);
            let mut fields = push(waiting, notice, code, errmsg, (*width, *height));
            put(&mut fields, "push_duration", duration_ms.to_string());
            fields
        }
    };
    put(&mut fields, "event_type", waiting.kind.event_type());
    put(&mut fields, "delivery_id", waiting.id.as_str());
    let mut shown = fields.clone();
    if !key.is_empty() {
        let expires = now.plus(SIGNED_FOR).secs();
        for (fields, sign) in [(&mut fields, sign(key, expires)), (&mut shown, MASK.to_owned())] {
            put(fields, "t", expires);
            put(fields, "sign", sign);
        }
        if let Some(original) = &notice.original_param {
            put(&mut fields, "stream_param", original.as_str());
        }
    }
    Message { body: fields.to_string(), masked: shown.to_string() }
}

/// `sign` of a callback: MD5 of the key and the time of expiry as decimal text.
pub fn sign(key: &str, expires: i64) -> String {
    hex::encode(Md5::digest(format!("{key}{expires}")))
}

fn push(waiting: &Waiting, notice: &Notice, code: Code, errmsg: &str, (width, height): (u32, u32)) -> Value {
    json!({
        "appid": waiting.account.unwrap_or(0),
        "app": waiting.key.domain,
        "appname": waiting.key.app,
        "stream_id": waiting.key.stream,
        "channel_id": waiting.key.stream,
        "event_time": waiting.created_at.secs(),
        "sequence": waiting.push.sequence(),
        "node": notice.node,
        "user_ip": notice.client_ip.to_canonical().to_string(),
        "stream_param": notice.stream_param.as_deref().unwrap_or_default(),
        "errcode": code.errcode,
        "sub_errcode": code.sub_errcode,
        "errmsg": errmsg,
        "set_id": 0,
        "idc_id": 0,
        "width": width,
        "height": height,
    })
}

fn exception(
    waiting: &Waiting,
    notice: &Notice,
    interval_ms: u64,
    events: &[ReportedEvent],
    timeout: Duration,
) -> Value {
    let events: Vec<Value> = events
        .iter()
        .map(|event| {
            let detail: Vec<Value> = event
                .occurrences
                .iter()
                .map(|o| json!({ "desc": o.what, "occur_time": o.at.millis() }))
                .collect();
            let name = |lang| EventKind::from_number(event.kind).map_or("", |kind| kind.name(lang));
            json!({
                "type": event.kind,
                "count": event.count,
                "detail": detail,
                "type_desc_cn": name(Lang::Zh),
                "type_desc_en": name(Lang::En),
                "event_key": "",
                "customer_visible": "true",
            })
        })
        .collect();
    json!({
        "appid": waiting.account.unwrap_or(0),
        "user_ip": notice.client_ip.to_canonical().to_string(),
        "data_time": waiting.created_at.millis(),
        "domain": waiting.key.domain,
        "path": waiting.key.app,
        "stream_id": waiting.key.stream,
        "stream_param": notice.stream_param.as_deref().unwrap_or_default(),
        "sequence": waiting.push.sequence(),
        "report_interval": interval_ms,
        "timeout": u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
        "interface": "general_callback",
        "abnormal_event": events,
    })
}

fn put(fields: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(fields) = fields.as_object_mut() {
        fields.insert(name.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use model::catalog::CallbackKind;
    use model::{PushId, StreamKey};
    use store::Occurrence;

    use super::*;

    fn waiting(kind: CallbackKind) -> Waiting {
        let push = PushId::from_parts(Timestamp(1_703_731_478_000), 7);
        Waiting {
            id: format!("{push}-{}", kind.event_type()),
            template: 1,
            push,
            kind,
            account: Some(12_345_678),
            key: StreamKey::new("test.domain.com", "live", "test_stream"),
            created_at: Timestamp(1_703_731_478_123),
            attempts: 0,
            notice: None,
        }
    }

    fn notice(told: Told) -> Notice {
        Notice {
            node: "node-1".into(),
            client_ip: "::ffff:1.1.1.1".parse().unwrap(),
            stream_param: Some("txSecret=***&a=b".into()),
            original_param: Some("txSecret=HIDDEN&a=b".into()),
            told,
        }
    }

    fn made(kind: CallbackKind, told: Told, key: &str) -> (Value, Message) {
        let now = Timestamp(1_703_731_478_900);
        let message = message(&waiting(kind), &notice(told), key, now, Duration::from_secs(20));
        (serde_json::from_str(&message.body).unwrap(), message)
    }

    #[test]
    fn a_start_has_the_fields_of_the_documents() {
        let (body, _) = made(CallbackKind::Begin, Told::Begin, "key");
        let sequence = waiting(CallbackKind::Begin).push.sequence().to_string();
        assert_eq!(
            body,
            json!({
                "app": "test.domain.com", "appid": 12345678, "appname": "live", "channel_id": "test_stream",
                "errcode": 0, "errmsg": "ok", "event_time": 1703731478, "event_type": 1, "height": 0, "idc_id": 0,
                "node": "node-1", "sequence": sequence, "set_id": 0, "sign": sign("key", 1703732078),
                "stream_id": "test_stream", "stream_param": "txSecret=HIDDEN&a=b", "t": 1703732078,
                "user_ip": "1.1.1.1", "width": 0, "sub_errcode": 0,
                "delivery_id": waiting(CallbackKind::Begin).id,
            })
        );
    }

    #[test]
    fn an_end_tells_its_cause_and_a_duration_as_text() {
        let told =
            Told::End { errcode: 18, sub_errcode: 305, duration_ms: 128_581, width: 1280, height: 720 };
        let (body, _) = made(CallbackKind::End, told, "key");
        assert_eq!((&body["errcode"], &body["sub_errcode"]), (&json!(18), &json!(305)));
        assert_eq!((&body["push_duration"], &body["width"]), (&json!("128581"), &json!(1280)));
        let cause = Cause::from_code(Code::new(18, 305)).unwrap();
        assert_eq!(body["errmsg"], cause.errmsg(Lang::En));
    }

    #[test]
    fn without_a_key_there_is_no_signature_and_no_secret() {
        let (body, message) = made(CallbackKind::Begin, Told::Begin, "");
        assert!(body.get("t").is_none() && body.get("sign").is_none());
        assert!(!message.body.contains("HIDDEN"));
    }

    #[test]
    fn what_is_kept_of_a_callback_holds_no_secret() {
        let (body, message) = made(CallbackKind::Begin, Told::Begin, "key");
        assert!(message.body.contains("HIDDEN"));
        assert!(!message.masked.contains("HIDDEN"), "{}", message.masked);
        assert!(!message.masked.contains(body["sign"].as_str().unwrap()));
    }

    #[test]
    fn a_push_error_lists_its_events_under_the_names_of_its_document() {
        let event = ReportedEvent {
            kind: 6,
            count: 2,
            occurrences: vec![Occurrence { at: Timestamp(5), what: "3012 ms".into(), seen: None }],
        };
        let told = Told::Exception { interval_ms: 5_000, events: vec![event] };
        let (body, _) = made(CallbackKind::Exception, told, "key");
        assert_eq!((&body["domain"], &body["path"]), (&json!("test.domain.com"), &json!("live")));
        assert_eq!((&body["data_time"], &body["timeout"]), (&json!(1703731478123_i64), &json!(20_000)));
        let event = &body["abnormal_event"][0];
        assert_eq!(event["detail"], json!([{ "desc": "3012 ms", "occur_time": 5 }]));
        assert_eq!((&event["type"], &event["customer_visible"]), (&json!(6), &json!("true")));
        assert!(!event["type_desc_en"].as_str().unwrap().is_empty());
    }

    #[test]
    fn the_signature_is_md5_of_key_and_time() {
        // By `printf 'key1703732078' | md5sum`.
        assert_eq!(sign("key", 1_703_732_078), "913536c0d1d5741d4636f679709242ec");
    }
}
