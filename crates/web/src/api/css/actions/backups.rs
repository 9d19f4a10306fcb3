//! Backup streams: who carries a stream, who waits for it, and changing that by hand.

use live::{LivePush, Switched};
use model::StreamKey;
use model::catalog::Role;
use serde::Serialize;
use serde_json::json;

use super::streams::{live_pushes, no_domain};
use crate::api::css::call::{Action, Answered, Call, answer, done};
use crate::api::css::error::{Code, CssError};
use crate::api::css::schema::{integer, text};
use crate::api::css::time;

/// The actions of this file.
pub const ACTIONS: [Action; 3] = [
    Action {
        name: "DescribeBackupStreamList",
        rate: 100,
        role: Role::Viewer,
        params: &[text("StreamName", 255)],
        run: |call| Box::pin(list(call)),
    },
    Action {
        name: "SwitchBackupStream",
        rate: 100,
        role: Role::Operator,
        params: &[
            text("PushDomainName", 255).required(),
            text("AppName", 255).required(),
            text("StreamName", 255).required(),
            text("UpstreamSequence", 32).required(),
        ],
        run: |call| Box::pin(switch(call)),
    },
    Action {
        name: "EnableOptimalSwitching",
        rate: 100,
        role: Role::Operator,
        params: &[
            text("StreamName", 255).required(),
            integer("EnableSwitch", 0, 1).or(1),
            text("HostGroupName", 255),
        ],
        run: |call| Box::pin(optimal(call)),
    },
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    stream_name: String,
    backup_list: Vec<Upstream>,
    optimal_enable: u8,
    host_group_name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Upstream {
    domain_name: String,
    app_name: String,
    publish_time: String,
    upstream_sequence: String,
    source_from: &'static str,
    master_flag: u8,
}

/// The live streams by key, each with the push that carries it first.
async fn list(call: Call) -> Answered {
    let mut pushes = live_pushes(&call, "DomainName", call.filter("StreamName")).await;
    let key = |push: &LivePush| (push.domain.clone(), push.app.clone(), push.stream.clone());
    pushes.sort_by_key(|push| (key(push), push.role != "live", push.id));
    let source_from = match call.lang {
        cause::Lang::Zh => "直推流",
        cause::Lang::Ja => "直接プッシュ",
        cause::Lang::En => "direct push",
    };
    let groups = pushes.chunk_by(|a, b| key(a) == key(b)).filter_map(|pushes| {
        let backup_list = pushes.iter().map(|push| Upstream {
            domain_name: push.domain.clone(),
            app_name: push.app.clone(),
            publish_time: time::utc(push.published_at),
            upstream_sequence: push.sequence.to_string(),
            source_from,
            master_flag: u8::from(push.role == "live"),
        });
        Some(Group {
            stream_name: pushes.first()?.stream.clone(),
            backup_list: backup_list.collect(),
            optimal_enable: 0,
            host_group_name: "",
        })
    });
    answer(json!({ "StreamInfoList": groups.collect::<Vec<_>>() }))
}

async fn switch(call: Call) -> Answered {
    let domain = call.required("PushDomainName")?.to_ascii_lowercase();
    let catalog = call.state.catalog();
    call.domain(&catalog, &domain).ok_or_else(no_domain)?;
    let key = StreamKey::new(domain, call.required("AppName")?, call.required("StreamName")?);
    let sequence = call.required("UpstreamSequence")?;
    let to = sequence.parse().map(model::Sequence);
    let to = to.map_err(|_| CssError::value("UpstreamSequence", "must be a push's sequence in digits"))?;
    let told = call.state.live().switch_to(&key, to, &call.by()).await;
    let (switched, silent) = (told.outcome, &told.silent);
    tracing::info!(stream = %key, sequence, ?switched, ?silent, who = call.caller.id, via = "css_api", "stream switched");
    let message = match switched {
        Switched::Now | Switched::Already => return done(),
        Switched::NoSuchPush => "No push of that sequence carries the stream or waits as its backup.",
        Switched::Moved => "The stream changed hands again and again meanwhile; nothing was switched.",
        Switched::Unreachable => "The registry, or a node that may have the push, did not answer.",
    };
    Err(CssError::new(Code::FailedOperation, message))
}

/// Which of several pushes is the best, nothing here decides by itself.
async fn optimal(call: Call) -> Answered {
    match call.number("EnableSwitch")? {
        0 => done(),
        _ => Err(CssError::new(
            Code::UnsupportedOperation,
            "This server does not switch by quality: a backup takes over when the push before it ends, or by \
             SwitchBackupStream.",
        )),
    }
}
