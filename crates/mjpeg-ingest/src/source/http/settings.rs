//! Settings of a camera that speaks HTTP.

use std::{ops::RangeInclusive, str::FromStr, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::address::Target;
#[cfg(feature = "tls")]
use super::trust::Trust;
use crate::{
    duration::format_duration,
    source::{invalid::InvalidSource, limits::Limits, rate},
};

/// Settings of a camera that speaks HTTP.
#[derive(Clone, PartialEq)]
pub(super) struct HttpSettings {
    pub(super) target: Target,
    pub(super) account: Option<Account>,
    pub(super) headers: HeaderMap,
    pub(super) limits: Limits,
    rate: Option<Rate>,
    #[cfg(feature = "tls")]
    pub(super) trust: Trust,
}

/// How often single images are requested, as it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rate {
    Fps(f64),
    Interval(Duration),
}

/// A user name and password.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::source) struct Account {
    pub(in crate::source) user: String,
    pub(in crate::source) password: String,
}

impl HttpSettings {
    pub(super) fn new(target: Target, account: Option<Account>) -> Self {
        Self {
            target,
            account,
            headers: HeaderMap::new(),
            limits: Limits::new(),
            rate: None,
            #[cfg(feature = "tls")]
            trust: Trust::default(),
        }
    }

    pub(super) fn add_header(&mut self, name: &str, value: &str) -> Result<(), InvalidSource> {
        let bad = || InvalidSource::BadHeader(name.escape_default().to_string());
        let key = HeaderName::from_str(name).map_err(|_| bad())?;
        // Blanks around a value are no part of it (RFC 9110 section 5.5).
        let value = value.trim_matches([' ', '\t']);
        let is_allowed = match key.as_str() {
            // Some cameras serve a second request badly. Other options of a connection would name
            // headers to be dropped, or another protocol.
            "connection" => ["close", "keep-alive"].contains(&&*value.to_ascii_lowercase()),
            "content-length" | "transfer-encoding" => false,
            _ => true,
        };
        if !is_allowed {
            return Err(bad());
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
        value.set_sensitive(true);
        self.headers.append(key, value);
        Ok(())
    }

    pub(super) fn set_fps(&mut self, fps: f64) -> Result<(), InvalidSource> {
        self.rate = Some(Rate::Fps(rate::checked(fps, &POLLED)?));
        Ok(())
    }

    pub(super) fn set_poll_interval(&mut self, interval: Duration) -> Result<(), InvalidSource> {
        if !(SHORTEST_INTERVAL..=LONGEST_INTERVAL).contains(&interval) {
            let interval = format_duration(interval);
            return Err(InvalidSource::BadOption(format!(
                "poll_interval={interval}"
            )));
        }
        self.rate = Some(Rate::Interval(interval));
        Ok(())
    }

    /// How far apart requests for single images are.
    pub(super) fn poll_interval(&self) -> Duration {
        match self.rate {
            None => DEFAULT_INTERVAL,
            Some(Rate::Fps(fps)) => Duration::from_secs_f64(1.0 / fps),
            Some(Rate::Interval(interval)) => interval,
        }
    }

    /// Whether the rate was set.
    pub(super) fn has_rate(&self) -> bool {
        self.rate.is_some()
    }

    /// Writes the rate as an option if it was set.
    pub(super) fn rate_option(&self) -> Option<String> {
        Some(match self.rate? {
            Rate::Fps(fps) => format!("fps={fps}"),
            Rate::Interval(interval) => format!("poll_interval={}", format_duration(interval)),
        })
    }
}

/// As often as Home Assistant requests images from cameras without a stream.
const DEFAULT_INTERVAL: Duration = Duration::from_millis(500);

/// Requests per second: from one a day on.
const POLLED: RangeInclusive<f64> = 0.00001..=60.0;

/// That of 60 requests per second.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(16);

const LONGEST_INTERVAL: Duration = Duration::from_secs(7 * 24 * 3600);
