//! From defaults, file and environment to one configuration, or to the list of all its mistakes.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Mistake, Origin, nearest, position};
use super::settings::SETTINGS;
use super::tables::{TABLES, read_entry};
use super::value::Given;
use super::{Config, ConfigError, advertise, certificates, listeners};

/// Files above this size are no configuration.
const MAX_FILE: u64 = 4 << 20;

/// Variables of the program's own that are no settings.
const NOT_SETTINGS: [&str; 4] =
    ["LASTFRAME_CONFIG", "LASTFRAME_DATA", "LASTFRAME_LOG", "LASTFRAME_LOG_FORMAT"];

/// A configuration and what was odd, but no mistake, in what it was read from.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Sentences for the log.
    pub warnings: Vec<String>,
}

/// Reads the configuration: defaults, then the file, then the environment. The files that it names must be usable.
pub fn load(file: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Loaded, ConfigError> {
    let mut reader = Reader::of(file, env)?;
    reader.named_files();
    reader.warnings.extend(advertise::doubts(&reader.config));
    reader.finish()
}

/// The same for commands that use none of the files it names: a server that goes on with the certificate of before must
/// not keep its records to itself.
pub fn load_alone(
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    Reader::of(file, env)?.finish()
}

impl Reader {
    fn of(file: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut reader = Self::default();
        if let Some(path) = file {
            let text = read_file(path)?;
            reader.file(path, &text);
        }
        reader.environment(env);
        Ok(reader)
    }

    fn finish(self) -> Result<Loaded, ConfigError> {
        match self.mistakes.is_empty() {
            true => Ok(Loaded { config: self.config, warnings: self.warnings }),
            false => Err(ConfigError::Mistakes(self.mistakes)),
        }
    }
}

fn read_file(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > MAX_FILE {
        return Err(unreadable(std::io::Error::other(format!("{size} bytes are more than {MAX_FILE}"))));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

#[derive(Default)]
struct Reader {
    config: Config,
    /// Where each setting was given last.
    places: BTreeMap<String, Origin>,
    mistakes: Vec<Mistake>,
    warnings: Vec<String>,
}

impl Reader {
    fn file(&mut self, path: &Path, text: &str) {
        let place = |offset: usize| {
            let (line, column) = position(text, offset);
            Origin::File { path: path.to_owned(), line, column }
        };
        let root = match DeTable::parse(text) {
            Ok(root) => root,
            Err(error) => {
                let origin = place(error.span().map_or(0, |s| s.start));
                let what = format!("this is not TOML: {}", error.message().trim_end());
                self.mistakes.push(Mistake { origin, key: String::new(), what });
                return;
            }
        };
        // The table is sorted by name; mistakes are told in the order of the file.
        let mut sections: Vec<_> = root.get_ref().iter().collect();
        sections.sort_by_key(|(name, _)| name.span().start);
        for (name, value) in sections {
            self.section(&place, name, value);
        }
    }

    fn section(
        &mut self,
        place: &impl Fn(usize) -> Origin,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) {
        let section: &str = name.get_ref();
        if TABLES.contains(&section) {
            self.entries(place, section, value);
        } else if SETTINGS.iter().any(|s| s.section == section) {
            let Some(table) = value.get_ref().as_table() else {
                let what = format!("is a table; write [{section}] and its keys below it");
                return self.mistake(place(name.span().start), section, what);
            };
            self.keys(place, section, table);
        } else {
            let known = SETTINGS.iter().map(|s| s.section).chain(TABLES);
            let what = unknown("table", section, known, "docs/configuration.md lists all");
            self.mistake(place(name.span().start), section, what);
        }
    }

    fn keys(&mut self, place: &impl Fn(usize) -> Origin, section: &str, table: &DeTable<'_>) {
        let mut keys: Vec<_> = table.iter().collect();
        keys.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in keys {
            let name = format!("{section}.{}", key.get_ref());
            let known = SETTINGS.iter().find(|s| s.section == section && s.key == key.get_ref().as_ref());
            let Some(setting) = known else {
                let keys = SETTINGS.iter().filter(|s| s.section == section).map(|s| s.key);
                let what = unknown("key", key.get_ref(), keys, "docs/configuration.md lists all");
                self.mistake(place(key.span().start), &name, what);
                continue;
            };
            self.places.insert(name.clone(), place(value.span().start));
            if let Err(what) = (setting.set)(&mut self.config, Given::Toml(value.get_ref())) {
                self.mistake(place(value.span().start), &name, what);
            }
        }
    }

    fn entries(&mut self, place: &impl Fn(usize) -> Origin, section: &str, value: &Spanned<DeValue<'_>>) {
        let Some(entries) = value.get_ref().as_array() else {
            let what = format!("is a list of tables; write [[{section}]]");
            return self.mistake(place(value.span().start), section, what);
        };
        for (index, entry) in entries.iter().enumerate() {
            if let Err(wrong) = read_entry(&mut self.config, section, entry) {
                let mut key = format!("{section}.{}", index + 1);
                if !wrong.key.is_empty() {
                    key = format!("{key}.{}", wrong.key);
                }
                self.mistake(place(wrong.offset), &key, wrong.what);
            }
        }
    }

    fn environment(&mut self, env: impl Iterator<Item = (String, String)>) {
        let mut given: Vec<_> = env.filter(|(name, _)| name.starts_with("LASTFRAME_")).collect();
        given.sort();
        for (name, value) in given {
            if NOT_SETTINGS.contains(&name.as_str()) {
                continue;
            }
            let Some(setting) = SETTINGS.iter().find(|s| s.env_name() == name) else {
                // No mistake: cluster managers put variables of their own making beside ours.
                self.warnings.push(format!("environment variable {name} is no setting and is ignored"));
                continue;
            };
            let key = format!("{}.{}", setting.section, setting.key);
            self.places.insert(key.clone(), Origin::Env { name: name.clone() });
            if let Err(what) = (setting.set)(&mut self.config, Given::Env(&value)) {
                self.mistake(Origin::Env { name }, &key, what);
            }
        }
    }

    fn named_files(&mut self) {
        for wrong in certificates::check(&self.config) {
            if let Some(origin) = self.places.get(&wrong.key).cloned() {
                self.mistake(origin, &wrong.key, wrong.what);
            }
        }
        for [first, second] in listeners::meetings(&self.config) {
            // Of the two, one that was written is the mistake.
            let written = self.places.contains_key(second.0);
            let ((key, at), (other, taken)) = if written { (second, first) } else { (first, second) };
            if let Some(origin) = self.places.get(key).cloned() {
                let what = format!("{at} meets {other} ({taken}); give each listener a port of its own");
                self.mistake(origin, key, what);
            }
        }
    }

    fn mistake(&mut self, origin: Origin, key: &str, what: String) {
        self.mistakes.push(Mistake { origin, key: key.to_owned(), what });
    }
}

fn unknown<'a>(kind: &str, given: &str, known: impl Iterator<Item = &'a str>, otherwise: &str) -> String {
    match nearest(given, known) {
        Some(name) => format!("there is no {kind} of this name; `{name}` was probably meant"),
        None => format!("there is no {kind} of this name; {otherwise}"),
    }
}
