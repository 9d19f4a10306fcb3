//! One record: why did this push end, who can mend it, and how sure are we?
//!
//! | module | holds |
//! |---|---|
//! | [`chart`] | the timeline as curves |
//! | [`sequence`] | the black box as a sequence of messages |
//! | [`health`] | how well the push did |
//! | [`socket`] | how the connection ended, and what TCP knew |
//! | [`carrier`] | what SRT and WebRTC counted |
//! | [`neighbours`] | what happened around it |
//! | [`share`] | links for those who have no account |
//! | [`export`] | the record as a file |

mod carrier;
mod chart;
mod export;
mod health;
mod neighbours;
mod sequence;
mod share;
mod socket;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cause::verdict::Confidence;
use cause::{Cause, Evidence, Plain};
use model::catalog::Role;
use model::{PushId, Record, StreamKey};
use store::{Reader, StoreError};

pub(super) use chart::{Asked, Timeline, last_minute, timeline};
pub(super) use export::file as export;
pub(super) use share::{digest, submit as share};

use self::share::Sharing;
use super::frame::{Frame, SignedIn, render};
use super::show::{Chip, When, duration, grouped};
use super::stream;
use super::words::Words;
use crate::actions::Scope;
use crate::present::in_language;
use crate::problem::Problem;
use crate::state::WebState;

#[derive(Template)]
#[template(path = "record.html")]
struct Page {
    f: Frame,
    title: String,
    /// The page of its stream key; empty where none was named.
    stream_link: String,
    id: String,
    chip: Chip,
    /// The same in the words of those who stream.
    plain: Plain,
    meaning: &'static str,
    advice: &'static str,
    detail: String,
    findings: Vec<FindingText>,
    factors: Vec<String>,
    untold: Vec<String>,
    /// Whether it was a test push.
    test: bool,
    health: Option<health::Health>,
    /// Whether evidence is kept; records outlive theirs.
    has_evidence: bool,
    start: Option<When>,
    end: When,
    facts: Vec<Fact>,
    socket: Vec<Fact>,
    carrier: Vec<Fact>,
    timeline: Option<Timeline>,
    events: Vec<Event>,
    sequence: Vec<sequence::Row>,
    same_stream: Vec<neighbours::Line>,
    same_network: Vec<neighbours::Line>,
    /// The network that `same_network` was searched in.
    network: String,
    /// How to make the same cause happen; empty where the lab cannot.
    lab: String,
    sharing: Sharing,
    /// Days that a link may live.
    days: [u32; 3],
}

/// A type of event that happened while the push was live.
struct Event {
    kind: u8,
    name: String,
    count: String,
    /// First and last, as seconds after connecting.
    when: String,
    last: String,
}

/// A cause that the evidence speaks for.
struct FindingText {
    chip: Chip,
    confidence: String,
    signs_for: Vec<String>,
    signs_against: Vec<String>,
}

/// A name and a value; empty values are left out.
struct Fact {
    name: String,
    value: String,
    /// Shown in the type of ids, addresses and codes.
    mono: bool,
}

#[derive(Template)]
#[template(path = "missing.html")]
struct Missing {
    f: Frame,
    title: String,
    text: String,
}

/// The page.
pub(super) async fn page(
    SignedIn(f): SignedIn,
    State(state): State<WebState>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let Ok(id) = id.parse::<PushId>() else { return missing(f, StatusCode::NOT_FOUND, "record-missing") };
    match find(&state, id, f.scope()).await {
        Ok(Some(found)) => {
            let links = share::of_record(&state, id).await;
            let sharing = Sharing { links, may_act: f.may(Role::Operator), ..Sharing::default() };
            render(StatusCode::OK, &Page::of(found, &asked, sharing, f))
        }
        Ok(None) => missing(f, StatusCode::NOT_FOUND, "record-missing"),
        Err(_) => missing(f, StatusCode::INTERNAL_SERVER_ERROR, "records-unreadable"),
    }
}

/// What the page is made of.
struct Found {
    record: Record,
    evidence: Option<Vec<u8>>,
    around: neighbours::Found,
}

/// A record of somebody else is like one that does not exist.
async fn find(state: &WebState, id: PushId, scope: Scope) -> Result<Option<Found>, Problem> {
    let reader = state.reader().clone();
    Ok(tokio::task::spawn_blocking(move || read(&reader, id, scope)).await??)
}

fn read(reader: &Reader, id: PushId, scope: Scope) -> Result<Option<Found>, StoreError> {
    let found = reader.get(id)?.filter(|(record, _)| scope.covers(record.account));
    let Some((record, evidence)) = found else { return Ok(None) };
    let around = neighbours::find(reader, &record, scope)?;
    Ok(Some(Found { record, evidence, around }))
}

fn missing(f: Frame, status: StatusCode, key: &str) -> Response {
    let page = Missing { title: f.t("record-title"), text: f.t(key), f };
    render(status, &page)
}

