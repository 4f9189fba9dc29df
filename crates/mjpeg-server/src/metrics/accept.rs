//! Which text format a client wants.

use std::fmt;

use prometheus_client::{encoding, registry::Registry};

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Prometheus' own, version 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// Chooses by an `Accept` header. OpenMetrics must be asked for by its name, and not less
    /// wanted than the other.
    pub(super) fn accepted(accept: &str) -> Self {
        let wanted = |format| {
            let ranges = accept.split(',').map(MediaRange::parse);
            let of_format = ranges.filter(|range| range.format == Some(format));
            of_format.map(|range| range.weight).fold(0.0, f32::max)
        };
        let open_metrics = wanted(Self::OpenMetrics);
        match open_metrics > 0.0 && open_metrics >= wanted(Self::Prometheus) {
            true => Self::OpenMetrics,
            false => Self::Prometheus,
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => encoding::prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    pub(super) fn encode(self, registry: &Registry) -> Result<String, fmt::Error> {
        let mut text = String::new();
        match self {
            Self::Prometheus => encoding::prometheus_text::encode(&mut text, registry)?,
            Self::OpenMetrics => encoding::text::encode(&mut text, registry)?,
        }
        Ok(text)
    }
}

/// An element of an `Accept` header.
struct MediaRange {
    /// `None` if it names neither, or another version.
    format: Option<Format>,
    /// How much it is wanted, from 0 to 1.
    weight: f32,
}

impl MediaRange {
    fn parse(range: &str) -> Self {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let (mut version, mut weight) = ("", 1.0);
        for parameter in parts {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim_matches('"');
            if key.eq_ignore_ascii_case("version") {
                version = value;
            } else if key.eq_ignore_ascii_case("q") {
                weight = value.parse().unwrap_or(0.0);
            }
        }
        let is = |name: &str| kind.eq_ignore_ascii_case(name);
        let format = match version {
            "" | "1.0.0" if is("application/openmetrics-text") => Some(Format::OpenMetrics),
            "" | "0.0.4" if is("text/plain") => Some(Format::Prometheus),
            _ => None,
        };
        Self { format, weight }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_is_the_one_that_is_wanted_most() {
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,\
                            application/openmetrics-text;version=0.0.1;q=0.75,\
                            text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                            application/openmetrics-text;version=0.0.1;q=0.4,\
                            text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                            text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for accept in [
            prometheus_2,
            prometheus_3,
            "application/openmetrics-text",
            "Application/OpenMetrics-Text; Version=\"1.0.0\"; Q=0.1",
        ] {
            assert_eq!(Format::accepted(accept), Format::OpenMetrics, "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "text/html,application/xhtml+xml,*/*;q=0.8",
            "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=NaN",
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics",
            ";;;,,,=;q",
        ] {
            assert_eq!(Format::accepted(accept), Format::Prometheus, "{accept}");
        }
    }
}
