//! Callbacks: templates say where events are sent and how they are signed; rules bind a template to a domain and app.

use serde::{Deserialize, Serialize};

use super::{AccountId, Catalog};
use crate::clock::Timestamp;

/// A template's number; CSS calls it TemplateId.
pub type TemplateId = u32;

/// The app of a rule that holds for every app of its domain that has none of its own.
pub const ANY_APP: &str = "*";

/// The events that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackKind {
    /// A push went live.
    Begin,
    /// A push ended.
    End,
    /// Abnormalities of a live push within one interval.
    Exception,
}

impl CallbackKind {
    /// CSS's `event_type`.
    pub fn event_type(self) -> u16 {
        match self {
            Self::Begin => 1,
            Self::End => 0,
            Self::Exception => 321,
        }
    }

    /// The kind of an `event_type`.
    pub fn of_event_type(number: u16) -> Option<Self> {
        [Self::Begin, Self::End, Self::Exception].into_iter().find(|kind| kind.event_type() == number)
    }
}

/// Where the events of a template go; empty means nowhere. Events of recording, screenshots and moderation do not
/// occur here: their URLs are kept for tools that write and read them back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallbackUrls {
    /// A push went live: event 1.
    pub stream_begin: String,
    /// A push ended: event 0.
    pub stream_end: String,
    /// Abnormalities of a live push: event 321.
    pub push_exception: String,
    /// Kept, unused.
    pub record: String,
    /// Kept, unused.
    pub record_status: String,
    /// Kept, unused.
    pub record_exception: String,
    /// Kept, unused.
    pub record_exception_levels: Vec<String>,
    /// Kept, unused.
    pub snapshot: String,
    /// Kept, unused.
    pub porn_censorship: String,
    /// Kept, unused.
    pub audio_audit: String,
    /// Kept, unused.
    pub stream_mix: String,
}

impl CallbackUrls {
    /// Where events of a kind go; `None` means nowhere.
    pub fn of(&self, kind: CallbackKind) -> Option<&str> {
        let url = match kind {
            CallbackKind::Begin => &self.stream_begin,
            CallbackKind::End => &self.stream_end,
            CallbackKind::Exception => &self.push_exception,
        };
        Some(url.as_str()).filter(|url| !url.is_empty())
    }

    /// Every URL, each with the name of its field.
    pub fn named(&self) -> [(&'static str, &str); 10] {
        [
            ("stream_begin", &self.stream_begin),
            ("stream_end", &self.stream_end),
            ("push_exception", &self.push_exception),
            ("record", &self.record),
            ("record_status", &self.record_status),
            ("record_exception", &self.record_exception),
            ("snapshot", &self.snapshot),
            ("porn_censorship", &self.porn_censorship),
            ("audio_audit", &self.audio_audit),
            ("stream_mix", &self.stream_mix),
        ]
    }
}

/// Where events are sent and how they are signed. `Debug` shows no key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackTemplate {
    /// The template's number.
    pub id: TemplateId,
    /// The account that owns it.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// What it is for, in its owner's words.
    #[serde(default)]
    pub description: String,
    /// Where the events go.
    #[serde(default)]
    pub urls: CallbackUrls,
    /// Signs the events (`CallbackKey`); empty leaves them unsigned, and secrets of push URLs masked.
    #[serde(default)]
    pub key: String,
    /// When it was made.
    #[serde(default)]
    pub created: Timestamp,
}

impl std::fmt::Debug for CallbackTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallbackTemplate")
            .field("id", &self.id)
            .field("account", &self.account)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Binds a template to a domain and app; one of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackRule {
    /// Push domain, lower case.
    pub domain: String,
    /// The app, or [`ANY_APP`].
    pub app: String,
    /// The template.
    pub template: TemplateId,
    /// When it was made.
    #[serde(default)]
    pub created: Timestamp,
    /// When it was last changed.
    #[serde(default)]
    pub updated: Timestamp,
}

/// A rule's place in the catalog: domain and app.
pub type RuleKey = (String, String);

impl Catalog {
    /// The rule for an app: its own, or else that of [`ANY_APP`].
    pub fn callback_rule(&self, domain: &str, app: &str) -> Option<&CallbackRule> {
        let domain = domain.to_ascii_lowercase();
        let rule = |app: &str| self.callback_rules.get(&(domain.clone(), app.to_owned()));
        rule(app).or_else(|| rule(ANY_APP))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apps_own_rule_goes_before_that_of_every_app() {
        let mut catalog = Catalog::default();
        for (app, template) in [("live", 1), (ANY_APP, 2)] {
            let rule = CallbackRule {
                domain: "d.example".into(),
                app: app.into(),
                template,
                created: Timestamp(0),
                updated: Timestamp(0),
            };
            catalog.callback_rules.insert((rule.domain.clone(), rule.app.clone()), rule);
        }
        let found = |domain: &str, app: &str| catalog.callback_rule(domain, app).map(|rule| rule.template);
        assert_eq!(found("D.example", "live"), Some(1));
        assert_eq!(found("d.example", "other"), Some(2));
        assert_eq!(found("e.example", "live"), None);
    }

    #[test]
    fn debug_output_holds_no_callback_key() {
        let template = CallbackTemplate {
            id: 1,
            account: 1,
            name: "shown".into(),
            description: String::new(),
            urls: CallbackUrls::default(),
            key: "HIDDEN".into(),
            created: Timestamp(0),
        };
        let text = format!("{template:?}");
        assert!(text.contains("shown") && !text.contains("HIDDEN"), "{text}");
    }

    #[test]
    fn each_kind_has_its_event_type_and_url() {
        let urls = CallbackUrls { stream_end: "http://r.example/".into(), ..CallbackUrls::default() };
        for kind in [CallbackKind::Begin, CallbackKind::End, CallbackKind::Exception] {
            assert_eq!(CallbackKind::of_event_type(kind.event_type()), Some(kind));
            assert_eq!(urls.of(kind).is_some(), kind == CallbackKind::End);
        }
        assert_eq!(CallbackKind::of_event_type(100), None);
    }
}
