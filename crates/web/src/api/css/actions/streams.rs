//! Who is live, the state of one stream; drop, forbid, resume; what is forbidden.

use live::LivePush;
use model::catalog::Role;
use serde::Serialize;
use serde_json::json;

use crate::actions;
use crate::api::css::call::{Action, Answered, Call, PageNumbers, answer, done};
use crate::api::css::error::{Code, CssError};
use crate::api::css::schema::{Param, integer, text};
use crate::api::css::time;

const DOMAIN: Param = text("DomainName", 255);
const APP: Param = text("AppName", 255);
const STREAM: Param = text("StreamName", 255);
const KEY: [Param; 3] = [DOMAIN.required(), APP.required(), STREAM.required()];

/// The actions of this file.
pub const ACTIONS: [Action; 6] = [
    Action {
        name: "DescribeLiveStreamOnlineList",
        rate: 100,
        role: Role::Viewer,
        params: &[
            DOMAIN,
            APP,
            STREAM,
            integer("PageNum", 1, i64::MAX).or(1),
            integer("PageSize", 10, 300_000).or(10),
        ],
        run: |call| Box::pin(online(call)),
    },
    Action {
        name: "DescribeLiveStreamState",
        rate: 300,
        role: Role::Viewer,
        params: &KEY,
        run: |call| Box::pin(state(call)),
    },
    Action {
        name: "DropLiveStream",
        rate: 100,
        role: Role::Operator,
        params: &KEY,
        run: |call| Box::pin(drop_stream(call)),
    },
    Action {
        name: "ForbidLiveStream",
        rate: 200,
        role: Role::Operator,
        params: &[
            DOMAIN.required(),
            APP.required(),
            STREAM.required(),
            text("ResumeTime", 64),
            text("Reason", 2_048),
        ],
        run: |call| Box::pin(forbid(call)),
    },
    Action {
        name: "ResumeLiveStream",
        rate: 100,
        role: Role::Operator,
        params: &KEY,
        run: |call| Box::pin(resume(call)),
    },
    Action {
        name: "DescribeLiveForbidStreamList",
        rate: 100,
        role: Role::Viewer,
        params: &[STREAM, integer("PageNum", 1, i64::MAX).or(1), integer("PageSize", 1, 100).or(10)],
        run: |call| Box::pin(forbidden(call)),
    },
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OnlineList {
    online_info: Vec<OnlineInfo>,
    #[serde(flatten)]
    page: PageNumbers,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OnlineInfo {
    stream_name: String,
    app_name: String,
    domain_name: String,
    publish_time_list: Vec<PublishTime>,
    push_to_delay: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PublishTime {
    publish_time: String,
}

/// The live streams, by key; the pushes of each, the one that carries it first.
async fn online(call: Call) -> Answered {
    let mut pushes = live_pushes(&call, "DomainName", call.filter("StreamName")).await;
    pushes.sort_by(|a, b| stream_of(a).cmp(&stream_of(b)).then_with(|| b.role.cmp(a.role)));
    let streams: Vec<&[LivePush]> = pushes.chunk_by(|a, b| stream_of(a) == stream_of(b)).collect();
    let page = call.page();
    let total = streams.len();
    let entry = |pushes: &[LivePush]| {
        let first = pushes.first()?;
        let times = pushes.iter().map(|push| PublishTime { publish_time: time::utc(push.published_at) });
        Some(OnlineInfo {
            stream_name: first.stream.clone(),
            app_name: first.app.clone(),
            domain_name: first.domain.clone(),
            publish_time_list: times.collect(),
            push_to_delay: 0,
        })
    };
    let online_info = page.of(streams).into_iter().filter_map(entry).collect();
    answer(OnlineList { online_info, page: page.numbers(total) })
}

/// The live pushes that the caller may see, filtered by domain, `AppName` and stream.
pub async fn live_pushes(call: &Call, domain: &str, stream: Option<&str>) -> Vec<LivePush> {
    let (domain, app) = (call.filter(domain).map(str::to_ascii_lowercase), call.filter("AppName"));
    let mut pushes = call.state.live().pushes_everywhere().await.outcome;
    pushes.retain(|push| {
        call.caller.scope.covers(Some(push.account))
            && domain.as_ref().is_none_or(|domain| push.domain == *domain)
            && app.is_none_or(|app| push.app == app)
            && stream.is_none_or(|stream| push.stream == stream)
    });
    pushes
}

fn stream_of(push: &LivePush) -> (&str, &str, &str) {
    (&push.domain, &push.app, &push.stream)
}

async fn state(call: Call) -> Answered {
    let key = call.stream()?;
    let catalog = call.state.catalog();
    call.domain(&catalog, &key.domain).ok_or_else(no_domain)?;
    let live = async || {
        let pushes = live_pushes(&call, "DomainName", Some(&key.stream)).await;
        pushes.iter().any(|push| push.domain == key.domain && push.app == key.app)
    };
    let state = if catalog.forbidden_at(&key, call.state.clock().now()).is_some() {
        "forbid"
    } else if live().await {
        "active"
    } else {
        "inactive"
    };
    answer(json!({ "StreamState": state }))
}

async fn drop_stream(call: Call) -> Answered {
    actions::drop_stream(&call.state, call.caller.scope, &call.stream()?, &call.by()).await?;
    done()
}

async fn forbid(call: Call) -> Answered {
    let until = call
        .filter("ResumeTime")
        .map(|text| {
            time::read_utc(text)
                .ok_or_else(|| CssError::value("ResumeTime", "must be a time such as 2018-11-29T19:00:00Z"))
        })
        .transpose()?;
    let reason = call.args.text("Reason").unwrap_or_default().to_owned();
    let forbade =
        actions::forbid(&call.state, call.caller.scope, call.stream()?, until, reason, &call.by()).await;
    forbade.map_err(|problem| match problem.field() {
        Some("until") => CssError::value("ResumeTime", "must lie in the future, at most 90 days from now"),
        _ => problem.into(),
    })?;
    done()
}

async fn resume(call: Call) -> Answered {
    actions::resume(&call.state, call.caller.scope, &call.stream()?, &call.by()).await?;
    done()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ForbidList {
    forbid_stream_list: Vec<ForbidStream>,
    #[serde(flatten)]
    page: PageNumbers,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ForbidStream {
    stream_name: String,
    app_name: String,
    domain_name: String,
    create_time: String,
    expire_time: String,
    reason: String,
}

/// The streams that are forbidden now, the newest first.
async fn forbidden(call: Call) -> Answered {
    let catalog = call.state.catalog();
    let now = call.state.clock().now();
    let stream = call.filter("StreamName");
    let mut list: Vec<_> = catalog
        .forbidden
        .values()
        .filter(|forbidden| forbidden.until > now)
        .filter(|forbidden| call.domain(&catalog, &forbidden.key.domain).is_some())
        .filter(|forbidden| stream.is_none_or(|stream| forbidden.key.stream == stream))
        .collect();
    list.sort_by(|a, b| b.since.cmp(&a.since).then_with(|| a.key.cmp(&b.key)));
    let page = call.page();
    let total = list.len();
    let entries = page.of(list).into_iter().map(|forbidden| ForbidStream {
        stream_name: forbidden.key.stream.clone(),
        app_name: forbidden.key.app.clone(),
        domain_name: forbidden.key.domain.clone(),
        create_time: time::beijing(forbidden.since),
        expire_time: time::beijing(forbidden.until),
        reason: forbidden.reason.clone(),
    });
    answer(ForbidList { forbid_stream_list: entries.collect(), page: page.numbers(total) })
}

/// As every action on a stream says it that the caller's account has no such domain.
pub fn no_domain() -> CssError {
    CssError::new(Code::InvalidParameterValue, "`DomainName`: there is no such domain in the catalog.")
}
