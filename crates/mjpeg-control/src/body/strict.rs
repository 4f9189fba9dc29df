//! JSON whose objects have no name twice.

use std::{cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a text is not such JSON.
#[derive(Debug)]
pub(super) enum StrictError {
    Syntax(serde_json::Error),
    /// An object has this name twice. A proxy that checked the body may have read the other value
    /// (RFC 8259, 4).
    Duplicate(String),
}

/// Reads a value. Nesting is limited by the parser, to 128 levels.
pub(super) fn value(json: &[u8]) -> Result<Value, StrictError> {
    let duplicate = RefCell::new(None);
    let mut parser = serde_json::Deserializer::from_slice(json);
    let value = Strict(&duplicate).deserialize(&mut parser);
    let value = value.and_then(|value| parser.end().map(|()| value));
    value.map_err(|error| match duplicate.take() {
        Some(name) => StrictError::Duplicate(name),
        None => StrictError::Syntax(error),
    })
}

/// Reads a value, and keeps the first name that is there twice.
#[derive(Clone, Copy)]
struct Strict<'a>(&'a RefCell<Option<String>>);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self)? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if fields.contains_key(&name) {
                self.0.replace(Some(name));
                return Err(A::Error::custom("a name is there twice"));
            }
            let value = members.next_value_seed(self)?;
            fields.insert(name, value);
        }
        Ok(fields.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duplicate(json: &str) -> Option<String> {
        match value(json.as_bytes()) {
            Err(StrictError::Duplicate(name)) => Some(name),
            _ => None,
        }
    }

    #[test]
    fn what_has_no_name_twice_is_read_as_ever() {
        for json in [
            "null",
            " true ",
            "-7",
            "18446744073709551615",
            "1e300",
            "1.5",
            r#""a\u00e4\n""#,
            r#"{"a": [1, {"a": 2}, []], "b": {"a": null}}"#,
        ] {
            let expected: Value = serde_json::from_str(json).unwrap();
            assert_eq!(value(json.as_bytes()).unwrap(), expected, "{json}");
        }
        for json in ["", "{", "[1,]", "1 2", "{1:2}", r#"{"a":1e999}"#, "nul"] {
            let result = value(json.as_bytes());
            assert!(matches!(result, Err(StrictError::Syntax(_))), "{json}");
        }
    }

    #[test]
    fn name_that_is_there_twice_is_found_however_it_is_written() {
        for json in [
            r#"{"a": 1, "b": 2, "a": 1}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"[[{"x": {"a": {"a": 1}, "b": [{"a": 1, "a": 2}]}}]]"#,
        ] {
            assert_eq!(duplicate(json).as_deref(), Some("a"), "{json}");
        }
    }

    #[test]
    fn nesting_ends_before_the_stack_does() {
        for open in ["[", r#"{"a":"#] {
            let result = value(open.repeat(100_000).as_bytes());
            assert!(matches!(result, Err(StrictError::Syntax(_))), "{open}");
        }
    }
}
