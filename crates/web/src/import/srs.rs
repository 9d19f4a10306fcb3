//! SRS's HTTP callbacks: `on_publish` and `on_unpublish`; others are acknowledged and left alone. They tell no times, so
//! those of their arrival are taken, and no reason.

use cause::Cause;
use model::Timestamp;
use serde::Deserialize;
use store::Import;

use super::told::{Elsewhere, Ending, end, start};
use super::{ImportError, Importer, field};

#[derive(Deserialize)]
struct Told {
    action: String,
    #[serde(default)]
    server_id: String,
    #[serde(default)]
    client_id: serde_json::Value,
    #[serde(default)]
    ip: String,
    #[serde(default)]
    vhost: String,
    #[serde(default)]
    app: String,
    #[serde(default)]
    stream: String,
    #[serde(default)]
    param: String,
}

pub(super) fn read(importer: &Importer, body: &[u8], now: Timestamp) -> Result<Option<Import>, ImportError> {
    let told: Told =
        serde_json::from_slice(body).map_err(|error| ImportError::Unreadable(error.to_string()))?;
    // An id is a text in newer versions and a number in older ones.
    let client = match &told.client_id {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) => number.to_string(),
        _ => return Err(ImportError::Field("client_id")),
    };
    let is_start = match told.action.as_str() {
        "on_publish" => true,
        "on_unpublish" => false,
        _ => return Ok(None),
    };
    let client = field::id("client_id", client)?;
    let node = field::name("server_id", told.server_id)?;
    let app = field::name("app", told.app)?;
    let stream = field::required("stream", told.stream)?;
    let push = Elsewhere {
        key: format!("{node}/{client}/{app}/{stream}"),
        domain: field::name("vhost", told.vhost)?,
        app,
        stream,
        client_ip: told.ip.parse().ok(),
        node,
        param: told.param.trim_start_matches('?').to_owned(),
        encoder: None,
    };
    let ending = Ending { at: now, duration: None, code: Cause::Imported.code(), size: None };
    Ok(Some(if is_start { start(importer, push, now) } else { end(importer, push, ending) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::ImportKind;

    fn importer() -> Importer {
        Importer {
            name: "edge".into(),
            kind: ImportKind::Srs,
            token: "token".into(),
            account: 5,
            key: String::new(),
        }
    }

    /// As SRS documents it.
    fn told(action: &str) -> String {
        format!(
            r#"{{"server_id":"vid-0xk989d","action":"{action}","client_id":"341w361a","ip":"127.0.0.1",
                "vhost":"__defaultVhost__","app":"live","tcUrl":"rtmp://127.0.0.1:1935/live?vhost=__defaultVhost__",
                "stream":"livestream","param":"?token=xxx","stream_url":"video.test.com/live/livestream",
                "stream_id":"vid-124q9y3"}}"#
        )
    }

    #[test]
    fn start_and_end_of_a_push_have_one_key() {
        let read = |action| read(&importer(), told(action).as_bytes(), Timestamp(9)).unwrap().unwrap();
        let Import::Start { key: begun, at, .. } = read("on_publish") else { panic!() };
        let Import::End { key: ended, row, told_duration, .. } = read("on_unpublish") else { panic!() };
        assert_eq!((begun, at, told_duration), (ended, Timestamp(9), false));
        assert_eq!((row.record.errcode, row.record.stream.as_deref()), (34, Some("livestream")));
        assert_eq!(row.record.stream_param.as_deref(), Some("token=***"));
    }

    #[test]
    fn other_actions_are_left_alone_and_nonsense_is_refused() {
        assert_eq!(read(&importer(), told("on_play").as_bytes(), Timestamp(9)), Ok(None));
        assert!(read(&importer(), b"[]", Timestamp(9)).is_err());
        assert!(read(&importer(), br#"{"action":"on_publish"}"#, Timestamp(9)).is_err());
        let long = told("on_publish").replace("341w361a", &"3".repeat(129));
        let refused = read(&importer(), long.as_bytes(), Timestamp(9));
        assert_eq!(refused, Err(ImportError::TooLong { field: "client_id", bytes: 129, most: 128 }));
    }
}
