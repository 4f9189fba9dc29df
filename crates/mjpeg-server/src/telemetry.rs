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

use tracing::{Subscriber, error};
use tracing_subscriber::{
    Registry,
    filter::Targets,
    layer::{Layer, SubscriberExt},
    registry::LookupSpan,
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
    // Fails if the embedding program has set up its own logs, which then serve.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(lines(to.clone(), format))
        .try_init();
    log_panics(to);
    FilterHandle(handle)
}

/// Writes a line for each event.
fn lines<S>(to: Output, format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(to);
    match format {
        LogFormat::Text => layer
            .fmt_fields(TextFields)
            .with_ansi(stderr().is_terminal())
            .boxed(),
        LogFormat::Json => layer
            .fmt_fields(JsonFields)
            .event_format(JsonEvents)
            .boxed(),
    }
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

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        panic::catch_unwind,
        sync::{Arc, Mutex},
    };

    use super::*;
    use crate::secrets::expanded;

    /// What was written.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a panic with this message logs, in this format.
    fn panicked(format: LogFormat, message: String) -> String {
        let written = Written::default();
        let output = Output::new("test", written.clone(), |_| String::new());
        let lines = Registry::default().with(lines(output.clone(), format));
        let before = panic::take_hook();
        tracing::subscriber::with_default(lines, || {
            log_panics(output.clone());
            let _ = catch_unwind(|| panic::panic_any(message));
            panic::set_hook(before);
        });
        output.flush(Duration::from_secs(10));
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn panic_tells_no_secret_and_steers_no_terminal() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "hunter2 \"of a panic").unwrap();
        let secret = expanded(&format!("${{file:{}}}", file.display())).unwrap();
        for format in [LogFormat::Text, LogFormat::Json] {
            // As `expect` and `unwrap` quote values, and as they are.
            for message in [
                format!("\u{1b}[2J\u{202e}no camera {secret}\r\nINFO forged"),
                format!("no camera: {:?}\u{1b}", Some(&secret)),
            ] {
                let line = panicked(format, message);
                let begin = "panic: a defect of this program; please report it";
                assert!(line.contains(begin) && line.contains("no camera"), "{line}");
                assert!(line.contains("***") && !line.contains("hunter2"), "{line}");
                assert!(!line.contains("of a panic"), "{line}");
                let is_bad = |c: char| c.is_control() || c == '\u{202e}';
                assert!(!line.trim_end_matches('\n').contains(is_bad), "{line:?}");
            }
        }
    }
}
