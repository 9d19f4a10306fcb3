//! What every page shares: language, user, navigation; and the way to a page for those who are not signed in.

use std::time::Instant;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use cause::Lang;
use model::catalog::{AccountId, Role};

use super::note::Note;
use super::session::{self, Session};
use super::theme::Theme;
use super::words::Words;
use super::{cookie, language};
use crate::actions::Scope;
use crate::client::Client;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// What the outer template needs.
pub struct Frame {
    /// The reader's language.
    pub lang: Lang,
    words: &'static Words,
    /// Who is signed in.
    pub session: Option<Session>,
    /// Path and query of this page; the language switch comes back here.
    pub here: String,
    /// Light or dark.
    pub theme: Theme,
    now: Option<Instant>,
}

impl Frame {
    /// The frame of a request.
    pub fn of(state: &WebState, parts: &Parts) -> Self {
        let lang = language::of(&parts.headers, state.config().default_language);
        let session = cookie::read(&parts.headers, session::COOKIE).and_then(|t| state.sessions().find(t));
        let here = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
        let (theme, now) = (Theme::of(&parts.headers), Some(state.clock().instant()));
        Self { lang, words: Words::of(lang), session, here, theme, now }
    }

    /// A frame of nobody's request, for tests of pages.
    #[cfg(test)]
    pub fn bare(lang: Lang) -> Self {
        Self { lang, words: Words::of(lang), session: None, here: "/".into(), theme: Theme::Auto, now: None }
    }

    /// A text of the reader's language.
    pub fn t(&self, key: &str) -> String {
        self.words.get(key)
    }

    /// A text with one value put in under the name `n`.
    pub fn tn(&self, key: &str, value: impl ToString) -> String {
        self.words.with(key, &[("n", value.to_string())])
    }

    /// The texts of the reader's language.
    pub fn words(&self) -> &'static Words {
        self.words
    }

    /// The value of the page's `lang` attribute.
    pub fn html_lang(&self) -> &'static str {
        match self.lang {
            Lang::Ja => "ja",
            Lang::En => "en",
            Lang::Zh => "zh-Hans",
        }
    }

    /// The languages to switch to: tag, own name, whether it is the present one.
    pub fn languages(&self) -> Vec<(&'static str, &'static str, bool)> {
        language::LANGUAGES.iter().map(|(lang, name)| (lang.as_str(), *name, *lang == self.lang)).collect()
    }

    /// The user's name; empty if nobody is signed in.
    pub fn user(&self) -> &str {
        self.session.as_ref().map_or("", |s| s.user.as_str())
    }

    /// The token of forms on this page.
    pub fn csrf(&self) -> &str {
        self.session.as_ref().map_or("", |s| s.csrf.as_str())
    }

    /// What the user may do; the least if nobody is signed in.
    pub fn role(&self) -> Role {
        self.session.as_ref().map_or(Role::Viewer, |s| s.role)
    }

    /// Whose things the user may see and act on. Nobody's, if nobody is signed in: no account has the number 0.
    pub fn scope(&self) -> Scope {
        self.session.as_ref().map_or(Scope::Account(0), |s| s.scope)
    }

    /// The account that the user is tied to.
    pub fn account(&self) -> Option<AccountId> {
        self.session.as_ref().and_then(|s| s.scope.account())
    }

    /// Whether the user sees what belongs to no account, or to all.
    pub fn sees_all(&self) -> bool {
        self.scope() == Scope::All
    }

    /// Whether the user acts on streams.
    pub fn may_operate(&self) -> bool {
        self.session.is_some() && self.role() >= Role::Operator
    }

    /// Whether the user changes what is set up.
    pub fn may_administer(&self) -> bool {
        self.session.is_some() && self.role() >= Role::Admin
    }

    /// Whether the user changes what concerns all accounts.
    pub fn may_administer_all(&self) -> bool {
        self.may_administer() && self.sees_all()
    }

    /// Path of this page.
    pub fn path(&self) -> &str {
        self.here.split('?').next().unwrap_or_default()
    }

    /// What an action left for this page; nothing is told twice.
    pub fn take_note(&self) -> Note {
        let taken = self.session.as_ref().zip(self.now).and_then(|(s, now)| s.take(self.path(), now));
        taken.unwrap_or_default()
    }

    /// Leaves a note for a page of this console and leads there.
    pub fn go_with(&self, path: &str, note: Note) -> Response {
        if let Some((session, now)) = self.session.as_ref().zip(self.now) {
            session.leave(path.split(['?', '#']).next().unwrap_or_default(), note, now);
        }
        Redirect::to(path).into_response()
    }

    /// Whether `path` is the page that is shown, or leads to it.
    pub fn is_below(&self, path: &str) -> bool {
        self.path().strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether the user has this role or a higher one.
    pub fn may(&self, role: Role) -> bool {
        self.session.as_ref().is_some_and(|session| session.role >= role)
    }

    /// The session of a form that was sent, if it carries this session's token and the user has the role.
    ///
    /// # Errors
    /// [`Kind::Forbidden`].
    pub fn ordered(&self, token: &str, role: Role) -> Result<&Session, Problem> {
        let of_session = self.session.as_ref().filter(|_| session::same(self.csrf(), token));
        let session = of_session.ok_or_else(|| {
            Problem::new(Kind::Forbidden, "the form is not of this session; load the page again")
        })?;
        if session.role < role {
            return Err(Problem::new(Kind::Forbidden, "your role does not allow this"));
        }
        Ok(session)
    }

    /// Whether `path` is the page that is shown.
    pub fn is_at(&self, path: &str) -> bool {
        self.path() == path
    }
}

impl FromRequestParts<WebState> for Frame {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Self::Rejection> {
        Ok(Self::of(state, parts))
    }
}

/// The frame of a page for signed-in users; others are led to the sign-in page and back.
pub struct SignedIn(pub Frame);

impl FromRequestParts<WebState> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Self::Rejection> {
        let client = Client::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        let frame = Frame::of(state, parts);
        if frame.session.is_some() && client.may_carry_secrets(state) {
            return Ok(Self(frame));
        }
        let mut next = String::new();
        percent_encode(&frame.here, &mut next);
        Err(Redirect::to(&format!("/sign-in?next={next}")).into_response())
    }
}

/// A page as an answer.
pub fn render(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            Problem::new(Kind::Internal, "the page cannot be shown; the server's log says why")
                .into_response()
        }
    }
}

/// `path` if it stays on this site, `/` if not: a sign-in link must not lead elsewhere.
pub fn safe_path(path: &str) -> &str {
    let local = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n']);
    if local && path.parse::<Uri>().is_ok() { path } else { "/" }
}

pub(super) fn percent_encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            true => into.push(char::from(byte)),
            false => into.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_back_stay_on_this_site() {
        assert_eq!(safe_path("/records?stream=a"), "/records?stream=a");
        for evil in ["//evil.example", "https://evil.example", "/\\evil.example", "", "records", "/a\r\nb: c"]
        {
            assert_eq!(safe_path(evil), "/", "{evil}");
        }
    }
}
