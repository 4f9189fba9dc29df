//! Errors of the command line without secrets.

use clap::error::{ContextKind, ContextValue};
use mjpeg_manager::StreamName;

/// Removes the values of arguments that are, or may be, URLs from an error of the parser, which
/// quotes them. A URL may contain a password, and in a wrong URL it may be anywhere. The error says
/// what is wrong without quoting the value.
pub(super) fn without_urls(mut error: clap::Error) -> clap::Error {
    let is_url = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(arg)) => URLS.iter().any(|option| arg.starts_with(option)),
        _ => false,
    };
    for kind in [
        ContextKind::InvalidArg,
        ContextKind::InvalidValue,
        ContextKind::InvalidSubcommand,
    ] {
        let Some(ContextValue::String(value)) = error.get(kind) else {
            continue;
        };
        let is_hidden = match kind {
            ContextKind::InvalidValue => is_url || value.contains("://") || value.contains('@'),
            // An option that is known, with the form of its value.
            _ if value.starts_with('-') && value.contains(" <") => false,
            _ => value.contains(['@', ':', '/']),
        };
        if !is_hidden {
            continue;
        }
        let name = value.split_once('=').map(|(name, _)| name);
        let shown = match name.filter(|name| name.parse::<StreamName>().is_ok()) {
            Some(name) => format!("{name}=…"),
            None => "…".into(),
        };
        error.insert(kind, ContextValue::String(shown));
        // "To pass … as a value" repeats it.
        error.remove(ContextKind::Suggested);
        error.remove(ContextKind::SuggestedSubcommand);
    }
    error
}

/// The options whose values are URLs.
const URLS: [&str; 2] = ["--stream", "--fallback"];
