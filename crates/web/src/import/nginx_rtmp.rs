//! nginx-rtmp's notifications: `on_publish`, `on_publish_done` and `on_done` (of a publisher, whichever comes first
//! counts). They tell no times and no reason, as SRS's.

use std::collections::HashMap;

use cause::Cause;
use model::Timestamp;
use store::Import;

use super::told::{Elsewhere, Ending, end, start};
use super::{ImportError, Importer, field};

/// Fields of one notification.
const MAX_FIELDS: usize = 64;

pub(super) fn read(importer: &Importer, body: &[u8], now: Timestamp) -> Result<Option<Import>, ImportError> {
    let fields = form(body)?;
    let told = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let is_start = match told("call") {
        "publish" => true,
        "publish_done" => false,
        // `on_done` also comes for players, whose notification is the same but for what came before it; `publish_done`
        // has told the end of a publisher then, and alone tells it for certain.
        _ => return Ok(None),
    };
    let own = |name: &str| told(name).to_owned();
    let client = field::id("clientid", own("clientid"))?;
    let app = field::name("app", own("app"))?;
    let stream = field::required("name", own("name"))?;
    let push = Elsewhere {
        key: format!("{client}/{app}/{stream}"),
        domain: field::name("tcurl", host(told("tcurl")).to_owned())?,
        app,
        stream,
        client_ip: told("addr").parse().ok(),
        node: String::new(),
        param: String::new(),
        encoder: Some(own("flashver")).filter(|text| !text.is_empty()),
    };
    let ending = Ending { at: now, duration: None, code: Cause::Imported.code(), size: None };
    Ok(Some(if is_start { start(importer, push, now) } else { end(importer, push, ending) }))
}

fn form(body: &[u8]) -> Result<HashMap<String, String>, ImportError> {
    let text = std::str::from_utf8(body).map_err(|_| ImportError::Unreadable("no UTF-8".into()))?;
    let decoded = |text: &str| model::stream_key::decode(&text.replace('+', " ")).into_owned();
    Ok(text
        .split('&')
        .take(MAX_FIELDS)
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect())
}

/// The host of an RTMP URL, without its port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    match authority.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
        Some((v6, _)) => v6,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::ImportKind;

    fn told(body: &str) -> Result<Option<Import>, ImportError> {
        let importer = Importer {
            name: "edge".into(),
            kind: ImportKind::NginxRtmp,
            token: "token".into(),
            account: 5,
            key: String::new(),
        };
        read(&importer, body.as_bytes(), Timestamp(9))
    }

    #[test]
    fn start_and_end_of_a_push_have_one_key() {
        // As nginx sends them.
        let common = "app=live&flashver=FMLE%2F3.0%20(compatible%3B%20Lavf60)&swfurl=&\
                      tcurl=rtmp%3A%2F%2Fpush.example.com%3A1936%2Flive&pageurl=&addr=127.0.0.1&clientid=1&name=show";
        let begun = told(&format!("{common}&call=publish&type=live")).unwrap().unwrap();
        let ended = told(&format!("{common}&call=publish_done")).unwrap().unwrap();
        let Import::Start { key: begun, .. } = begun else { panic!() };
        let Import::End { key: ended, row, .. } = ended else { panic!() };
        assert_eq!(begun, ended);
        let record = &row.record;
        assert_eq!(
            (record.domain.as_deref(), record.stream.as_deref()),
            (Some("push.example.com"), Some("show"))
        );
        assert_eq!(record.encoder.as_deref(), Some("FMLE/3.0 (compatible; Lavf60)"));
    }

    #[test]
    fn other_calls_are_left_alone_and_nonsense_is_refused() {
        assert_eq!(told("call=play&clientid=1&name=show"), Ok(None));
        assert_eq!(told("call=publish&name=show"), Err(ImportError::Field("clientid")));
        assert_eq!(told("call=publish&clientid=1&name="), Err(ImportError::Field("name")));
        let control = told("call=publish&clientid=1&name=a%0Ab");
        assert_eq!(control, Err(ImportError::Character { field: "name", character: '\n' }));
        let space = told("call=publish&clientid=1%202&name=a");
        assert_eq!(space, Err(ImportError::Character { field: "clientid", character: ' ' }));
    }
}
