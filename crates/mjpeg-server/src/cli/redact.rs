//! Errors of the command line without secrets.

use clap::error::{ContextKind, ContextValue};
use mjpeg_manager::StreamName;

/// Removes the URLs of streams from an error of the parser, which quotes the arguments. A URL may
/// contain a password, and the error says without it what is wrong.
pub(super) fn without_urls(mut error: clap::Error) -> clap::Error {
    for kind in [ContextKind::InvalidValue, ContextKind::InvalidArg] {
        let Some(ContextValue::String(value)) = error.get(kind) else {
            continue;
        };
        if !value.contains("://") {
            continue;
        }
        let name = value.split_once('=').map(|(name, _)| name);
        let shown = match name.filter(|name| name.parse::<StreamName>().is_ok()) {
            Some(name) => format!("{name}=…"),
            None => "…".into(),
        };
        error.insert(kind, ContextValue::String(shown));
    }
    error
}
