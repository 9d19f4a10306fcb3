//! `GET /causes`: the table.

use axum::Json;
use axum::extract::Query;
use cause::{Cause, Lang};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Caller;
use crate::problem::{Kind, Problem};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    lang: Option<String>,
}

/// The language that a `lang` parameter names; English without one.
pub fn language(text: Option<&str>) -> Result<Lang, Problem> {
    match text {
        None => Ok(Lang::En),
        Some(text) => text
            .parse()
            .map_err(|_| Problem::new(Kind::BadRequest, "write ja, en or zh").with_field("lang")),
    }
}

/// Every row, in the order of the table.
pub async fn list(_: Caller, params: Result<Query<Params>, axum::extract::rejection::QueryRejection>) -> Result<Json<Value>, Problem> {
    let Query(params) = params.map_err(|e| Problem::new(Kind::BadRequest, e.body_text()))?;
    let lang = language(params.lang.as_deref())?;
    let rows: Vec<Value> = Cause::ALL.into_iter().map(|cause| row(cause, lang)).collect();
    Ok(Json(json!({ "causes": rows })))
}

/// One row as JSON; the command line prints the same.
pub fn row(cause: Cause, lang: Lang) -> Value {
    let code = cause.code();
    json!({
        "errcode": code.errcode,
        "sub_errcode": code.sub_errcode,
        "errmsg": cause.errmsg(lang),
        "side": cause.side().as_str(),
        "meaning": cause.meaning(lang),
        "advice": cause.advice(lang),
    })
}
