//! What an action leaves for the page that is shown after it: that it was done, what went wrong, a secret that is shown
//! once. It waits in the session, so that loading the page again neither acts again nor shows a secret again.

use std::time::{Duration, Instant};

/// A note that nobody came for is forgotten after this time.
pub const GOOD_FOR: Duration = Duration::from_secs(300);

/// What is told on the next page. `Debug` shows no secret.
#[derive(Clone, Default)]
pub struct Note {
    /// The sentence.
    pub text: String,
    /// Whether it tells of something that went wrong.
    pub alert: bool,
    /// Secrets, each with its label, shown with a button to copy.
    pub secrets: Vec<(String, String)>,
    /// Facts, each with its label.
    pub facts: Vec<(String, String)>,
    /// What was filled into the form that was not taken.
    pub draft: Vec<(&'static str, String)>,
}

impl Note {
    /// That something was done.
    pub fn done(text: String) -> Self {
        Self { text, ..Self::default() }
    }

    /// That something was not done.
    pub fn mistake(text: String) -> Self {
        Self { text, alert: true, ..Self::default() }
    }

    /// With a secret to show.
    #[must_use]
    pub fn with_secret(mut self, label: String, secret: String) -> Self {
        self.secrets.push((label, secret));
        self
    }

    /// What was filled into a field; `None` if nothing was refused.
    pub fn drafted(&self, field: &str) -> Option<&str> {
        self.draft.iter().find(|(name, _)| *name == field).map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Note").field("text", &self.text).field("alert", &self.alert).finish_non_exhaustive()
    }
}

/// A note with the page it waits for.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The page's path.
    pub at: String,
    /// The note.
    pub note: Note,
    /// When it was left.
    pub since: Instant,
}