impl Page {
    fn of(found: Found, asked: &Asked, sharing: Sharing, f: Frame) -> Self {
        let Found { record, evidence, around } = found;
        let record = in_language(record, f.lang);
        let evidence = evidence.and_then(|bytes| Evidence::decode(&bytes).ok());
        let verdict = evidence.as_ref().map(cause::verdict);
        let cause = Cause::from_code(record.code()).unwrap_or(Cause::Unknown);
        Self {
            title: record.stream.clone().unwrap_or_else(|| record.client_ip.to_string()),
            stream_link: match (&record.domain, &record.app, &record.stream) {
                (Some(domain), Some(app), Some(stream)) => {
                    stream::link(&StreamKey::new(domain.as_str(), app.as_str(), stream.as_str()))
                }
                _ => String::new(),
            },
            id: record.id.to_string(),
            chip: Chip::of(record.code(), f.lang),
            plain: cause.plain(f.lang),
            meaning: cause.meaning(f.lang),
            advice: cause.advice(f.lang),
            detail: record.detail.as_ref().map(|d| d.text.clone()).unwrap_or_default(),
            findings: verdict.as_ref().map(|v| findings(v, &f)).unwrap_or_default(),
            factors: verdict.as_ref().map(|v| texts(&v.factors, &f)).unwrap_or_default(),
            untold: verdict.as_ref().map(|v| texts(&v.untold, &f)).unwrap_or_default(),
            test: record.is_test(),
            health: evidence.as_ref().and_then(|e| health::of(e, &record, &f)),
            has_evidence: evidence.is_some(),
            start: record.published_at.map(When::of),
            end: When::of(record.ended_at),
            facts: facts(&record, &f),
            socket: evidence.as_ref().map(|e| socket::facts(e, &f)).unwrap_or_default(),
            carrier: evidence.as_ref().map(|e| carrier::facts(e, &f)).unwrap_or_default(),
            timeline: evidence
                .as_ref()
                .and_then(|e| timeline(e, asked, format!("/records/{}", record.id), &f)),
            events: evidence.as_ref().map(|e| events(e, &f)).unwrap_or_default(),
            sequence: evidence.as_ref().map(|e| sequence::rows(e, &f)).unwrap_or_default(),
            same_stream: match around.same_stream.len() {
                0 | 1 => Vec::new(),
                _ => neighbours::lines(&around.same_stream, &record, &f),
            },
            same_network: neighbours::lines(&around.same_network, &record, &f),
            network: around.network.map(|n| n.to_string()).unwrap_or_default(),
            lab: format!("lastframe lab run {}", record.code()),
            sharing,
            days: share::DAYS,
            f,
        }
    }
}

fn texts(details: &[cause::Detail], f: &Frame) -> Vec<String> {
    details.iter().map(|detail| detail.text(f.lang)).collect()
}

fn findings(verdict: &cause::Verdict, f: &Frame) -> Vec<FindingText> {
    verdict
        .findings
        .iter()
        .map(|finding| FindingText {
            chip: Chip::of(finding.cause.code(), f.lang),
            confidence: f.t(match finding.confidence {
                Confidence::Possible => "confidence-possible",
                Confidence::Likely => "confidence-likely",
                Confidence::Strong => "confidence-strong",
                Confidence::Certain => "confidence-certain",
            }),
            signs_for: texts(&finding.signs_for, f),
            signs_against: texts(&finding.signs_against, f),
        })
        .collect()
}

fn events(evidence: &Evidence, f: &Frame) -> Vec<Event> {
    let at = |ms: u32| format!("{:.1}", f64::from(ms) / 1_000.0);
    let event = |e: &cause::event::EventCount| Event {
        kind: e.kind,
        name: e.name(f.lang),
        count: grouped(e.count.into()),
        when: if e.count > 1 {
            format!("{} – {} s", at(e.first_ms), at(e.last_ms))
        } else {
            format!("{} s", at(e.first_ms))
        },
        last: e.recent.last().map(|seen| seen.text(e.event(), f.lang)).unwrap_or_default(),
    };
    evidence.events.iter().map(event).collect()
}

fn facts(record: &Record, f: &Frame) -> Vec<Fact> {
    let words = f.words();
    let bytes = |n: u64| format!("{} B", grouped(n));
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let live = record.published_at.map(|_| duration(words, record.duration_ms)).unwrap_or_default();
    let attempts = if record.attempts > 1 { grouped(record.attempts) } else { String::new() };
    let rows = [
        ("fact-duration", live, false),
        ("fact-attempts", attempts, false),
        ("column-domain", text(&record.domain), true),
        ("column-app", text(&record.app), true),
        ("column-stream", text(&record.stream), true),
        ("fact-client", std::net::SocketAddr::new(record.client_ip, record.client_port).to_string(), true),
        ("fact-protocol", record.protocol.to_uppercase(), false),
        ("fact-encoder", text(&record.encoder), false),
        ("fact-video", video(record), false),
        ("fact-audio", audio(record, words), false),
        ("fact-bytes-in", bytes(record.bytes_in), false),
        ("fact-bytes-out", bytes(record.bytes_out), false),
        ("fact-query", text(&record.stream_param), true),
        ("fact-node", record.node.clone(), false),
        ("fact-account", record.account.map(|a| a.to_string()).unwrap_or_default(), true),
        ("fact-id", record.id.to_string(), true),
        ("fact-sequence", record.sequence.to_string(), true),
    ];
    rows.into_iter()
        .filter(|(_, value, _)| !value.is_empty())
        .map(|(key, value, mono)| Fact { name: f.t(key), value, mono })
        .collect()
}

/// Video in one line: codec, size, rates.
pub(super) fn video(record: &Record) -> String {
    let Some(video) = &record.video else { return String::new() };
    let size = video.width.zip(video.height).map(|(w, h)| format!("{w}×{h}"));
    let fps = video.fps.map(|n| format!("{n:.1} fps"));
    joined([video.codec.clone(), size, fps, video.kbps.map(kbps)])
}

/// Audio in one line: codec, rates, channels.
pub(super) fn audio(record: &Record, words: &Words) -> String {
    let Some(audio) = &record.audio else { return String::new() };
    let channels = audio.channels.map(|n| words.with("fact-channels", &[("n", n.to_string())]));
    let rate = audio.sample_rate.map(|n| format!("{} Hz", grouped(n.into())));
    joined([audio.codec.clone(), rate, channels, audio.kbps.map(kbps)])
}

fn kbps(number: u32) -> String {
    format!("{} kbit/s", grouped(number.into()))
}

fn joined(parts: impl IntoIterator<Item = Option<String>>) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
