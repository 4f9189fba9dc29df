//! A stream that is defined in the engine, for all nodes at once.

use std::sync::Arc;

use serde_json::{Map, Value};

/// The keys of a stream that is defined in the engine: a JSON object, as the configuration file
/// has it.
///
/// Secrets are in it as references only (`${env:NAME}`, `${file:PATH}`), which each node resolves
/// for itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamDocument(Arc<str>);

impl StreamDocument {
    /// The size of the largest document, in bytes.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Checks a document before it is put: those of its keys that hold secrets must be references.
    ///
    /// # Errors
    ///
    /// If the text is too long or not a JSON object, or a secret is written out. The caller is at
    /// fault; the error does not repeat the secret.
    pub fn new(json: &str, secret_keys: &[&str]) -> Result<Self, InvalidDocument> {
        let document = Self::parse(json)?;
        let object = object(json)?;
        for key in secret_keys {
            let written_out = |value: &Value| !value.as_str().is_some_and(is_reference);
            if object.get(*key).is_some_and(written_out) {
                return Err(InvalidDocument::Secret {
                    key: (*key).to_owned(),
                });
            }
        }
        Ok(document)
    }

    /// Takes a document that another node has put. What it says is as little trusted as a file of
    /// somebody else's.
    pub(crate) fn parse(json: &str) -> Result<Self, InvalidDocument> {
        if json.len() > Self::MAX_BYTES {
            return Err(InvalidDocument::TooLong);
        }
        object(json)?;
        Ok(Self(json.into()))
    }

    /// The JSON object.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a [`StreamDocument`] was refused. The caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDocument {
    /// It is too long.
    #[error("a stream in the engine has 64 KiB at most")]
    TooLong,
    /// It is no JSON object.
    #[error("a stream in the engine is a JSON object")]
    NotAnObject,
    /// A secret is written out.
    #[error("{key} holds a secret: write it as ${{env:NAME}} or ${{file:PATH}}")]
    Secret {
        /// The key.
        key: String,
    },
}

fn object(json: &str) -> Result<Map<String, Value>, InvalidDocument> {
    serde_json::from_str(json).map_err(|_| InvalidDocument::NotAnObject)
}

/// Whether a text is one reference, and nothing beside it.
fn is_reference(text: &str) -> bool {
    let inside = |prefix| {
        let inside = text.strip_prefix(prefix)?.strip_suffix('}')?;
        Some(!inside.is_empty() && !inside.contains('}'))
    };
    ["${env:", "${file:"]
        .into_iter()
        .any(|prefix| inside(prefix) == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_stored_as_a_reference_only() {
        let secrets = ["password"];
        for good in ["${env:CAM}", "${file:/etc/cam.key}"] {
            let json = format!(r#"{{"source":"tcp://c:1","password":"{good}"}}"#);
            assert!(StreamDocument::new(&json, &secrets).is_ok(), "{good}");
        }
        for bad in [
            "hunter2",
            "${env:A}x",
            "x${env:A}",
            "${env:}",
            "${env:A}${env:B}",
        ] {
            let json = format!(r#"{{"password":"{bad}"}}"#);
            let error = StreamDocument::new(&json, &secrets).unwrap_err();
            assert!(error.to_string().starts_with("password holds"), "{error}");
        }
        let number = StreamDocument::new(r#"{"password":12345}"#, &secrets);
        assert!(number.is_err());
    }

    #[test]
    fn document_is_a_bounded_object() {
        assert_eq!(
            StreamDocument::parse("[]"),
            Err(InvalidDocument::NotAnObject)
        );
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(StreamDocument::MAX_BYTES - 8));
        assert!(StreamDocument::parse(&long).is_ok());
        let longer = format!(r#"{{"a":"{}"}}"#, "x".repeat(StreamDocument::MAX_BYTES - 7));
        assert_eq!(
            StreamDocument::parse(&longer),
            Err(InvalidDocument::TooLong)
        );
    }
}
