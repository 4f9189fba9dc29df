//! `KEY=VALUE` as JSON.

use serde_json::{Map, Value};

use super::failure::CtlFailure;

/// Reads keys and values. A key without a value becomes `null`, which removes it. No value is
/// repeated in an error: it may be a secret.
pub(super) fn parsed(arguments: &[String]) -> Result<Map<String, Value>, CtlFailure> {
    let mut keys: Map<String, Value> = Map::new();
    let mut lists: Vec<&str> = Vec::new();
    for argument in arguments {
        let (key, text) = argument.split_once('=').ok_or_else(no_equals)?;
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(no_equals());
        }
        let value = value(key, text)?;
        match keys.get_mut(key) {
            None => {
                keys.insert(key.into(), value);
            }
            Some(_) if value.is_null() => return Err(twice(key)),
            Some(Value::Null) => return Err(twice(key)),
            Some(Value::Array(values)) if lists.contains(&key) => values.push(value),
            Some(first) => {
                *first = Value::Array(vec![first.take(), value]);
                lists.push(key);
            }
        }
    }
    Ok(keys)
}

fn value(key: &str, text: &str) -> Result<Value, CtlFailure> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let json = serde_json::from_str(text);
    if text.starts_with(['[', '{', '"']) {
        return json.map_err(|_| {
            CtlFailure::Usage(format!("the value of {key} begins like JSON, but is none"))
        });
    }
    Ok(match json {
        Ok(value @ (Value::Bool(_) | Value::Number(_))) => value,
        _ => text.into(),
    })
}

fn no_equals() -> CtlFailure {
    CtlFailure::Usage("write KEY=VALUE, such as on_demand=true".into())
}

fn twice(key: &str) -> CtlFailure {
    CtlFailure::Usage(format!("{key}= removes the key, and so stands alone"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(arguments: &[&str]) -> Result<Value, String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let keys = parsed(&arguments).map_err(|error| error.to_string())?;
        Ok(Value::Object(keys))
    }

    #[test]
    fn values_are_of_the_kind_that_they_look_like() {
        let read = read(&[
            "a=true",
            "b=10",
            "c=-1.5",
            "d=10s",
            "e=\"10\"",
            "f=[\"x\"]",
            "g=",
            "h=a,b",
            "i=007",
            "j=null",
            "k=\"\"",
            "l=a=b",
            "m={\"n\":1}",
        ]);
        let expected = json!({
            "a": true, "b": 10, "c": -1.5, "d": "10s", "e": "10", "f": ["x"], "g": null,
            "h": "a,b", "i": "007", "j": "null", "k": "", "l": "a=b", "m": { "n": 1 },
        });
        assert_eq!(read.unwrap(), expected);
    }

    #[test]
    fn key_given_more_than_once_is_a_list() {
        let list = read(&["a=x", "a=2", "a=[3]"]).unwrap();
        assert_eq!(list, json!({ "a": ["x", 2, [3]] }));
        let of_lists = read(&["a=[1]", "a=[2]"]).unwrap();
        assert_eq!(of_lists, json!({ "a": [[1], [2]] }));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_value() {
        for wrong in [
            &["secret"][..],
            &["=secret"],
            &["http://secret=1"],
            &["a=[secret"],
            &["a=\"secret"],
            &["a=secret", "a="],
            &["a=", "a=secret"],
        ] {
            let error = read(wrong).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
