//! Causes: what does 12/0 mean, and what do I do?

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cause::{Cause, Lang};
use serde::Deserialize;

use super::frame::{Frame, SignedIn, render};
use super::show::{Chip, grouped};
use crate::state::WebState;

#[derive(Template)]
#[template(path = "causes.html")]
struct Page {
    f: Frame,
    search: String,
    rows: Vec<Row>,
}

struct Row {
    chip: Chip,
    meaning: &'static str,
    advice: &'static str,
    /// How often it happened in the last day.
    count: String,
}

#[derive(Deserialize)]
pub(super) struct Params {
    #[serde(default)]
    search: String,
}

/// The table of causes.
pub(super) async fn page(
    SignedIn(f): SignedIn,
    State(state): State<WebState>,
    Query(Params { search }): Query<Params>,
) -> Response {
    let lang = f.lang;
    let day = state.summaries().last_day(&state, f.scope()).await.unwrap_or_default();
    let count = |cause: Cause| -> u64 {
        day.counts.iter().filter(|((_, code), _)| *code == cause.code()).map(|(_, count)| count).sum()
    };
    let row = |cause: Cause| Row {
        chip: Chip::of(cause.code(), lang),
        meaning: cause.meaning(lang),
        advice: cause.advice(lang),
        count: grouped(count(cause)),
    };
    let wanted = search.trim().to_lowercase();
    let rows = Cause::ALL.into_iter().filter(|cause| matches(*cause, &wanted, lang)).map(row).collect();
    render(StatusCode::OK, &Page { rows, search, f })
}

/// Whether a cause's code, or any of its texts, has what was typed.
fn matches(cause: Cause, wanted: &str, lang: Lang) -> bool {
    let texts = [cause.errmsg(lang), cause.meaning(lang), cause.advice(lang), cause.side().label(lang)];
    cause.code().to_string().starts_with(wanted)
        || texts.iter().any(|text| text.to_lowercase().contains(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_found_by_code_or_by_word() {
        let found = |wanted: &str| Cause::ALL.into_iter().filter(|c| matches(*c, wanted, Lang::En)).count();
        assert_eq!(found(""), 70);
        assert!((1..10).contains(&found("12/0")));
        assert!((1..70).contains(&found("deletestream")));
        assert_eq!(found("no such words"), 0);
    }
}
