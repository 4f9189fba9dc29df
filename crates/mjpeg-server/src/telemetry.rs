//! Logs.

mod fields;
pub(crate) mod json;
mod text;

use std::{
    backtrace::Backtrace,
    io::{IsTerminal, stderr},
    panic,
    time::Duration,
};

use tracing::error;
use tracing_subscriber::{
    Registry,
    filter::Targets,
    layer::{Layer, SubscriberExt},
    reload,
    util::SubscriberInitExt,
};

use self::{
    json::{JsonEvents, JsonFields},
    text::TextFields,
};
use crate::{
    config::value::{choice::LogFormat, log_filter::LogFilter},
    output::Output,
};

/// Changes what is logged while the program runs.
#[derive(Clone)]
pub(crate) struct FilterHandle(reload::Handle<Targets, Registry>);

impl FilterHandle {
    /// Logs what this filter lets through from now on.
    pub(crate) fn set(&self, filter: &LogFilter) {
        // Fails if the embedding program has set up its own logs.
        let _ = self.0.reload(filter.0.clone());
    }
}

/// Logs to standard error, because standard output is for the URLs.
pub(crate) fn init(filter: &LogFilter, format: LogFormat, to: Output) -> FilterHandle {
    let (filter, handle) = reload::Layer::new(filter.0.clone());
    let layer = tracing_subscriber::fmt::layer().with_writer(to.clone());
    let lines = match format {
        LogFormat::Text => layer
            .fmt_fields(TextFields)
            .with_ansi(stderr().is_terminal())
            .boxed(),
        LogFormat::Json => layer
            .fmt_fields(JsonFields)
            .event_format(JsonEvents)
            .boxed(),
    };
    // Fails if the embedding program has set up its own logs, which then serve.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init();
    log_panics(to);
    FilterHandle(handle)
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
        error!(error = what, place, %trace, "panic: a defect of this program; please report it");
        // It may be the end of the program.
        to.flush(PANIC_TIME);
    }));
}

/// How long a panic waits for its line to be written.
const PANIC_TIME: Duration = Duration::from_millis(50);
