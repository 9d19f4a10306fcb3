//! Parameters as they came: text alone from a form, typed from JSON.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::api::css::error::{Code, CssError};

/// How much of a name from outside an error repeats.
const SHOWN: usize = 64;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Any other number, which no action takes.
    Number(f64),
    /// A truth value, which no action takes.
    Bool(bool),
    /// JSON's null, which counts as not given.
    Null,
    /// A list.
    List(Vec<Value>),
}

/// Parameters by name; no name comes twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params(BTreeMap<String, Value>);

impl Params {
    /// Adds a parameter.
    ///
    /// # Errors
    /// `InvalidParameter` if there is one of that name, or the name is empty.
    pub fn add(&mut self, name: String, value: Value) -> Result<(), CssError> {
        if name.is_empty() {
            return Err(CssError::new(Code::InvalidParameter, "A parameter has no name."));
        }
        let shown = shown(&name);
        match self.0.insert(name, value) {
            None => Ok(()),
            Some(_) => Err(CssError::new(Code::InvalidParameter, format!("`{shown}` is given twice."))),
        }
    }

    /// Adds a parameter; one of a name that is there makes a list of both.
    ///
    /// # Errors
    /// `InvalidParameter` if the name is empty.
    pub fn add_to_list(&mut self, name: String, value: Value) -> Result<(), CssError> {
        match self.0.get_mut(&name) {
            None => self.add(name, value),
            Some(Value::List(list)) => {
                list.push(value);
                Ok(())
            }
            Some(first) => {
                let one = std::mem::replace(first, Value::Null);
                *first = Value::List(vec![one, value]);
                Ok(())
            }
        }
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A parameter as text, where it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Takes a parameter out, as text.
    pub fn take_text(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// All parameters, by the bytes of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Reads a JSON object.
    ///
    /// # Errors
    /// `InvalidParameter` where it is none, or a name comes twice; objects inside are no parameters of any action.
    pub fn from_json(bytes: &[u8]) -> Result<Self, CssError> {
        serde_json::from_slice(bytes).map_err(|error| {
            let message = format!("The body is no JSON object of parameters: {error}.");
            CssError::new(Code::InvalidParameter, message)
        })
    }
}

/// The beginning of a name from outside, without control characters.
pub fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Params;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Params, A::Error> {
                let mut params = Params::default();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    params.add(name, value).map_err(|error| A::Error::custom(error.message))?;
                }
                Ok(params)
            }
        }
        d.deserialize_map(Object)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("text, a number or a list")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
                Ok(Value::Text(text))
            }

            fn visit_i64<E: Error>(self, n: i64) -> Result<Value, E> {
                Ok(Value::Integer(n))
            }

            fn visit_u64<E: Error>(self, n: u64) -> Result<Value, E> {
                Ok(i64::try_from(n).map_or(Value::Number(n as f64), Value::Integer))
            }

            fn visit_f64<E: Error>(self, n: f64) -> Result<Value, E> {
                Ok(Value::Number(n))
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Value, E> {
                Ok(Value::Bool(truth))
            }

            fn visit_unit<E: Error>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(Value::List(values))
            }
        }
        d.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_keeps_its_types() {
        let json =
            r#"{"A":"x","B":3,"C":1.5,"D":null,"E":["error","info"],"F":true,"G":18446744073709551615}"#;
        let params = Params::from_json(json.as_bytes()).unwrap();
        assert_eq!(params.get("A"), Some(&Value::Text("x".into())));
        assert_eq!(params.get("B"), Some(&Value::Integer(3)));
        assert_eq!(params.get("C"), Some(&Value::Number(1.5)));
        assert_eq!(params.get("D"), Some(&Value::Null));
        assert!(matches!(params.get("E"), Some(Value::List(list)) if list.len() == 2));
        assert!(matches!(params.get("G"), Some(Value::Number(_))));
    }

    #[test]
    fn a_name_given_twice_is_refused() {
        let error = Params::from_json(br#"{"PageNum":1,"PageNum":2}"#).unwrap_err();
        assert_eq!(error.code, Code::InvalidParameter);
        assert!(error.message.contains("`PageNum` is given twice"), "{error}");
    }

    #[test]
    fn what_is_no_flat_object_is_refused() {
        for json in ["", "[]", "1", "{", r#"{"A":{}}"#, r#"{"":1}"#, "{}x", "\u{feff}{}"] {
            assert_eq!(
                Params::from_json(json.as_bytes()).unwrap_err().code,
                Code::InvalidParameter,
                "{json}"
            );
        }
        let deep = format!(r#"{{"A":{}"#, "[".repeat(100_000));
        assert!(Params::from_json(deep.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_parameters_or_an_error(bytes: Vec<u8>) {
            let _ = Params::from_json(&bytes);
        }
    }
}
