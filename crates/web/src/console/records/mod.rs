//! Stream interruption records: which pushes ended, when and why?

mod export;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cause::{Cause, Lang, Side};

pub(super) use export::file;

use super::frame::{Frame, SignedIn, render};
use super::row::Row;
use super::show::mark;
use crate::actions::Scope;
use crate::query::{Filter, Moment, full_page};
use crate::state::WebState;

#[derive(Template)]
#[template(path = "records.html")]
struct Page {
    f: Frame,
    form: FilterForm,
    domains: Vec<String>,
    sides: Vec<Choice>,
    causes: Vec<CauseGroup>,
    rows: Vec<Row>,
    /// Link to the older page; empty on the last one.
    older: String,
    /// Link to the newest page; empty on it.
    newest: String,
    filtered: bool,
    /// Links to the same as files.
    as_csv: String,
    as_json: String,
    /// What is wrong with the filters; empty for nothing.
    mistake: String,
    rtmp_port: u16,
}

/// The filters as their fields show them.
struct FilterForm {
    stream: String,
    fuzzy: bool,
    domain: String,
    app: String,
    ip: String,
    /// The chosen range: `1h`, `24h`, `7d`; empty for all; `custom` where two times are given.
    range: &'static str,
    since: String,
    until: String,
}

struct Choice {
    value: String,
    text: String,
    chosen: bool,
}

struct CauseGroup {
    name: String,
    choices: Vec<Choice>,
}

/// The page.
pub(super) async fn page(
    SignedIn(f): SignedIn,
    State(state): State<WebState>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let (filter, mut mistake) = match Filter::read(from_form(pairs)) {
        Ok(filter) => (filter, String::new()),
        Err(error) => (Filter::default(), error.to_string()),
    };
    let query = filter.to_query(Scope::All, state.clock().now());
    let reader = state.reader().clone();
    let found = tokio::task::spawn_blocking(move || full_page(&reader, query)).await;
    let (records, next) = match found {
        Ok(Ok(page)) => (page.records, page.next),
        Ok(Err(error)) => {
            tracing::error!(%error, "the records cannot be read");
            mistake = f.t("records-unreadable");
            (Vec::new(), None)
        }
        Err(error) => {
            tracing::error!(%error, "the records cannot be read");
            mistake = f.t("records-unreadable");
            (Vec::new(), None)
        }
    };
    let status = if mistake.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let older =
        next.map(|cursor| format!("/records{}", filter.to_query_string(Some(&cursor)))).unwrap_or_default();
    let newest = match filter.after {
        Some(_) => format!("/records{}", filter.to_query_string(None)),
        None => String::new(),
    };
    let export = |format: &str| {
        let query = filter.to_query_string(None);
        let joint = if query.is_empty() { "?" } else { "&" };
        format!("/records/export{query}{joint}format={format}")
    };
    let (as_csv, as_json) = (export("csv"), export("json"));
    let mut domains: Vec<String> = state.catalog().domains.keys().cloned().collect();
    domains.sort();
    let page = Page {
        form: FilterForm::of(&filter),
        domains,
        sides: sides(&filter, f.lang),
        causes: causes(&filter, f.lang),
        rows: records.into_iter().map(|r| Row::of(r, &f)).collect(),
        older,
        newest,
        filtered: !filter.is_empty(),
        as_csv,
        as_json,
        mistake,
        rtmp_port: state.config().rtmp_port,
        f,
    };
    render(status, &page)
}

/// The form's own fields as filters: `match=fuzzy`, and `range`, which stands for `since` unless two times are given.
fn from_form(pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    let range = pairs.iter().find(|(name, _)| name == "range").map(|(_, value)| value.clone());
    let custom = matches!(range.as_deref(), None | Some("custom"));
    let mut filters = Vec::new();
    for (name, value) in pairs {
        match name.as_str() {
            "match" => filters.push(("fuzzy".to_owned(), (value == "fuzzy").to_string())),
            "range" if !custom => filters.push(("since".to_owned(), value)),
            "range" => {}
            "since" | "until" if !custom => {}
            _ => filters.push((name, value)),
        }
    }
    filters
}

impl FilterForm {
    fn of(filter: &Filter) -> Self {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        // The form of a browser's date field, in UTC; the script shows it in the reader's zone.
        let field = |moment: &Option<Moment>| match moment {
            Some(Moment::At(time)) => time.to_string().get(..19).unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let range = match (&filter.since, &filter.until) {
            (None, None) => "",
            (Some(Moment::Ago(_, text)), None) => match text.as_str() {
                "1h" => "1h",
                "24h" => "24h",
                "7d" => "7d",
                _ => "custom",
            },
            _ => "custom",
        };
        Self {
            stream: text(&filter.stream),
            fuzzy: filter.fuzzy,
            domain: text(&filter.domain),
            app: text(&filter.app),
            ip: filter.ip.map(address).unwrap_or_default(),
            range,
            since: field(&filter.since),
            until: field(&filter.until),
        }
    }
}

/// A network of one address is shown as that address.
fn address(net: ipnet::IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}

fn sides(filter: &Filter, lang: Lang) -> Vec<Choice> {
    let choice = |side: Side| Choice {
        value: side.as_str().to_owned(),
        text: format!("{} {}", mark(side), side.label(lang)),
        chosen: filter.side == Some(side),
    };
    Side::ALL.into_iter().map(choice).collect()
}

fn causes(filter: &Filter, lang: Lang) -> Vec<CauseGroup> {
    let choice = |cause: Cause| Choice {
        value: cause.code().to_string(),
        text: format!("{} {}", cause.code(), cause.errmsg(lang)),
        chosen: filter.codes.contains(&cause.code()),
    };
    let group = |side: Side| CauseGroup {
        name: format!("{} {}", mark(side), side.label(lang)),
        choices: Cause::ALL.into_iter().filter(|c| c.side() == side).map(choice).collect(),
    };
    Side::ALL.into_iter().map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_chosen_range_wins_over_times_left_in_the_form() {
        let read = from_form(pairs(&[("range", "24h"), ("since", "2026-01-01T00:00"), ("match", "fuzzy")]));
        assert_eq!(read, pairs(&[("since", "24h"), ("fuzzy", "true")]));
        let read = from_form(pairs(&[("range", "custom"), ("since", "2026-01-01T00:00")]));
        assert_eq!(read, pairs(&[("since", "2026-01-01T00:00")]));
    }

    #[test]
    fn the_form_shows_what_the_link_says() {
        let filter = Filter::read(pairs(&[("since", "7d"), ("ip", "192.0.2.1")])).unwrap();
        let form = FilterForm::of(&filter);
        assert_eq!((form.range, form.ip.as_str()), ("7d", "192.0.2.1"));
        let filter = Filter::read(pairs(&[("since", "2026-01-31T20:00:00Z")])).unwrap();
        let form = FilterForm::of(&filter);
        assert_eq!((form.range, form.since.as_str()), ("custom", "2026-01-31T20:00:00"));
    }
}
