//! Overview: is something wrong right now, and is it one stream or many?

mod bars;
mod certificates;
mod health;

use std::collections::BTreeMap;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cause::{Cause, Side};
use model::{Code, StreamKey, Timestamp};
use store::{RecordQuery, Summary, SummaryQuery};

use super::columns::Columns;
use super::frame::{Frame, SignedIn, render};
use super::row::{self, Row};
use super::show::{Chip, When, grouped, mark};
use crate::state::WebState;

/// What the page looks back on.
const DAY: Duration = Duration::from_secs(24 * 3_600);
const HOUR: Duration = Duration::from_secs(3_600);
/// A stream that was interrupted this often within the hour flaps.
const FLAPS: u64 = 3;
const NEWEST: usize = 8;
const TOP: usize = 6;

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    f: Frame,
    live: String,
    backups: usize,
    sides: Vec<SideCount>,
    bars: Vec<bars::Bar>,
    bars_top: String,
    causes: Vec<CauseCount>,
    flapping: Vec<Flapping>,
    columns: Columns,
    rows: Vec<Row>,
    health: Vec<health::Line>,
    mistake: String,
    rtmp_port: u16,
}

struct SideCount {
    side: &'static str,
    mark: &'static str,
    name: String,
    count: String,
    link: String,
}

struct CauseCount {
    chip: Chip,
    count: String,
    link: String,
}

struct Flapping {
    stream: String,
    place: String,
    count: String,
    last: When,
    link: String,
}

/// The page.
pub(super) async fn page(SignedIn(f): SignedIn, State(state): State<WebState>) -> Response {
    let now = state.clock().now();
    let found = state.summaries().last_day(&state, f.scope()).await;
    let reader = state.reader().clone();
    let account = f.scope().account();
    let newest = tokio::task::spawn_blocking(move || {
        let page = reader.query(&RecordQuery { limit: NEWEST, account, ..RecordQuery::default() })?;
        let hour = reader.summary(SummaryQuery { since: now.minus(HOUR), bucket: HOUR, account })?;
        let minutes = row::minutes(&reader, &page.records);
        Ok::<_, store::StoreError>((page.records, minutes, hour))
    });
    let mut mistake = String::new();
    let (records, minutes, hour) = match newest.await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            tracing::error!(%error, "the records cannot be read");
            mistake = f.t("records-unreadable");
            Default::default()
        }
        Err(error) => {
            tracing::error!(%error, "the records cannot be read");
            mistake = f.t("records-unreadable");
            Default::default()
        }
    };
    let day = found.unwrap_or_default();
    let pushes = state.pushes_everywhere(f.scope()).await.outcome;
    let backups = pushes.iter().filter(|push| push.role == "backup").count();
    let (bars, top) = bars::bars(&day, now, &f);
    let page = Page {
        live: grouped((pushes.len() - backups) as u64),
        backups,
        sides: sides(&day, &f),
        bars_top: grouped(top),
        bars,
        causes: causes(&day, &f),
        flapping: flapping(&hour),
        columns: Columns::default(),
        rows: Row::all(records, &minutes, &f),
        health: health::lines(&state, &f),
        rtmp_port: state.config().rtmp_port,
        mistake,
        f,
    };
    render(StatusCode::OK, &page)
}

/// The beginning of the span that the page looks back on: whole hours, so that bars do not change their meaning.
pub(crate) fn since(now: Timestamp) -> Timestamp {
    let hour = i64::try_from(HOUR.as_millis()).unwrap_or(1);
    let begun = now.minus(DAY).millis();
    Timestamp((begun.div_euclid(hour) + 1) * hour)
}

/// A bar a time.
pub(crate) const BUCKET: Duration = HOUR;

fn side_of(code: Code) -> Side {
    Cause::from_code(code).unwrap_or(Cause::Unknown).side()
}

fn sides(day: &Summary, f: &Frame) -> Vec<SideCount> {
    let count =
        |side| day.counts.iter().filter(|((_, code), _)| side_of(*code) == side).map(|(_, n)| n).sum();
    Side::ALL
        .into_iter()
        .map(|side| SideCount {
            side: side.as_str(),
            mark: mark(side),
            name: side.label(f.lang).to_owned(),
            count: grouped(count(side)),
            link: format!("/records?side={}&range=24h", side.as_str()),
        })
        .collect()
}

fn causes(day: &Summary, f: &Frame) -> Vec<CauseCount> {
    let mut sums: BTreeMap<Code, u64> = BTreeMap::new();
    for ((_, code), count) in &day.counts {
        *sums.entry(*code).or_default() += count;
    }
    let mut sums: Vec<(Code, u64)> = sums.into_iter().collect();
    sums.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sums.into_iter()
        .take(TOP)
        .map(|(code, count)| CauseCount {
            chip: Chip::of(code, f.lang),
            count: grouped(count),
            link: format!("/records?code={}%2F{}&range=24h", code.errcode, code.sub_errcode),
        })
        .collect()
}

fn flapping(hour: &Summary) -> Vec<Flapping> {
    let often = hour.streams.iter().filter(|stream| stream.ends >= FLAPS).take(TOP);
    often
        .map(|stream| Flapping {
            stream: stream.stream.clone(),
            place: format!("{}/{}", stream.domain, stream.app),
            count: grouped(stream.ends),
            last: When::of(stream.last),
            link: super::stream::link(&StreamKey::new(
                stream.domain.as_str(),
                stream.app.as_str(),
                stream.stream.as_str(),
            )),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_24_whole_hours_and_what_has_begun_of_the_newest() {
        let now = Timestamp(1_795_383_346_292);
        let begun = since(now);
        assert_eq!(begun.millis() % 3_600_000, 0);
        let span = now.millis() - begun.millis();
        assert!(span > 23 * 3_600_000 && span <= 24 * 3_600_000, "{span}");
    }
}
