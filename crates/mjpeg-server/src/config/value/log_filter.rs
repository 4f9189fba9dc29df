//! What is logged.

use std::{collections::BTreeMap, fmt, str::FromStr};

use tracing_subscriber::filter::{LevelFilter, Targets};

/// A level for all modules, and levels for some modules.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LogFilter(pub(crate) Targets);

impl Default for LogFilter {
    fn default() -> Self {
        Self(Targets::new().with_default(DEFAULT))
    }
}

impl FromStr for LogFilter {
    type Err = String;

    /// Reads a level for all modules, and levels for modules after `MODULE=`. Without the first,
    /// the other modules have the default.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        // Set once each: a filter remembers the highest level that it was ever given.
        let (mut default, mut modules) = (DEFAULT, BTreeMap::new());
        for item in text.split(',').map(str::trim) {
            let level = |word: &str| {
                let level = word
                    .parse::<LevelFilter>()
                    .ok()
                    .filter(|_| !word.is_empty());
                level.ok_or_else(|| not_understood(item))
            };
            match item.split_once('=') {
                None => default = level(item)?,
                Some((module, word)) if is_module(module) => {
                    modules.insert(module, level(word)?);
                }
                Some(_) => return Err(not_understood(item)),
            }
        }
        let filter = Targets::new().with_default(default).with_targets(modules);
        Ok(Self(filter))
    }
}

impl fmt::Display for LogFilter {
    /// Writes what [`from_str`](Self::from_str) reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut items: Vec<_> = self.0.iter().collect();
        // The filter keeps them in no order of use to a reader.
        items.sort_by_key(|(module, _)| *module);
        if let Some(level) = self.0.default_level() {
            write!(f, "{level}")?;
        }
        for (module, level) in items {
            write!(f, ",{module}={level}")?;
        }
        Ok(())
    }
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

const DEFAULT: LevelFilter = LevelFilter::INFO;

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
            assert!(good.parse::<LogFilter>().is_ok(), "{good}");
        }
        assert_eq!("".parse(), Ok(LogFilter::default()));
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
            let error = bad.parse::<LogFilter>().expect_err(bad);
            assert!(error.contains("info,mjpeg_http=debug"), "{bad:?}: {error}");
        }
    }

    #[test]
    fn filter_is_written_as_it_is_read() {
        for (text, written) in [
            ("", "info"),
            ("WARN", "warn"),
            ("debug,off", "off"),
            ("mjpeg_http=debug", "info,mjpeg_http=debug"),
            ("b=trace, error,a::b=off", "error,a::b=off,b=trace"),
        ] {
            let filter: LogFilter = text.parse().unwrap();
            assert_eq!(filter.to_string(), written);
            assert_eq!(written.parse(), Ok(filter));
        }
    }

    #[test]
    fn level_for_a_module_alone_does_not_silence_the_others() {
        let LogFilter(filter) = "mjpeg_http=debug".parse().unwrap();
        assert!(filter.would_enable("mjpeg_manager", &tracing::Level::INFO));
        assert!(!filter.would_enable("mjpeg_manager", &tracing::Level::DEBUG));
        assert!(filter.would_enable("mjpeg_http", &tracing::Level::DEBUG));
    }
}
