//! The pushes that ended, as event list and as published list.

use std::time::Duration;

use cause::{Cause, Lang};
use model::catalog::Role;
use model::{Record, Timestamp};
use serde::Serialize;
use store::RecordQuery;

use crate::api::css::call::{Action, Answered, Call, PageNumbers, PageOf, answer};
use crate::api::css::error::CssError;
use crate::api::css::schema::{Param, integer, text};
use crate::api::css::time;

const DAY: Duration = Duration::from_secs(86_400);
/// How far back lists go, with a day for the length of months and for zones.
const HISTORY: Duration = DAY.saturating_mul(63);
/// How much time one list spans at most.
const SPAN: Duration = DAY.saturating_mul(31);
/// How far `EndTime` may lie ahead of our clock.
const AHEAD: Duration = Duration::from_secs(300);
/// Entries that paging can reach.
const REACHED: usize = 10_000;

const START: Param = text("StartTime", 64).required();
const END: Param = text("EndTime", 64).required();
const DOMAIN: Param = text("DomainName", 255);
const APP: Param = text("AppName", 255);
const STREAM: Param = text("StreamName", 255);

/// The actions of this file.
pub const ACTIONS: [Action; 2] = [
    Action {
        name: "DescribeLiveStreamEventList",
        rate: 300,
        role: Role::Viewer,
        params: &[
            START,
            END,
            APP,
            DOMAIN,
            STREAM,
            integer("PageNum", 1, 10_000).or(1),
            integer("PageSize", 1, 100).or(10),
            integer("IsFilter", 0, 1).or(0),
            integer("IsStrict", 0, 1).or(0),
            integer("IsAsc", 0, 1).or(0),
        ],
        run: |call| Box::pin(events(call)),
    },
    Action {
        name: "DescribeLiveStreamPublishedList",
        rate: 300,
        role: Role::Viewer,
        params: &[
            START,
            END,
            DOMAIN.required(),
            APP,
            STREAM,
            integer("PageNum", 1, 1_000).or(1),
            integer("PageSize", 10, 100).or(10),
        ],
        run: |call| Box::pin(published(call)),
    },
];

/// One push that ended: StreamEventInfo, and StreamName of the published list. What stands below the line is ours;
/// clients ignore what they do not know.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StreamEvent {
    app_name: String,
    domain_name: String,
    stream_name: String,
    stream_start_time: String,
    stream_end_time: String,
    stop_reason: String,
    duration: u64,
    client_ip: String,
    resolution: String,
    // ---
    err_code: u16,
    sub_err_code: u16,
    sequence: String,
    attempts: u64,
}

impl StreamEvent {
    fn of(record: &Record, lang: Lang) -> Self {
        let reason = Cause::from_code(record.code()).map_or("", |cause| cause.errmsg(lang));
        let size = record.video.as_ref().and_then(|video| video.width.zip(video.height));
        Self {
            app_name: record.app.clone().unwrap_or_default(),
            domain_name: record.domain.clone().unwrap_or_default(),
            stream_name: record.stream.clone().unwrap_or_default(),
            stream_start_time: time::utc(record.published_at.unwrap_or(record.connected_at)),
            stream_end_time: time::utc(record.ended_at),
            stop_reason: reason.to_owned(),
            duration: record.duration_ms / 1000,
            client_ip: record.client_ip.to_string(),
            resolution: size.map(|(width, height)| format!("{width}*{height}")).unwrap_or_default(),
            err_code: record.errcode,
            sub_err_code: record.sub_errcode,
            sequence: record.sequence.to_string(),
            attempts: record.attempts,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EventList {
    event_list: Vec<StreamEvent>,
    #[serde(flatten)]
    page: PageNumbers,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PublishedList {
    publish_info: Vec<StreamEvent>,
    #[serde(flatten)]
    page: PageNumbers,
}

async fn events(call: Call) -> Answered {
    let strict = call.number("IsStrict")? == 1;
    let wanted = wanted(&call, !strict)?;
    let order = Order { published: call.number("IsFilter")? == 1, ascending: call.number("IsAsc")? == 1 };
    let (event_list, page) = list(&call, wanted, order).await?;
    answer(EventList { event_list, page })
}

async fn published(call: Call) -> Answered {
    let wanted = wanted(&call, true)?;
    let order = Order { published: true, ascending: false };
    let (publish_info, page) = list(&call, wanted, order).await?;
    answer(PublishedList { publish_info, page })
}

/// What is left out, and which end of the list comes first.
#[derive(Clone, Copy)]
struct Order {
    published: bool,
    ascending: bool,
}

/// The filters that both lists have.
fn wanted(call: &Call, fuzzy: bool) -> Result<RecordQuery, CssError> {
    let now = call.state.clock().now();
    let (since, until) = (instant(call, "StartTime")?, instant(call, "EndTime")?);
    if since < now.minus(HISTORY) {
        return Err(CssError::value("StartTime", "must be at most 60 days ago"));
    }
    if until < since {
        return Err(CssError::value("EndTime", "must not be before `StartTime`"));
    }
    if until > since.plus(SPAN) {
        return Err(CssError::value("EndTime", "must be at most 30 days after `StartTime`"));
    }
    if until > now.plus(AHEAD) {
        return Err(CssError::value("EndTime", "must not be in the future"));
    }
    Ok(RecordQuery {
        stream: call.filter("StreamName").map(str::to_owned),
        fuzzy,
        domain: call.filter("DomainName").map(str::to_owned),
        app: call.filter("AppName").map(str::to_owned),
        account: call.caller.scope.account(),
        since: Some(since),
        // Times are written to the second, so an end within the last second belongs to it.
        until: Some(until.plus(Duration::from_secs(1))),
        ..RecordQuery::default()
    })
}

fn instant(call: &Call, name: &'static str) -> Result<Timestamp, CssError> {
    time::read_utc(call.required(name)?)
        .ok_or_else(|| CssError::value(name, "must be a UTC time such as 2018-12-29T19:00:00Z"))
}

async fn list(
    call: &Call,
    query: RecordQuery,
    order: Order,
) -> Result<(Vec<StreamEvent>, PageNumbers), CssError> {
    let page = call.page();
    if page.number.saturating_mul(page.size) > REACHED {
        return Err(CssError::value("PageNum", "must stay within the first 10000 entries"));
    }
    let reader = call.state.reader().clone();
    let listing = store::ListQuery {
        filter: query,
        published: order.published,
        ascending: order.ascending,
        skip: page.skip(),
        take: page.size,
        count_to: REACHED,
    };
    let found = tokio::task::spawn_blocking(move || reader.list(&listing)).await??;
    let entries = found.records.iter().map(|record| StreamEvent::of(record, call.lang)).collect();
    Ok((entries, PageOf::numbers(page, found.total)))
}
