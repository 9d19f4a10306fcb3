//! What receivers were told, and what they answered.

use std::time::Duration;

use model::Timestamp;
use model::catalog::{CallbackKind, Role};
use serde::Serialize;
use store::{DeliveryEntry, DeliveryQuery, StoreError};

use crate::api::css::call::{Action, Answered, Call, PageNumbers, answer};
use crate::api::css::error::CssError;
use crate::api::css::schema::{integer, text};
use crate::api::css::time;

const DAY: Duration = Duration::from_secs(86_400);
/// How far back lists go, with a day for zones.
const HISTORY: Duration = DAY.saturating_mul(15);
/// How far lists are counted, and reach.
const REACHED: usize = 10_000;

/// The actions of this file.
pub const ACTIONS: [Action; 1] = [Action {
    name: "DescribeCallbackRecordsList",
    rate: 100,
    role: Role::Viewer,
    params: &[
        text("StartTime", 64).required(),
        text("EndTime", 64).required(),
        text("StreamName", 255).required(),
        integer("PageNum", 1, 10_000).required(),
        integer("PageSize", 1, 100).required(),
        integer("EventType", 0, 65_535),
        integer("ResultCode", i64::MIN, i64::MAX),
    ],
    run: |call| Box::pin(list(call)),
}];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecordsList {
    data_info_list: Vec<CallbackEvent>,
    #[serde(flatten)]
    page: PageNumbers,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CallbackEvent {
    event_time: String,
    event_type: u16,
    request: String,
    response: String,
    response_time: String,
    result_code: u16,
    stream_id: String,
}

impl CallbackEvent {
    fn of(entry: DeliveryEntry) -> Self {
        let answered = entry.sent_at.plus(Duration::from_millis(entry.took_ms));
        Self {
            event_time: time::utc(entry.event_at),
            event_type: entry.kind.event_type(),
            request: entry.request,
            response: match entry.reason {
                Some(reason) if entry.response.is_empty() => reason,
                _ => entry.response,
            },
            response_time: time::utc(answered),
            // Without an answer there is no status to tell.
            result_code: match entry.status {
                Some(200) => 0,
                status => status.unwrap_or(1),
            },
            stream_id: entry.key.stream,
        }
    }
}

/// Each try to tell a receiver of a stream, newest first.
async fn list(call: Call) -> Answered {
    let (since, until) = window(&call)?;
    let page = call.page();
    if page.number.saturating_mul(page.size) > REACHED {
        return Err(CssError::value("PageNum", "must stay within the first 10000 entries"));
    }
    let wanted = call.args.integer("EventType");
    let kind = wanted.and_then(|number| CallbackKind::of_event_type(u16::try_from(number).ok()?));
    if wanted.is_some() && kind.is_none() {
        // Events of recording and screenshots, which do not occur here.
        return answer(RecordsList { data_info_list: Vec::new(), page: page.numbers(0) });
    }
    let query = DeliveryQuery {
        account: call.caller.scope.account(),
        domain: None,
        stream: Some(call.required("StreamName")?.to_owned()),
        kind,
        delivered: call.args.integer("ResultCode").map(|code| code == 0),
        since: Some(since),
        // Times are written to the second, so what happened within the last second belongs to it.
        until: Some(until.plus(Duration::from_secs(1))),
        below: None,
        skip: page.skip() as u64,
        limit: page.size,
    };
    let history = call.state.history().clone();
    let (rows, total) = tokio::task::spawn_blocking(move || {
        let total = history.count_deliveries(&query, REACHED as u64)?;
        Ok::<_, StoreError>((history.deliveries(&query)?, total))
    })
    .await??;
    let total = usize::try_from(total).unwrap_or(REACHED);
    let data_info_list = rows.into_iter().map(|row| CallbackEvent::of(row.entry)).collect();
    answer(RecordsList { data_info_list, page: page.numbers(total) })
}

fn window(call: &Call) -> Result<(Timestamp, Timestamp), CssError> {
    let read = |name: &'static str| {
        let what = "must be a time such as 2018-12-29T19:00:00Z, or 2018-12-30 03:00:00 in Beijing";
        time::read_either(call.required(name)?).ok_or_else(|| CssError::value(name, what))
    };
    let (since, until) = (read("StartTime")?, read("EndTime")?);
    if since < call.state.clock().now().minus(HISTORY) {
        return Err(CssError::value("StartTime", "must be at most 14 days ago"));
    }
    if until < since || until > since.plus(DAY) {
        return Err(CssError::value("EndTime", "must be after `StartTime`, by at most a day"));
    }
    Ok((since, until))
}
