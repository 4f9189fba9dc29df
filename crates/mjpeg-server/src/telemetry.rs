//! Logs.

use std::{
    backtrace::Backtrace,
    io::{IsTerminal, stderr},
    panic,
    time::Duration,
};

use mjpeg_manager::mjpeg_ingest::escaped;
use tracing::error;
use tracing_subscriber::{
    field::MakeExt,
    filter::{LevelFilter, Targets},
    fmt::format::debug_fn,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::output::Output;

/// Parses a filter: a level for all modules, levels for modules after `MODULE=`. Without the first,
/// the other modules have the default.
pub(crate) fn parse_filter(text: &str) -> Result<Targets, String> {
    let mut filter = Targets::new().with_default(DEFAULT);
    // An empty environment variable counts as unset.
    if text.trim().is_empty() {
        return Ok(filter);
    }
    for item in text.split(',').map(str::trim) {
        let level = |word: &str| {
            let level = word
                .parse::<LevelFilter>()
                .ok()
                .filter(|_| !word.is_empty());
            level.ok_or_else(|| not_understood(item))
        };
        filter = match item.split_once('=') {
            None => filter.with_default(level(item)?),
            Some((module, word)) if is_module(module) => filter.with_target(module, level(word)?),
            Some(_) => return Err(not_understood(item)),
        };
    }
    Ok(filter)
}

fn is_module(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    !text.is_empty() && text.chars().all(is_plain)
}

fn not_understood(item: &str) -> String {
    let what = match item {
        "" => "an item is empty".into(),
        item => format!("{item:?} is not LEVEL or MODULE=LEVEL"),
    };
    format!(
        "{what}; write for example info or info,mjpeg_http=debug; levels are off, error, warn, \
         info, debug and trace"
    )
}

/// Logs to standard error, because standard output is for the URLs.
pub(crate) fn init(filter: Targets, to: Output) {
    // Whatever a camera or a program has put into a text: it is one line, and steers no terminal.
    let fields = debug_fn(|writer, field, value| {
        let value = format!("{value:?}");
        match field.name() {
            "message" => write!(writer, "{}", escaped(&value)),
            name => write!(writer, "{name}={}", escaped(&value)),
        }
    });
    let lines = tracing_subscriber::fmt::layer()
        .fmt_fields(fields.delimited(" "))
        .with_writer(to.clone())
        .with_ansi(stderr().is_terminal());
    // Fails if the embedding program has set up its own logs, which then serve.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init();
    log_panics(to);
}

/// Logs panics. The standard library writes them to standard error itself, which may block.
fn log_panics(to: Output) {
    panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string);
        let place = place.unwrap_or_default();
        let text = panic.payload().downcast_ref::<&str>().copied();
        let what = text.or_else(|| panic.payload().downcast_ref::<String>().map(|text| &**text));
        let what = what.unwrap_or("no message");
        // As RUST_BACKTRACE says.
        let trace = Backtrace::capture();
        error!(what, place, %trace, "panic: a defect of this program; please report it");
        // It may be the end of the program.
        to.flush(PANIC_TIME);
    }));
}

const DEFAULT: LevelFilter = LevelFilter::INFO;

/// How long a panic waits for its line to be written.
const PANIC_TIME: Duration = Duration::from_millis(50);

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
            "warn, mjpeg_http::feed=off",
        ] {
            assert!(parse_filter(good).is_ok(), "{good}");
        }
        assert_eq!(parse_filter(""), parse_filter("info"));
        for bad in [
            "loud",
            "info,mjpeg_http=loud",
            "mjpeg_http",
            "info,",
            ",info",
            "info,,warn",
            ",",
            "=",
            "=info",
            "mjpeg_http=",
            "info,=debug",
            "a=b=info",
            "mjpeg http=info",
        ] {
            let error = parse_filter(bad).expect_err(bad);
            assert!(error.contains("info,mjpeg_http=debug"), "{bad:?}: {error}");
        }
    }

    #[test]
    fn level_for_a_module_alone_does_not_silence_the_others() {
        let filter = parse_filter("mjpeg_http=debug").unwrap();
        assert!(filter.would_enable("mjpeg_manager", &tracing::Level::INFO));
        assert!(!filter.would_enable("mjpeg_manager", &tracing::Level::DEBUG));
        assert!(filter.would_enable("mjpeg_http", &tracing::Level::DEBUG));
    }
}
