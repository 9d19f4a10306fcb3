//! The keys that sign push and play URLs.

use model::catalog::{Domain, DomainKind, Role};
use serde::Serialize;
use serde_json::json;

use super::domains::{edit, no_domain};
use crate::api::css::call::{Action, Answered, Call, answer};
use crate::api::css::error::{Code, CssError};
use crate::api::css::schema::{Param, integer, text};

const DOMAIN: Param = text("DomainName", 255).required();
const ENABLE: Param = integer("Enable", 0, 1);
/// Seconds that URLs are good beyond their time; at most ten years.
const DELTA: Param = integer("AuthDelta", 0, 315_360_000);
/// The longest key, bytes.
const MAX_KEY: usize = 256;

/// The actions of this file. Keys open streams, so they are for admins only.
pub const ACTIONS: [Action; 4] = [
    Action {
        name: "DescribeLivePushAuthKey",
        rate: 500,
        role: Role::Admin,
        params: &[DOMAIN],
        run: |call| Box::pin(push_key(call)),
    },
    Action {
        name: "ModifyLivePushAuthKey",
        rate: 200,
        role: Role::Admin,
        params: &[DOMAIN, ENABLE, text("MasterAuthKey", MAX_KEY), text("BackupAuthKey", MAX_KEY), DELTA],
        run: |call| Box::pin(modify_push_key(call)),
    },
    Action {
        name: "DescribeLivePlayAuthKey",
        rate: 500,
        role: Role::Admin,
        params: &[DOMAIN],
        run: |call| Box::pin(play_key(call)),
    },
    Action {
        name: "ModifyLivePlayAuthKey",
        rate: 100,
        role: Role::Admin,
        params: &[DOMAIN, ENABLE, text("AuthKey", MAX_KEY), DELTA, text("AuthBackKey", MAX_KEY)],
        run: |call| Box::pin(modify_play_key(call)),
    },
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PushAuthKeyInfo<'a> {
    domain_name: &'a str,
    enable: u8,
    master_auth_key: &'a str,
    backup_auth_key: &'a str,
    auth_delta: u32,
}

async fn push_key(call: Call) -> Answered {
    let catalog = call.state.catalog();
    let domain = domain(&call, &catalog, DomainKind::Push)?;
    let info = PushAuthKeyInfo {
        domain_name: &domain.name,
        enable: u8::from(domain.auth),
        master_auth_key: &domain.key,
        backup_auth_key: &domain.backup_key,
        auth_delta: domain.auth_delta,
    };
    answer(json!({ "PushAuthKeyInfo": info }))
}

async fn modify_push_key(call: Call) -> Answered {
    let (enable, delta) = (call.args.integer("Enable"), delta(&call));
    let (master, backup) = (key(&call, "MasterAuthKey")?, key(&call, "BackupAuthKey")?);
    edit(&call, Code::PushDomainNoRecord, Some(DomainKind::Push), move |domain| {
        set(&mut domain.auth, enable.map(|enable| enable == 1));
        set(&mut domain.key, master);
        set(&mut domain.backup_key, backup);
        set(&mut domain.auth_delta, delta);
        check_key("MasterAuthKey", domain.auth, &domain.key, &domain.backup_key)
    })
    .await
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PlayAuthKeyInfo<'a> {
    domain_name: &'a str,
    enable: u8,
    auth_key: &'a str,
    auth_delta: u32,
    auth_back_key: &'a str,
}

async fn play_key(call: Call) -> Answered {
    let catalog = call.state.catalog();
    let domain = domain(&call, &catalog, DomainKind::Play)?;
    let info = PlayAuthKeyInfo {
        domain_name: &domain.name,
        enable: u8::from(domain.play_auth),
        auth_key: &domain.play_key,
        auth_delta: domain.play_auth_delta,
        auth_back_key: &domain.play_backup_key,
    };
    answer(json!({ "PlayAuthKeyInfo": info }))
}

async fn modify_play_key(call: Call) -> Answered {
    let (enable, delta) = (call.args.integer("Enable"), delta(&call));
    let (main, back) = (key(&call, "AuthKey")?, key(&call, "AuthBackKey")?);
    edit(&call, Code::PlayDomainNoRecord, Some(DomainKind::Play), move |domain| {
        set(&mut domain.play_auth, enable.map(|enable| enable == 1));
        set(&mut domain.play_key, main);
        set(&mut domain.play_backup_key, back);
        set(&mut domain.play_auth_delta, delta);
        check_key("AuthKey", domain.play_auth, &domain.play_key, &domain.play_backup_key)
    })
    .await
}

fn domain<'a>(call: &Call, catalog: &'a model::Catalog, kind: DomainKind) -> Result<&'a Domain, CssError> {
    let missing = match kind {
        DomainKind::Push => Code::PushDomainNoRecord,
        DomainKind::Play => Code::PlayDomainNoRecord,
    };
    let domain = call.domain(catalog, call.required("DomainName")?);
    domain.filter(|domain| domain.kind == kind).ok_or_else(|| no_domain(missing))
}

fn delta(call: &Call) -> Option<u32> {
    call.args.integer("AuthDelta").and_then(|seconds| u32::try_from(seconds).ok())
}

/// A key as given; an empty one takes the key away.
fn key(call: &Call, name: &str) -> Result<Option<String>, CssError> {
    let key = call.args.text(name);
    match key.is_some_and(|key| !key.bytes().all(|byte| byte.is_ascii_graphic())) {
        true => Err(CssError::value(name, "must be visible ASCII characters")),
        false => Ok(key.map(str::to_owned)),
    }
}

/// Refuses signatures without a key to check them with: no URL would be good.
fn check_key(name: &str, auth: bool, key: &str, backup: &str) -> Result<(), CssError> {
    match auth && key.is_empty() && backup.is_empty() {
        true => Err(CssError::value(name, "is needed while `Enable` is 1")),
        false => Ok(()),
    }
}

/// What is not given stays as it is.
fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
