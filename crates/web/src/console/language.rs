//! Which language a reader gets: the one chosen before, or the configured one, or the browser's first that we speak.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use cause::Lang;
use serde::Deserialize;

use super::cookie;
use super::frame::safe_path;
use crate::client::Client;
use crate::state::WebState;

const COOKIE: &str = "lastframe_lang";
const A_YEAR: u64 = 365 * 86_400;

/// The languages with their names for themselves.
pub const LANGUAGES: [(Lang, &str); 3] = [(Lang::Ja, "日本語"), (Lang::En, "English"), (Lang::Zh, "中文")];

/// The language for a request.
pub fn of(headers: &HeaderMap, configured: Option<Lang>) -> Lang {
    let chosen = cookie::read(headers, COOKIE).and_then(|text| text.parse().ok());
    chosen.or(configured).unwrap_or_else(|| {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        preferred(accepted)
    })
}

/// The first language of an `Accept-Language` value that we speak, by its weights; English if there is none.
fn preferred(accepted: &str) -> Lang {
    let mut best: Option<(Lang, f32)> = None;
    for item in accepted.split(',').take(32) {
        let (tag, parameters) = item.split_once(';').unwrap_or((item, ""));
        let weight = parameters.trim().strip_prefix("q=").and_then(|q| q.parse().ok()).unwrap_or(1.0);
        let Ok(lang) = tag.trim().parse::<Lang>() else { continue };
        if weight > best.map_or(0.0, |(_, w)| w) {
            best = Some((lang, weight));
        }
    }
    best.map_or(Lang::En, |(lang, _)| lang)
}

#[derive(Deserialize)]
pub(super) struct Choice {
    lang: String,
    #[serde(default)]
    back: String,
}

/// Keeps the reader's choice and goes back to where it was made.
pub(super) async fn choose(
    client: Client,
    State(_): State<WebState>,
    Query(choice): Query<Choice>,
) -> Response {
    let mut response = Redirect::to(safe_path(&choice.back)).into_response();
    if let Ok(lang) = choice.lang.parse::<Lang>()
        && let Some(value) = cookie::set(COOKIE, lang.as_str(), A_YEAR, client.tls)
    {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_first_language_that_we_speak_counts() {
        assert_eq!(preferred("fr, zh-CN;q=0.5, ja;q=0.9"), Lang::Ja);
        assert_eq!(preferred("zh-TW,en;q=0.8"), Lang::Zh);
        assert_eq!(preferred("fr"), Lang::En);
        assert_eq!(preferred(""), Lang::En);
        assert_eq!(preferred(";;;q=x,,"), Lang::En);
    }

    #[test]
    fn a_choice_wins_over_configuration_and_browser() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, "zh".parse().unwrap());
        assert_eq!(of(&headers, None), Lang::Zh);
        assert_eq!(of(&headers, Some(Lang::En)), Lang::En);
        headers.insert(header::COOKIE, "lastframe_lang=ja".parse().unwrap());
        assert_eq!(of(&headers, Some(Lang::En)), Lang::Ja);
    }
}
