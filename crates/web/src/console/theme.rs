//! Light, dark, or as the reader's system has it.

use axum::http::HeaderMap;

use super::cookie;

/// The cookie that keeps the choice.
pub const COOKIE: &str = "lastframe_theme";

/// What can be chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// Its name in the cookie and in the page's `data-theme`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of that name; what is no theme is [`Theme::Auto`].
    pub fn named(text: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text).unwrap_or_default()
    }

    /// The theme that a request asks for.
    pub fn of(headers: &HeaderMap) -> Self {
        cookie::read(headers, COOKIE).map(Self::named).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_theme_is_the_systems() {
        for theme in Theme::ALL {
            assert_eq!(Theme::named(theme.as_str()), theme);
        }
        assert_eq!(Theme::named("\" onload=\""), Theme::Auto);
    }
}
