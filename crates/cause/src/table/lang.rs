//! The languages in which Lastframe speaks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A language of messages, meanings, advice and details.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// Japanese.
    Ja,
    /// English.
    #[default]
    En,
    /// Chinese, in simplified characters.
    Zh,
}

impl Lang {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::Ja, Self::En, Self::Zh];

    /// The language's subtag, as in BCP 47: `ja`, `en`, `zh`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
            Self::Zh => "zh",
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A language tag that names none of [`Lang::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no language Lastframe speaks: use ja, en or zh")]
pub struct LangError(pub String);

impl FromStr for Lang {
    type Err = LangError;

    /// Reads a BCP 47 tag or a locale name; only the language itself counts: `ja`, `ja-JP`, `zh_CN.UTF-8`.
    fn from_str(tag: &str) -> Result<Self, Self::Err> {
        let language = tag.trim().split(['-', '_', '.']).next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|lang| lang.as_str().eq_ignore_ascii_case(language))
            .ok_or_else(|| LangError(tag.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_counts_by_its_language_alone() {
        for (tag, lang) in
            [("ja", Lang::Ja), ("ja-JP", Lang::Ja), ("EN-us", Lang::En), ("zh-Hans-CN", Lang::Zh)]
        {
            assert_eq!(tag.parse(), Ok(lang));
        }
        assert_eq!("zh_CN.UTF-8".parse(), Ok(Lang::Zh));
    }

    #[test]
    fn a_language_we_do_not_speak_is_an_error_that_names_it() {
        for tag in ["fr", "", "jaa", "C", "-ja"] {
            assert_eq!(tag.parse::<Lang>(), Err(LangError(tag.to_owned())));
        }
    }

    #[test]
    fn every_language_reads_back_from_its_tag() {
        for lang in Lang::ALL {
            assert_eq!(lang.to_string().parse(), Ok(lang));
            assert_eq!(serde_json::to_value(lang).unwrap(), lang.as_str());
        }
        assert_eq!(Lang::default(), Lang::En);
    }
}
