//! `/callbacks/templates`, `/callbacks/rules`: who is told of events.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::Timestamp;
use model::catalog::{
    AccountId, CallbackKind, CallbackRule, CallbackTemplate, CallbackUrls, Role, TemplateId,
};
use serde::{Deserialize, Serialize};

use super::Caller;
use super::input::{Body, Params, Segments};
use crate::callback::manage::{self, ManageError, TemplateFields};
use crate::callback::trial::try_out;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// A template as it is shown: its key is not.
#[derive(Serialize)]
pub struct TemplateAnswer {
    id: TemplateId,
    account: AccountId,
    name: String,
    description: String,
    urls: CallbackUrls,
    signed: bool,
    created: Timestamp,
}

impl From<CallbackTemplate> for TemplateAnswer {
    fn from(template: CallbackTemplate) -> Self {
        Self {
            id: template.id,
            account: template.account,
            name: template.name,
            description: template.description,
            urls: template.urls,
            signed: !template.key.is_empty(),
            created: template.created,
        }
    }
}

/// All templates in scope.
#[derive(Serialize)]
pub struct Templates {
    templates: Vec<TemplateAnswer>,
}

/// A template to make or to change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateBody {
    account: Option<AccountId>,
    name: Option<String>,
    description: Option<String>,
    urls: Option<CallbackUrls>,
    key: Option<String>,
}

impl TemplateBody {
    fn fields(self) -> TemplateFields {
        TemplateFields { name: self.name, description: self.description, urls: self.urls, key: self.key }
    }
}

/// `GET /callbacks/templates`.
pub async fn templates(caller: Caller, State(state): State<WebState>) -> Json<Templates> {
    let templates = manage::templates(&state, caller.scope);
    Json(Templates { templates: templates.into_iter().map(TemplateAnswer::from).collect() })
}

/// `GET /callbacks/templates/{id}`.
pub async fn template(
    caller: Caller,
    State(state): State<WebState>,
    Segments(id): Segments<TemplateId>,
) -> Result<Json<TemplateAnswer>, Problem> {
    Ok(Json(manage::template(&state, caller.scope, id)?.into()))
}

/// `POST /callbacks/templates`.
pub async fn create(
    caller: Caller,
    State(state): State<WebState>,
    Body(body): Body<TemplateBody>,
) -> Result<(StatusCode, Json<TemplateAnswer>), Problem> {
    caller.require(Role::Admin)?;
    let account = body.account.or(caller.scope.account()).ok_or_else(|| {
        Problem::new(Kind::BadRequest, "is missing; this key sees all accounts").with_field("account")
    })?;
    let made = manage::create_template(&state, caller.scope, account, body.fields(), &caller.by()).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// `PATCH /callbacks/templates/{id}`.
pub async fn modify(
    caller: Caller,
    State(state): State<WebState>,
    Segments(id): Segments<TemplateId>,
    Body(body): Body<TemplateBody>,
) -> Result<Json<TemplateAnswer>, Problem> {
    caller.require(Role::Admin)?;
    if body.account.is_some() {
        return Err(Problem::new(Kind::BadRequest, "a template stays with its account").with_field("account"));
    }
    let changed = manage::modify_template(&state, caller.scope, id, |_| body.fields(), &caller.by()).await?;
    Ok(Json(changed.into()))
}

/// `DELETE /callbacks/templates/{id}`.
pub async fn delete(
    caller: Caller,
    State(state): State<WebState>,
    Segments(id): Segments<TemplateId>,
) -> Result<StatusCode, Problem> {
    caller.require(Role::Admin)?;
    manage::delete_template(&state, caller.scope, id, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which kind of event is tried out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestBody {
    kind: CallbackKind,
}

/// What came of trying a template out.
#[derive(Serialize)]
pub struct TestAnswer {
    received: bool,
    status: Option<u16>,
    reason: Option<String>,
    took_ms: u64,
    response: String,
}

/// `POST /callbacks/templates/{id}/test`.
pub async fn test(
    caller: Caller,
    State(state): State<WebState>,
    Segments(id): Segments<TemplateId>,
    Body(body): Body<TestBody>,
) -> Result<Json<TestAnswer>, Problem> {
    caller.require(Role::Admin)?;
    let template = manage::template(&state, caller.scope, id)?;
    let _place = state
        .trials()
        .try_acquire()
        .map_err(|_| Problem::new(Kind::TooMany, "other templates are being tried out; try again"))?;
    let answer = try_out(&state, &template, body.kind).await;
    Ok(Json(TestAnswer {
        received: answer.is_received(),
        status: answer.status,
        reason: answer.failure,
        took_ms: answer.took_ms,
        response: answer.body,
    }))
}

/// All rules in scope.
#[derive(Serialize)]
pub struct Rules {
    rules: Vec<CallbackRule>,
}

/// `GET /callbacks/rules`.
pub async fn rules(caller: Caller, State(state): State<WebState>) -> Json<Rules> {
    Json(Rules { rules: manage::rules(&state, caller.scope) })
}

/// A rule to put.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleBody {
    domain: String,
    app: String,
    template: TemplateId,
}

/// `PUT /callbacks/rules`.
pub async fn bind(
    caller: Caller,
    State(state): State<WebState>,
    Body(body): Body<RuleBody>,
) -> Result<Json<CallbackRule>, Problem> {
    caller.require(Role::Admin)?;
    let wanted = manage::Binding { domain: &body.domain, app: &body.app, template: body.template };
    let rule = manage::bind(&state, caller.scope, wanted, true, &caller.by()).await?;
    Ok(Json(rule))
}

/// Which rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleParams {
    domain: String,
    app: String,
}

/// `DELETE /callbacks/rules`.
pub async fn unbind(
    caller: Caller,
    State(state): State<WebState>,
    Params(params): Params<RuleParams>,
) -> Result<StatusCode, Problem> {
    caller.require(Role::Admin)?;
    manage::unbind(&state, caller.scope, &params.domain, &params.app, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<ManageError> for Problem {
    fn from(error: ManageError) -> Self {
        let text = error.to_string();
        match error {
            ManageError::NoTemplate
            | ManageError::NoDomain
            | ManageError::NoRule
            | ManageError::NoAccount => Self::new(Kind::NotFound, text),
            ManageError::TooMany | ManageError::InUse | ManageError::Bound => Self::new(Kind::Conflict, text),
            ManageError::NoUrl => Self::new(Kind::BadRequest, text).with_field("urls"),
            ManageError::Invalid { field, why } => Self::new(Kind::BadRequest, why).with_field(field),
            ManageError::Url { field, source } => {
                Self::new(Kind::BadRequest, format!("the URL {source}")).with_field(field)
            }
            ManageError::Catalog(error) => error.into(),
        }
    }
}
