//! `GET /causes`: the table.

use axum::Json;
use cause::{Cause, Lang};
use serde::{Deserialize, Serialize};

use super::{Caller, input};
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
        Some(text) => {
            text.parse().map_err(|_| Problem::new(Kind::BadRequest, "write ja, en or zh").with_field("lang"))
        }
    }
}

/// One row. A typed answer, so that fields keep their order; the command line prints the same.
#[derive(Serialize)]
pub struct CauseRow {
    errcode: u16,
    sub_errcode: u16,
    errmsg: &'static str,
    side: &'static str,
    meaning: &'static str,
    advice: &'static str,
}

impl CauseRow {
    /// The row of a cause.
    pub fn of(cause: Cause, lang: Lang) -> Self {
        let code = cause.code();
        Self {
            errcode: code.errcode,
            sub_errcode: code.sub_errcode,
            errmsg: cause.errmsg(lang),
            side: cause.side().as_str(),
            meaning: cause.meaning(lang),
            advice: cause.advice(lang),
        }
    }
}

/// The table.
#[derive(Serialize)]
pub struct CauseTable {
    causes: Vec<CauseRow>,
}

/// Every row, in the order of the table.
pub async fn list(
    _: Caller,
    input::Params(params): input::Params<Params>,
) -> Result<Json<CauseTable>, Problem> {
    let lang = language(params.lang.as_deref())?;
    Ok(Json(CauseTable { causes: Cause::ALL.into_iter().map(|cause| CauseRow::of(cause, lang)).collect() }))
}
