//! Callback templates, and the rules that bind them to domains and apps.

use model::catalog::{CallbackTemplate, CallbackUrls, Role, TemplateId};
use serde::Serialize;
use serde_json::json;

use crate::api::css::call::{Action, Answered, Call, answer, done};
use crate::api::css::error::{Code, CssError};
use crate::api::css::schema::{Param, integer, text, words};
use crate::api::css::time;
use crate::callback::manage::{self, Binding, ManageError, TemplateFields};

const ID: Param = integer("TemplateId", 1, u32::MAX as i64).required();
const DOMAIN: Param = text("DomainName", 255).required();
const APP: Param = text("AppName", 255).required();
const NAME: Param = text("TemplateName", manage::MAX_NAME);
const DESCRIPTION: Param = text("Description", manage::MAX_DESCRIPTION);
const BEGIN_URL: Param = url("StreamBeginNotifyUrl");
const END_URL: Param = url("StreamEndNotifyUrl");
const EXCEPTION_URL: Param = url("PushExceptionNotifyUrl");
const RECORD_URL: Param = url("RecordNotifyUrl");
const RECORD_STATUS_URL: Param = url("RecordStatusNotifyUrl");
const RECORD_EXCEPTION_URL: Param = url("RecordExceptionNotifyUrl");
const SNAPSHOT_URL: Param = url("SnapshotNotifyUrl");
const PORN_URL: Param = url("PornCensorshipNotifyUrl");
const AUDIO_URL: Param = url("AudioAuditNotifyUrl");
const MIX_URL: Param = url("StreamMixNotifyUrl");
const LEVELS: Param = words("RecordExceptionLevels", 3, &["error", "warning", "info"]);
const KEY: Param = text("CallbackKey", manage::MAX_KEY);

const fn url(name: &'static str) -> Param {
    text(name, manage::MAX_URL)
}

