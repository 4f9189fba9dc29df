//! Logs.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Parses a filter: levels, for all modules or after `MODULE=`.
pub(crate) fn parse_filter(text: &str) -> Result<Targets, String> {
    // An empty environment variable counts as unset.
    if text.is_empty() {
        return Ok(Targets::new().with_default(LevelFilter::INFO));
    }
    // The parser takes a word that is not a level for a module's name, so that a typing error would
    // silence the logs.
    let unknown = |word: &&str| !word.contains('=') && word.parse::<LevelFilter>().is_err();
    if let Some(word) = text.split(',').find(unknown) {
        return Err(format!(
            "{word:?} is not error, warn, info, debug, trace or off, nor MODULE=LEVEL"
        ));
    }
    text.parse()
        .map_err(|_| format!("{text:?} is not LEVEL or MODULE=LEVEL, separated by commas"))
}

/// Logs to standard error, because standard output is for the URLs.
pub(crate) fn init(filter: Targets) {
    let lines = fmt::layer()
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal());
    // Fails if the embedding program has set up its own logs, which then serve.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_levels() {
        for good in [
            "info",
            "WARN",
            "off",
            "info,mjpeg_http=debug",
            "mjpeg_http=trace",
        ] {
            assert!(parse_filter(good).is_ok(), "{good}");
        }
        assert_eq!(parse_filter(""), parse_filter("info"));
        for bad in ["loud", "info,mjpeg_http=loud", "mjpeg_http"] {
            assert!(parse_filter(bad).is_err(), "{bad:?}");
        }
    }
}
