//! What a callback comes to: the start of a push that runs elsewhere, or its end.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use cause::{Cause, Detail, DetailKey};
use model::{Code, PushId, Record, Timestamp};
use sha2::{Digest, Sha256};
use store::{EndRow, Import};

use super::Importer;
use super::field::MAX_NAME;

/// The longest query of a push URL that is kept, bytes.
const MAX_PARAM: usize = 4096;

/// A push that runs elsewhere, as far as a callback tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Elsewhere {
    /// What start and end have in common.
    pub key: String,
    /// Names, as [`super::field`] takes them.
    pub domain: String,
    pub app: String,
    pub stream: String,
    pub client_ip: Option<IpAddr>,
    pub node: String,
    /// The push URL's query, as received.
    pub param: String,
    pub encoder: Option<String>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ending {
    pub at: Timestamp,
    /// How long it was live, where that is told.
    pub duration: Option<Duration>,
    pub code: Code,
    /// The size of its picture.
    pub size: Option<(u32, u32)>,
}

/// The start of a push.
pub fn start(importer: &Importer, push: Elsewhere, at: Timestamp) -> Import {
    Import::Start { source: importer.name.clone(), key: push.key, at }
}

/// The end of a push.
pub fn end(importer: &Importer, push: Elsewhere, ending: Ending) -> Import {
    let id = id(&importer.name, &push.key, ending.at);
    let code = known(ending.code);
    let cause = Cause::from_code(code).unwrap_or(Cause::Imported);
    let detail = (cause == Cause::Imported)
        .then(|| Detail::new(DetailKey::ImportedFrom).with("source", importer.name.as_str()).into());
    let live = ending.duration.unwrap_or_default();
    let video = ending.size.map(|(width, height)| model::record::VideoRecord {
        width: Some(width),
        height: Some(height),
        ..model::record::VideoRecord::default()
    });
    let published_at = ending.at.minus(live);
    let record = Record {
        id,
        sequence: id.sequence(),
        source: importer.name.clone(),
        account: Some(importer.account),
        domain: Some(push.domain.to_ascii_lowercase()),
        app: Some(push.app),
        stream: Some(push.stream),
        protocol: "rtmp".to_owned(),
        client_ip: push.client_ip.unwrap_or(Ipv4Addr::UNSPECIFIED.into()),
        client_port: 0,
        node: described(push.node),
        connected_at: published_at,
        published_at: Some(published_at),
        ended_at: ending.at,
        duration_ms: ending.at.since(published_at),
        errcode: code.errcode,
        sub_errcode: code.sub_errcode,
        errmsg: String::new(),
        side: cause.side().as_str().to_owned(),
        detail,
        attempts: 1,
        last_attempt_at: None,
        bytes_in: 0,
        bytes_out: 0,
        video,
        audio: None,
        encoder: push.encoder.map(described),
        stream_param: Some(push.param)
            .filter(|param| !param.is_empty())
            .map(|param| model::mask::mask_query(&clipped(param, MAX_PARAM))),
    };
    let told_duration = ending.duration.is_some();
    let row = Box::new(EndRow { record, evidence: Vec::new(), verdict_version: 0 });
    Import::End { source: importer.name.clone(), key: push.key, row, told_duration }
}

/// The id of a push follows from what is told of it, so that an end that is told twice makes one record.
fn id(source: &str, key: &str, at: Timestamp) -> PushId {
    let digest = Sha256::digest(format!("{source}\n{key}"));
    let mut low = [0; 16];
    low.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    PushId::from_parts(at, u128::from_be_bytes(low))
}

/// Codes whose meaning there is not known, or differs from the meaning here, are 34/0.
fn known(code: Code) -> Code {
    let unknown = matches!(code.errcode, 0 | 22 | 25..=32 | 34 | 36);
    if unknown || Cause::from_code(code).is_none() { Cause::Imported.code() } else { code }
}

/// What only describes a push is cut where it is too long.
fn described(text: String) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    clipped(text, MAX_NAME)
}

fn clipped(mut text: String, max: usize) -> String {
    if text.len() > max {
        let end = (0..=max).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}
