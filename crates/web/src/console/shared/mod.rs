//! One record for somebody without an account, by a link: what happened and what to do, in the words of those who
//! stream. Without addresses, node and black box.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use cause::{Cause, Evidence, Plain};
use store::Share;

use super::frame::{Frame, render};
use super::record::{Asked, Timeline, digest, timeline};
use super::show::{Chip, When, duration};
use crate::problem::Problem;
use crate::state::WebState;

/// Characters of a token.
const TOKEN: usize = 64;

#[derive(Template)]
#[template(path = "shared.html")]
struct Page {
    f: Frame,
    title: String,
    chip: Chip,
    plain: Plain,
    start: Option<When>,
    end: When,
    duration: String,
    timeline: Option<Timeline>,
    expires: When,
}

#[derive(Template)]
#[template(path = "shared_missing.html")]
struct Missing {
    f: Frame,
}

/// The page.
pub(super) async fn page(
    mut f: Frame,
    State(state): State<WebState>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    // It looks the same to everybody who has the link.
    f.session = None;
    let (catalog, reader, now) = (state.users().clone(), state.reader().clone(), state.clock().now());
    let here = f.path().to_owned();
    let found = tokio::task::spawn_blocking(move || {
        if token.len() != TOKEN {
            return Ok(None);
        }
        let Some(share) = catalog.share(digest(&token), now)? else { return Ok(None) };
        let record = reader.get(share.push)?;
        Ok::<_, store::StoreError>(record.map(|(record, evidence)| (share, record, evidence)))
    });
    let mut response = match found.await?? {
        None => render(StatusCode::NOT_FOUND, &Missing { f }),
        Some((share, record, evidence)) => {
            let evidence = evidence.and_then(|bytes| Evidence::decode(&bytes).ok());
            let timeline = evidence.and_then(|evidence| timeline(&evidence, &asked, here, &f));
            render(StatusCode::OK, &Page::of(&share, &record, timeline, f))
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));
    Ok(response)
}

impl Page {
    fn of(share: &Share, record: &model::Record, timeline: Option<Timeline>, f: Frame) -> Self {
        let cause = Cause::from_code(record.code()).unwrap_or(Cause::Unknown);
        Self {
            title: record.stream.clone().unwrap_or_else(|| f.t("no-stream")),
            chip: Chip::of(record.code(), f.lang),
            plain: cause.plain(f.lang),
            start: record.published_at.map(When::of),
            end: When::of(record.ended_at),
            duration: match record.published_at {
                Some(_) => duration(f.words(), record.duration_ms),
                None => String::new(),
            },
            timeline,
            expires: When::of(share.expires_at),
            f,
        }
    }
}
