//! What an action's parameters are, as a table, and requests held against it.

use std::collections::BTreeMap;

use super::error::{Code, CssError};
use super::request::value::{Params, Value, shown};

/// One parameter of an action.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    name: &'static str,
    kind: Kind,
    required: bool,
    default: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Text of at most so many bytes.
    Text { most: usize },
    /// A whole number.
    Integer { least: i64, most: i64 },
    /// A list of so many texts at most, each one of these.
    Texts { most: usize, of: &'static [&'static str] },
}

/// Text of at most `most` bytes.
pub const fn text(name: &'static str, most: usize) -> Param {
    Param { name, kind: Kind::Text { most }, required: false, default: None }
}

/// A whole number from `least` to `most`.
pub const fn integer(name: &'static str, least: i64, most: i64) -> Param {
    Param { name, kind: Kind::Integer { least, most }, required: false, default: None }
}

/// A list of at most `most` of these words.
pub const fn words(name: &'static str, most: usize, of: &'static [&'static str]) -> Param {
    Param { name, kind: Kind::Texts { most, of }, required: false, default: None }
}

impl Param {
    /// The parameter must be given.
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// What it is when it is not given.
    pub const fn or(self, default: i64) -> Self {
        Self { default: Some(default), ..self }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// The parameters of a call: known, of the right kind, within their limits.
#[derive(Clone, Debug, Default)]
pub struct Args(BTreeMap<&'static str, Arg>);

#[derive(Clone, Debug)]
enum Arg {
    Text(String),
    Integer(i64),
    Texts(Vec<String>),
}

impl Args {
    /// Holds `given` against the table. `typed` values come from JSON and keep their types; others are all text.
    ///
    /// # Errors
    /// `UnknownParameter`, `MissingParameter`, `InvalidParameter` for the wrong type, `InvalidParameterValue` for
    /// what is outside its limits.
    pub fn read(table: &[Param], given: &Params, typed: bool) -> Result<Self, CssError> {
        let unknown =
            given.iter().map(|(name, _)| name).find(|name| !table.iter().any(|p| p.is(name, typed)));
        if let Some(name) = unknown {
            let message = format!("The parameter `{}` is not recognized.", shown(name));
            return Err(CssError::new(Code::UnknownParameter, message));
        }
        let mut args = Self::default();
        for param in table {
            let arg = match param.kind {
                Kind::Texts { .. } if !typed => param.numbered(given)?,
                _ => match given.get(param.name) {
                    None | Some(Value::Null) => None,
                    Some(value) => Some(param.read(value, typed)?),
                },
            };
            match (arg, param.default) {
                (Some(arg), _) => args.0.insert(param.name, arg),
                (None, Some(default)) => args.0.insert(param.name, Arg::Integer(default)),
                (None, None) if param.required => {
                    let message = format!("The request is missing the required parameter `{}`.", param.name);
                    return Err(CssError::new(Code::MissingParameter, message));
                }
                (None, None) => None,
            };
        }
        Ok(args)
    }

    /// A text, if it was given.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Arg::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A number, if it was given or has a default.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.0.get(name) {
            Some(Arg::Integer(n)) => Some(*n),
            _ => None,
        }
    }

    /// A list, if it was given.
    pub fn words(&self, name: &str) -> Option<&[String]> {
        match self.0.get(name) {
            Some(Arg::Texts(texts)) => Some(texts),
            _ => None,
        }
    }
}

impl Param {
    fn is(&self, name: &str, typed: bool) -> bool {
        match self.kind {
            Kind::Texts { .. } if !typed && name != self.name => {
                let index = name.strip_prefix(self.name).and_then(|rest| rest.strip_prefix('.'));
                index.is_some_and(|index| {
                    (1..=4).contains(&index.len()) && index.bytes().all(|b| b.is_ascii_digit())
                })
            }
            _ => self.name == name,
        }
    }

    fn read(&self, value: &Value, typed: bool) -> Result<Arg, CssError> {
        match (self.kind, value) {
            (Kind::Text { most }, Value::Text(text)) => self.text_within(text, most),
            (Kind::Integer { least, most }, Value::Integer(n)) => self.integer_within(*n, least, most),
            (Kind::Integer { least, most }, Value::Text(text)) if !typed => {
                let n = text.parse().map_err(|_| self.wrong_type("a whole number"))?;
                self.integer_within(n, least, most)
            }
            (Kind::Texts { most, of }, Value::List(list)) => {
                let texts = list.iter().map(|value| match value {
                    Value::Text(text) => Ok(text.clone()),
                    _ => Err(self.wrong_type("a list of texts")),
                });
                self.words_within(texts.collect::<Result<_, _>>()?, most, of)
            }
            (Kind::Text { .. } | Kind::Integer { .. }, Value::List(_)) if !typed => {
                let message = format!("`{}` is given twice.", self.name);
                Err(CssError::new(Code::InvalidParameter, message))
            }
            (Kind::Text { .. }, _) => Err(self.wrong_type("text")),
            (Kind::Integer { .. }, _) => Err(self.wrong_type("a whole number")),
            (Kind::Texts { .. }, _) => Err(self.wrong_type("a list of texts")),
        }
    }

    /// A list as forms have it: `Name.0`, `Name.1`, ..., or one name several times.
    fn numbered(&self, given: &Params) -> Result<Option<Arg>, CssError> {
        let Kind::Texts { most, of } = self.kind else { return Ok(None) };
        let numbered = |name: &str| name != self.name && self.is(name, false);
        let count = given.iter().filter(|(name, _)| numbered(name)).count();
        match given.get(self.name) {
            Some(_) if count > 0 => return Err(self.wrong_type("a list in one form")),
            Some(Value::Text(one)) => return self.words_within(vec![one.clone()], most, of).map(Some),
            Some(list) => return self.read(list, false).map(Some),
            None => {}
        }
        let texts: Vec<String> =
            (0..count).map_while(|n| given.text(&format!("{}.{n}", self.name)).map(str::to_owned)).collect();
        match (count, texts.len() == count) {
            (0, _) => Ok(None),
            (_, true) => self.words_within(texts, most, of).map(Some),
            (_, false) => Err(self.wrong_type("a list, numbered from 0 without gaps")),
        }
    }

    fn text_within(&self, text: &str, most: usize) -> Result<Arg, CssError> {
        if text.len() > most {
            return Err(CssError::value(self.name, &format!("must have at most {most} bytes")));
        }
        if self.required && text.is_empty() {
            return Err(CssError::value(self.name, "must not be empty"));
        }
        if text.contains('\0') {
            return Err(CssError::value(self.name, "must not hold a zero byte"));
        }
        Ok(Arg::Text(text.to_owned()))
    }

    fn integer_within(&self, n: i64, least: i64, most: i64) -> Result<Arg, CssError> {
        match (least..=most).contains(&n) {
            true => Ok(Arg::Integer(n)),
            false => Err(CssError::value(self.name, &format!("must be from {least} to {most}"))),
        }
    }

    fn words_within(&self, texts: Vec<String>, most: usize, of: &[&str]) -> Result<Arg, CssError> {
        if texts.len() > most || !texts.iter().all(|text| of.contains(&text.as_str())) {
            let what = format!("must be a list of at most {most} of {}", of.join(", "));
            return Err(CssError::value(self.name, &what));
        }
        Ok(Arg::Texts(texts))
    }

    fn wrong_type(&self, what: &str) -> CssError {
        CssError::new(Code::InvalidParameter, format!("The parameter `{}` must be {what}.", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::css::request::form;

    const TABLE: [Param; 4] = [
        text("Name", 8).required(),
        integer("PageNum", 1, 100).or(1),
        integer("Flag", 0, 1),
        words("Levels", 2, &["error", "info"]),
    ];

    fn json(text: &str) -> Result<Args, CssError> {
        Args::read(&TABLE, &Params::from_json(text.as_bytes())?, true)
    }

    fn form(text: &str) -> Result<Args, CssError> {
        Args::read(&TABLE, &form::read(text.as_bytes())?, false)
    }

    #[test]
    fn both_forms_of_a_request_give_the_same_arguments() {
        for args in [
            json(r#"{"Name":"n","Flag":1,"Levels":["info","error"]}"#).unwrap(),
            form("Name=n&Flag=1&Levels.1=error&Levels.0=info").unwrap(),
        ] {
            assert_eq!(args.text("Name"), Some("n"));
            assert_eq!((args.integer("PageNum"), args.integer("Flag")), (Some(1), Some(1)));
            assert_eq!(args.words("Levels").unwrap(), ["info", "error"]);
        }
        let repeated = form::read_with_lists(b"Name=n&Levels=info&Levels=error").unwrap();
        let args = Args::read(&TABLE, &repeated, false).unwrap();
        assert_eq!(args.words("Levels").unwrap(), ["info", "error"]);
        let twice = form::read_with_lists(b"Name=n&PageNum=1&PageNum=2").unwrap();
        assert_eq!(Args::read(&TABLE, &twice, false).unwrap_err().code, Code::InvalidParameter);
        assert_eq!(json(r#"{"Name":"n","Flag":null}"#).unwrap().integer("Flag"), None);
    }

    #[test]
    fn what_is_wrong_has_its_own_code() {
        for (text, code) in [
            (r#"{}"#, Code::MissingParameter),
            (r#"{"Name":null}"#, Code::MissingParameter),
            (r#"{"Name":""}"#, Code::InvalidParameterValue),
            (r#"{"Name":"123456789"}"#, Code::InvalidParameterValue),
            (r#"{"Name":"a\u0000"}"#, Code::InvalidParameterValue),
            (r#"{"Name":1}"#, Code::InvalidParameter),
            (r#"{"Name":"n","PageNum":0}"#, Code::InvalidParameterValue),
            (r#"{"Name":"n","PageNum":"1"}"#, Code::InvalidParameter),
            (r#"{"Name":"n","PageNum":1.5}"#, Code::InvalidParameter),
            (r#"{"Name":"n","PageNum":true}"#, Code::InvalidParameter),
            (r#"{"Name":"n","Levels":"info"}"#, Code::InvalidParameter),
            (r#"{"Name":"n","Levels":["x"]}"#, Code::InvalidParameterValue),
            (r#"{"Name":"n","Levels":["info","info","info"]}"#, Code::InvalidParameterValue),
            (r#"{"Name":"n","name":"n"}"#, Code::UnknownParameter),
            (r#"{"Name":"n","Levels.0":"info"}"#, Code::UnknownParameter),
        ] {
            assert_eq!(json(text).unwrap_err().code, code, "{text}");
        }
        for (text, code) in [
            ("Name=n&PageNum=x", Code::InvalidParameter),
            ("Name=n&PageNum=101", Code::InvalidParameterValue),
            ("Name=n&Levels.1=info", Code::InvalidParameter),
            ("Name=n&Levels.x=info", Code::UnknownParameter),
            ("Name=n&Levels=info&Levels.0=error", Code::InvalidParameter),
            ("Name=n&Levels=nothing", Code::InvalidParameterValue),
            ("Name=n&Name=n", Code::InvalidParameter),
        ] {
            assert_eq!(form(text).unwrap_err().code, code, "{text}");
        }
    }
}
