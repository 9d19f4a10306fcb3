//! The console's texts: one Fluent file per language.

use std::sync::OnceLock;

use cause::Lang;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};

/// Every language with its file.
const FILES: [(Lang, &str, &str); 3] = [
    (Lang::En, "en", include_str!("../../lang/en.ftl")),
    (Lang::Ja, "ja", include_str!("../../lang/ja.ftl")),
    (Lang::Zh, "zh", include_str!("../../lang/zh.ftl")),
];

/// The texts of one language.
pub struct Words {
    bundle: FluentBundle<FluentResource>,
}

impl Words {
    /// The texts of `lang`.
    pub fn of(lang: Lang) -> &'static Self {
        static ALL: OnceLock<[Words; 3]> = OnceLock::new();
        let [en, ja, zh] = ALL.get_or_init(|| FILES.map(|(_, tag, text)| Words::read(tag, text)));
        match lang {
            Lang::En => en,
            Lang::Ja => ja,
            Lang::Zh => zh,
        }
    }

    fn read(tag: &str, text: &str) -> Self {
        // A broken line costs that line alone; a test holds that there is none.
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
        let mut bundle = FluentBundle::new_concurrent(vec![tag.parse().unwrap_or_default()]);
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self { bundle }
    }

    /// The text under `key`.
    pub fn get(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// The text under `key` with numbers or names put in.
    pub fn with(&self, key: &str, values: &[(&'static str, String)]) -> String {
        let args: FluentArgs = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.format(key, Some(&args))
    }

    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|m| m.value()) else {
            return key.to_owned();
        };
        self.bundle.format_pattern(pattern, args, &mut Vec::new()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn keys(text: &str) -> BTreeSet<String> {
        let is_key = |line: &&str| line.starts_with(|c: char| c.is_ascii_lowercase());
        text.lines()
            .filter(is_key)
            .filter_map(|l| l.split_once('='))
            .map(|(k, _)| k.trim().to_owned())
            .collect()
    }

    /// The `{ $name }` of a message.
    fn placeables(text: &str, key: &str) -> BTreeSet<String> {
        let line = text.lines().find(|l| l.split('=').next().is_some_and(|k| k.trim() == key)).unwrap();
        line.match_indices('$')
            .map(|(at, _)| {
                line[at + 1..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
            })
            .collect()
    }

    fn sources(dir: &Path, into: &mut String) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => sources(&path, into),
                false => into.push_str(&std::fs::read_to_string(&path).unwrap()),
            }
        }
    }

    #[test]
    fn every_file_is_valid_and_has_the_same_keys_and_parameters() {
        let (_, _, english) = FILES[0];
        for (_, tag, text) in FILES {
            assert!(FluentResource::try_new(text.to_owned()).is_ok(), "{tag}");
            assert_eq!(keys(text), keys(english), "{tag}");
            let lines = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
            assert_eq!(
                lines.count(),
                keys(text).len(),
                "{tag}: a key stands there twice, and the later text wins"
            );
            for key in keys(text) {
                assert_eq!(placeables(text, &key), placeables(english, &key), "{tag}: {key}");
            }
        }
    }

    #[test]
    fn pages_use_every_key_and_no_other() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut text = String::new();
        sources(&root.join("templates"), &mut text);
        sources(&root.join("src/console"), &mut text);
        let known = keys(FILES[0].2);
        for call in ["t(\"", "tn(\"", "get(\"", "with(\"", "key: \""] {
            for (at, _) in text.match_indices(call) {
                let preceded =
                    text[..at].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
                let key: String = text[at + call.len()..].chars().take_while(|c| *c != '"').collect();
                if preceded
                    || !key.contains('-')
                    || key.starts_with("x-")
                    || key.contains('/')
                    || key.contains(' ')
                {
                    continue;
                }
                assert!(known.contains(&key), "`{key}` is used and stands in no language");
            }
        }
        for key in known {
            assert!(text.contains(&format!("\"{key}\"")), "`{key}` stands in the files and is used nowhere");
        }
    }

    #[test]
    fn parameters_are_filled_in() {
        let text = Words::of(Lang::Ja).with("duration-minutes", &[("m", "3".into()), ("s", "20".into())]);
        assert!(text.contains('3') && text.contains("20"), "{text}");
    }
}
