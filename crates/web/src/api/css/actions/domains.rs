//! Domains: add, delete, enable, forbid, list.

use model::catalog::{AccountId, Catalog, Domain, DomainKind, PlayArea, Role};
use model::stream_key::is_domain_name;
use serde::Serialize;
use serde_json::json;

use crate::api::css::call::{Action, Answered, Call, account_of, answer, done};
use crate::api::css::change::change;
use crate::api::css::error::{Code, CssError};
use crate::api::css::schema::{Param, integer, text};
use crate::api::css::time;
use crate::callback::manage;

/// Domains of one account at most.
const MAX_DOMAINS: usize = 100;
/// The longest domain name (RFC 1035, section 2.3.4, without the final dot), bytes.
const MAX_NAME: usize = 253;
/// So that a name that is too long is told as such, and not as a parameter that is.
const NAME: Param = text("DomainName", 4_096);
const KIND: Param = integer("DomainType", 0, 1);
const AREA: Param = integer("PlayType", 1, 3);

/// The actions of this file.
pub const ACTIONS: [Action; 7] = [
    Action {
        name: "AddLiveDomain",
        rate: 100,
        role: Role::Admin,
        params: &[
            NAME.required(),
            KIND.required(),
            AREA.or(1),
            integer("IsDelayLive", 0, 1).or(0),
            integer("IsMiniProgramLive", 0, 1).or(0),
            text("VerifyOwnerType", 32),
        ],
        run: |call| Box::pin(add(call)),
    },
    Action {
        name: "DeleteLiveDomain",
        rate: 100,
        role: Role::Admin,
        params: &[NAME.required(), KIND.required()],
        run: |call| Box::pin(delete(call)),
    },
    Action {
        name: "DescribeLiveDomain",
        rate: 100,
        role: Role::Viewer,
        params: &[NAME.required()],
        run: |call| Box::pin(one(call)),
    },
    Action {
        name: "DescribeLiveDomains",
        rate: 100,
        role: Role::Viewer,
        params: &[
            integer("DomainStatus", 0, 1),
            KIND,
            integer("PageSize", 10, 100).or(10),
            integer("PageNum", 1, 100_000).or(1),
            integer("IsDelayLive", 0, 1),
            text("DomainPrefix", 255),
            AREA,
        ],
        run: |call| Box::pin(list(call)),
    },
    Action {
        name: "EnableLiveDomain",
        rate: 100,
        role: Role::Admin,
        params: &[NAME.required()],
        run: |call| Box::pin(enable(call, true)),
    },
    Action {
        name: "ForbidLiveDomain",
        rate: 100,
        role: Role::Admin,
        params: &[NAME.required()],
        run: |call| Box::pin(enable(call, false)),
    },
    Action {
        name: "ModifyLivePlayDomain",
        rate: 100,
        role: Role::Admin,
        params: &[NAME.required(), AREA.required()],
        run: |call| Box::pin(modify_play(call)),
    },
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DomainInfo {
    name: String,
    r#type: u8,
    status: u8,
    create_time: String,
    #[serde(rename = "BCName")]
    bc_name: u8,
    target_domain: &'static str,
    play_type: u8,
    is_delay_live: u8,
    #[serde(rename = "CurrentCName")]
    current_cname: &'static str,
    rent_tag: u8,
    rent_expire_time: &'static str,
    is_mini_program_live: u8,
}

impl DomainInfo {
    fn of(domain: &Domain) -> Self {
        Self {
            name: domain.name.clone(),
            r#type: kind_number(domain.kind),
            status: u8::from(domain.enabled),
            create_time: domain.created.map(time::beijing).unwrap_or_default(),
            bc_name: 0,
            target_domain: "",
            play_type: area_number(domain.play_area),
            is_delay_live: 0,
            current_cname: "",
            rent_tag: 0,
            rent_expire_time: "",
            is_mini_program_live: 0,
        }
    }
}

fn kind_number(kind: DomainKind) -> u8 {
    match kind {
        DomainKind::Push => 0,
        DomainKind::Play => 1,
    }
}

fn kind_of(number: i64) -> DomainKind {
    if number == 1 { DomainKind::Play } else { DomainKind::Push }
}

fn area_number(area: PlayArea) -> u8 {
    match area {
        PlayArea::Mainland => 1,
        PlayArea::Global => 2,
        PlayArea::Outside => 3,
    }
}

fn area_of(number: i64) -> PlayArea {
    match number {
        2 => PlayArea::Global,
        3 => PlayArea::Outside,
        _ => PlayArea::Mainland,
    }
}

async fn add(call: Call) -> Answered {
    let name = call.required("DomainName")?.to_ascii_lowercase();
    if name.len() > MAX_NAME {
        let message = format!("A domain name has at most {MAX_NAME} bytes.");
        return Err(CssError::new(Code::DomainTooLong, message));
    }
    if !is_domain_name(&name) {
        return Err(CssError::new(Code::DomainFormatError, "This is not a domain name."));
    }
    for flag in ["IsDelayLive", "IsMiniProgramLive"] {
        if call.number(flag)? != 0 {
            let message = format!("`{flag}` must be 0: this server has no such kind of live stream.");
            return Err(CssError::new(Code::UnsupportedOperation, message));
        }
    }
    if let Some(how) = call.filter("VerifyOwnerType")
        && !["dnsCheck", "fileCheck", "dbCheck"].contains(&how)
    {
        return Err(CssError::value("VerifyOwnerType", "must be dnsCheck, fileCheck or dbCheck"));
    }
    let (kind, area) = (kind_of(call.number("DomainType")?), area_of(call.number("PlayType")?));
    let key = new_key()?;
    let created = call.state.clock().now();
    let scope = call.caller.scope;
    change(&call, move |catalog| {
        let account = account_of(scope, catalog)?;
        check_free(catalog, &name, account)?;
        let key = if kind == DomainKind::Push { key } else { String::new() };
        let domain =
            Domain { kind, created: Some(created), play_area: area, ..Domain::new(name, account, key) };
        Ok(live::Change::PutDomain(Box::new(domain)))
    })
    .await?;
    done()
}

fn check_free(catalog: &Catalog, name: &str, account: AccountId) -> Result<(), CssError> {
    match catalog.domain(name) {
        Some(domain) if domain.account == account => {
            return Err(CssError::new(Code::DomainAlreadyExist, "The domain was added before."));
        }
        Some(_) => {
            let message = "The domain was added by another account.";
            return Err(CssError::new(Code::DomainAdded, message));
        }
        None => {}
    }
    let below = |name: &str, parent: &str| name.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'));
    let others = || catalog.domains.values().filter(|domain| domain.account != account);
    if others().any(|domain| below(name, &domain.name)) {
        let message = "A parent domain was added by another account.";
        return Err(CssError::new(Code::ParentDomainAdded, message));
    }
    if others().any(|domain| below(&domain.name, name)) {
        let message = "A domain below this one was added by another account.";
        return Err(CssError::new(Code::SubDomainAdded, message));
    }
    let have = catalog.domains.values().filter(|domain| domain.account == account).count();
    match have < MAX_DOMAINS {
        true => Ok(()),
        false => {
            let message = format!("The account has {have} domains, and may have {MAX_DOMAINS}.");
            Err(CssError::new(Code::HostOutLimit, message))
        }
    }
}

/// A key as the consoles of CSS make them: 32 hexadecimal digits.
fn new_key() -> Result<String, CssError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "there is no randomness for a key");
        CssError::new(Code::InternalError, "No key could be made for the domain.")
    })?;
    Ok(hex::encode(bytes))
}