/// The actions of this file.
pub const ACTIONS: [Action; 8] = [
    Action {
        name: "CreateLiveCallbackTemplate",
        rate: 200,
        role: Role::Admin,
        params: &[
            NAME.required(),
            DESCRIPTION,
            BEGIN_URL,
            END_URL,
            RECORD_URL,
            RECORD_STATUS_URL,
            SNAPSHOT_URL,
            PORN_URL,
            KEY,
            MIX_URL,
            EXCEPTION_URL,
            AUDIO_URL,
            RECORD_EXCEPTION_URL,
            LEVELS,
        ],
        run: |call| Box::pin(create_template(call)),
    },
    Action {
        name: "ModifyLiveCallbackTemplate",
        rate: 200,
        role: Role::Admin,
        params: &[
            ID,
            NAME,
            DESCRIPTION,
            BEGIN_URL,
            END_URL,
            RECORD_URL,
            RECORD_STATUS_URL,
            SNAPSHOT_URL,
            PORN_URL,
            KEY,
            EXCEPTION_URL,
            AUDIO_URL,
            RECORD_EXCEPTION_URL,
            LEVELS,
        ],
        run: |call| Box::pin(modify_template(call)),
    },
    Action {
        name: "DescribeLiveCallbackTemplate",
        rate: 500,
        role: Role::Viewer,
        params: &[ID],
        run: |call| Box::pin(template(call)),
    },
    Action {
        name: "DescribeLiveCallbackTemplates",
        rate: 500,
        role: Role::Viewer,
        params: &[],
        run: |call| Box::pin(templates(call)),
    },
    Action {
        name: "DeleteLiveCallbackTemplate",
        rate: 200,
        role: Role::Admin,
        params: &[ID],
        run: |call| Box::pin(delete_template(call)),
    },
    Action {
        name: "CreateLiveCallbackRule",
        rate: 200,
        role: Role::Admin,
        params: &[DOMAIN, APP, ID],
        run: |call| Box::pin(create_rule(call)),
    },
    Action {
        name: "DescribeLiveCallbackRules",
        rate: 500,
        role: Role::Viewer,
        params: &[],
        run: |call| Box::pin(rules(call)),
    },
    Action {
        name: "DeleteLiveCallbackRule",
        rate: 200,
        role: Role::Admin,
        params: &[DOMAIN, APP],
        run: |call| Box::pin(delete_rule(call)),
    },
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TemplateInfo {
    template_id: TemplateId,
    template_name: String,
    description: String,
    stream_begin_notify_url: String,
    stream_end_notify_url: String,
    stream_mix_notify_url: String,
    record_notify_url: String,
    record_status_notify_url: String,
    snapshot_notify_url: String,
    porn_censorship_notify_url: String,
    callback_key: String,
    push_exception_notify_url: String,
    audio_audit_notify_url: String,
    record_exception_notify_url: String,
    record_exception_levels: Vec<String>,
}

impl TemplateInfo {
    /// The key signs what receivers believe, so it is shown to those alone who may change it.
    fn of(template: CallbackTemplate, role: Role) -> Self {
        let urls = template.urls;
        Self {
            template_id: template.id,
            template_name: template.name,
            description: template.description,
            stream_begin_notify_url: urls.stream_begin,
            stream_end_notify_url: urls.stream_end,
            stream_mix_notify_url: urls.stream_mix,
            record_notify_url: urls.record,
            record_status_notify_url: urls.record_status,
            snapshot_notify_url: urls.snapshot,
            porn_censorship_notify_url: urls.porn_censorship,
            callback_key: match template.key.is_empty() || role >= Role::Admin {
                true => template.key,
                false => model::mask::MASK.to_owned(),
            },
            push_exception_notify_url: urls.push_exception,
            audio_audit_notify_url: urls.audio_audit,
            record_exception_notify_url: urls.record_exception,
            record_exception_levels: urls.record_exception_levels,
        }
    }
}

/// Refuses a name that upstream does not take.
fn check_name(call: &Call) -> Result<(), CssError> {
    let legal = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    match call.args.text("TemplateName").is_none_or(|name| name.chars().all(legal)) {
        true => Ok(()),
        false => Err(CssError::value("TemplateName", "must be letters, digits, `_` and `-`")),
    }
}

/// The fields that the call gives, over those that are there.
fn fields(call: &Call, mut urls: CallbackUrls) -> TemplateFields {
    let given = |name: &str| call.args.text(name).map(str::to_owned);
    for (name, place) in [
        ("StreamBeginNotifyUrl", &mut urls.stream_begin),
        ("StreamEndNotifyUrl", &mut urls.stream_end),
        ("PushExceptionNotifyUrl", &mut urls.push_exception),
        ("RecordNotifyUrl", &mut urls.record),
        ("RecordStatusNotifyUrl", &mut urls.record_status),
        ("RecordExceptionNotifyUrl", &mut urls.record_exception),
        ("SnapshotNotifyUrl", &mut urls.snapshot),
        ("PornCensorshipNotifyUrl", &mut urls.porn_censorship),
        ("AudioAuditNotifyUrl", &mut urls.audio_audit),
        ("StreamMixNotifyUrl", &mut urls.stream_mix),
    ] {
        if let Some(url) = given(name) {
            *place = url;
        }
    }
    if let Some(levels) = call.args.words("RecordExceptionLevels") {
        urls.record_exception_levels = levels.to_vec();
    }
    TemplateFields {
        name: given("TemplateName"),
        description: given("Description"),
        urls: Some(urls),
        key: given("CallbackKey"),
    }
}

fn id(call: &Call) -> Result<TemplateId, CssError> {
    let id = call.number("TemplateId")?;
    TemplateId::try_from(id).map_err(|_| CssError::value("TemplateId", "is no template's number"))
}

async fn create_template(call: Call) -> Answered {
    let account = call.account(&call.state.catalog())?;
    check_name(&call)?;
    let fields = fields(&call, CallbackUrls::default());
    let made = manage::create_template(&call.state, call.caller.scope, account, fields, &call.by()).await;
    answer(json!({ "TemplateId": made.map_err(refused)?.id }))
}

async fn modify_template(call: Call) -> Answered {
    let (id, scope) = (id(&call)?, call.caller.scope);
    check_name(&call)?;
    let fields = |old: &CallbackTemplate| fields(&call, old.urls.clone());
    manage::modify_template(&call.state, scope, id, fields, &call.by()).await.map_err(refused)?;
    done()
}

async fn template(call: Call) -> Answered {
    let template = manage::template(&call.state, call.caller.scope, id(&call)?).map_err(refused)?;
    answer(json!({ "Template": TemplateInfo::of(template, call.caller.role) }))
}

async fn templates(call: Call) -> Answered {
    let list = manage::templates(&call.state, call.caller.scope).into_iter();
    let list: Vec<_> = list.map(|template| TemplateInfo::of(template, call.caller.role)).collect();
    answer(json!({ "Templates": list }))
}

async fn delete_template(call: Call) -> Answered {
    let (id, scope) = (id(&call)?, call.caller.scope);
    manage::delete_template(&call.state, scope, id, &call.by()).await.map_err(refused)?;
    done()
}

async fn create_rule(call: Call) -> Answered {
    let (domain, app) = (call.required("DomainName")?, call.required("AppName")?);
    let wanted = Binding { domain, app, template: id(&call)? };
    let bound = manage::bind(&call.state, call.caller.scope, wanted, false, &call.by()).await;
    bound.map_err(|error| match error {
        ManageError::NoTemplate => CssError::new(Code::ParameterConfNotFound, "There is no such template."),
        error => refused(error),
    })?;
    done()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RuleInfo {
    create_time: String,
    update_time: String,
    template_id: TemplateId,
    domain_name: String,
    app_name: String,
}

async fn rules(call: Call) -> Answered {
    let rules = manage::rules(&call.state, call.caller.scope).into_iter().map(|rule| RuleInfo {
        create_time: time::beijing(rule.created),
        update_time: time::beijing(rule.updated),
        template_id: rule.template,
        domain_name: rule.domain,
        app_name: rule.app,
    });
    answer(json!({ "Rules": rules.collect::<Vec<_>>() }))
}

async fn delete_rule(call: Call) -> Answered {
    let (domain, app) = (call.required("DomainName")?, call.required("AppName")?);
    manage::unbind(&call.state, call.caller.scope, domain, app, &call.by()).await.map_err(refused)?;
    done()
}

fn refused(error: ManageError) -> CssError {
    let code = match &error {
        ManageError::NoTemplate => Code::ConfNotFound,
        ManageError::NoRule => Code::FailedNotFound,
        ManageError::TooMany => Code::ConfOutLimit,
        ManageError::InUse => Code::ConfInUsed,
        ManageError::Bound => Code::RuleAlreadyExist,
        ManageError::NoUrl => Code::ArgsNotMatch,
        ManageError::NoDomain | ManageError::Invalid { .. } => Code::InvalidParameterValue,
        ManageError::Url { .. } => Code::UrlNotSafe,
        ManageError::NoAccount => Code::UserNotExist,
        ManageError::Catalog(_) => Code::DbError,
    };
    let message = match &error {
        ManageError::Url { field, source } => format!("`{}` {source}.", parameter(field)),
        ManageError::Invalid { field, why } => format!("`{}` {why}.", parameter(field)),
        error => format!("{error}."),
    };
    CssError::new(code, message)
}

/// The parameter that a field of a template or rule came in.
fn parameter(field: &str) -> &str {
    match field {
        "stream_begin" => BEGIN_URL.name(),
        "stream_end" => END_URL.name(),
        "push_exception" => EXCEPTION_URL.name(),
        "record" => RECORD_URL.name(),
        "record_status" => RECORD_STATUS_URL.name(),
        "record_exception" => RECORD_EXCEPTION_URL.name(),
        "record_exception_levels" => LEVELS.name(),
        "snapshot" => SNAPSHOT_URL.name(),
        "porn_censorship" => PORN_URL.name(),
        "audio_audit" => AUDIO_URL.name(),
        "stream_mix" => MIX_URL.name(),
        "name" => NAME.name(),
        "description" => DESCRIPTION.name(),
        "key" => KEY.name(),
        "app" => APP.name(),
        other => other,
    }
}
