//! Causes: what does 12/0 mean, and what do I do?

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use cause::Cause;

use super::frame::{Frame, SignedIn, render};
use super::show::Chip;

#[derive(Template)]
#[template(path = "causes.html")]
struct Page {
    f: Frame,
    rows: Vec<Row>,
}

struct Row {
    chip: Chip,
    meaning: &'static str,
    advice: &'static str,
}

/// The table of causes.
pub(super) async fn page(SignedIn(f): SignedIn) -> Response {
    let lang = f.lang;
    let row = |cause: Cause| Row {
        chip: Chip::of(cause.code(), lang),
        meaning: cause.meaning(lang),
        advice: cause.advice(lang),
    };
    render(StatusCode::OK, &Page { rows: Cause::ALL.into_iter().map(row).collect(), f })
}