async fn delete(call: Call) -> Answered {
    let name = call.required("DomainName")?.to_ascii_lowercase();
    let kind = kind_of(call.number("DomainType")?);
    if call
        .state
        .live()
        .pushes()
        .iter()
        .any(|push| push.domain == name && call.caller.scope.covers(Some(push.account)))
    {
        let message = "Streams are live on the domain: end them first, or forbid the domain.";
        return Err(CssError::new(Code::DomainInUse, message));
    }
    let scope = call.caller.scope;
    // A rule that outlived its domain would tell its receivers of whoever adds the domain next.
    let rules = manage::rules(&call.state, scope).into_iter().filter(|rule| rule.domain == name);
    let rules: Vec<_> = rules.map(|rule| rule.app).collect();
    let of = name.clone();
    change(&call, move |catalog| {
        let found = catalog.domain(&name).filter(|d| d.kind == kind && scope.covers(Some(d.account)));
        found.ok_or_else(|| no_domain(Code::DomainNotExist))?;
        Ok(live::Change::DeleteDomain(name))
    })
    .await?;
    for app in rules {
        let rule = live::Change::DeleteCallbackRule { domain: of.clone(), app };
        change(&call, |_| Ok(rule)).await?;
    }
    done()
}

async fn one(call: Call) -> Answered {
    let catalog = call.state.catalog();
    let domain = call.domain(&catalog, call.required("DomainName")?);
    let domain = domain.ok_or_else(|| no_domain(Code::DomainNotExist))?;
    answer(json!({ "DomainInfo": DomainInfo::of(domain) }))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DomainPage {
    all_count: usize,
    domain_list: Vec<DomainInfo>,
    create_limit_count: usize,
    play_type_count: [usize; 3],
}

async fn list(call: Call) -> Answered {
    let catalog = call.state.catalog();
    let mine: Vec<&Domain> =
        catalog.domains.values().filter(|d| call.caller.scope.covers(Some(d.account))).collect();
    let (status, kind) = (call.args.integer("DomainStatus"), call.args.integer("DomainType").map(kind_of));
    let (area, prefix) = (call.args.integer("PlayType").map(area_of), call.filter("DomainPrefix"));
    let prefix = prefix.map(str::to_ascii_lowercase);
    // No domain is of that kind; asking for those finds none.
    let delayed = call.args.integer("IsDelayLive") == Some(1);
    let mut found: Vec<&Domain> = mine
        .iter()
        .copied()
        .filter(|_| !delayed)
        .filter(|domain| status.is_none_or(|status| domain.enabled == (status == 1)))
        .filter(|domain| kind.is_none_or(|kind| domain.kind == kind))
        .filter(|domain| area.is_none_or(|area| domain.kind == DomainKind::Play && domain.play_area == area))
        .filter(|domain| prefix.as_ref().is_none_or(|prefix| domain.name.starts_with(prefix)))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let in_area = |area: PlayArea| {
        let counts = |d: &&&Domain| d.kind == DomainKind::Play && d.enabled && d.play_area == area;
        mine.iter().filter(counts).count()
    };
    answer(DomainPage {
        all_count: found.len(),
        domain_list: call.page().of(found).into_iter().map(DomainInfo::of).collect(),
        create_limit_count: MAX_DOMAINS.saturating_sub(mine.len()),
        play_type_count: [PlayArea::Mainland, PlayArea::Global, PlayArea::Outside].map(in_area),
    })
}

async fn enable(call: Call, enabled: bool) -> Answered {
    edit(&call, Code::DomainNoRecord, None, move |domain| {
        domain.enabled = enabled;
        Ok(())
    })
    .await
}

async fn modify_play(call: Call) -> Answered {
    let area = area_of(call.number("PlayType")?);
    edit(&call, Code::DomainNotExist, Some(DomainKind::Play), move |domain| {
        domain.play_area = area;
        Ok(())
    })
    .await
}

/// Changes the domain that `DomainName` names, if it is the caller's and of that kind, and `edit` does not refuse.
pub async fn edit(
    call: &Call,
    missing: Code,
    kind: Option<DomainKind>,
    edit: impl FnOnce(&mut Domain) -> Result<(), CssError> + Send + 'static,
) -> Answered {
    let (name, scope) = (call.required("DomainName")?.to_owned(), call.caller.scope);
    change(call, move |catalog| {
        let found = catalog.domain(&name).filter(|domain| {
            scope.covers(Some(domain.account)) && kind.is_none_or(|kind| domain.kind == kind)
        });
        let mut domain = found.cloned().ok_or_else(|| no_domain(missing))?;
        edit(&mut domain)?;
        Ok(live::Change::PutDomain(Box::new(domain)))
    })
    .await?;
    done()
}

/// A domain of somebody else answers as one that does not exist.
pub fn no_domain(code: Code) -> CssError {
    CssError::new(code, "There is no such domain.")
}
