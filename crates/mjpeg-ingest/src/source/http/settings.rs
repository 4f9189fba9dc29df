//! Settings of a camera that speaks HTTP.

use std::{ops::RangeInclusive, str::FromStr};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::address::Target;
#[cfg(feature = "tls")]
use super::trust::Trust;
use crate::source::{invalid::InvalidSource, rate};

/// Settings of a camera that speaks HTTP.
#[derive(Clone, PartialEq)]
pub(super) struct Settings {
    pub(super) target: Target,
    pub(super) account: Option<Account>,
    pub(super) headers: HeaderMap,
    fps: Option<f64>,
    #[cfg(feature = "tls")]
    pub(super) trust: Trust,
}

/// A user name and password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) user: String,
    pub(super) password: String,
}

impl Settings {
    pub(super) fn new(target: Target, account: Option<Account>) -> Self {
        Self {
            target,
            account,
            headers: HeaderMap::new(),
            fps: None,
            #[cfg(feature = "tls")]
            trust: Trust::default(),
        }
    }

    pub(super) fn add_header(&mut self, name: &str, value: &str) -> Result<(), InvalidSource> {
        let bad = || InvalidSource::BadHeader(name.escape_default().to_string());
        let key = HeaderName::from_str(name).map_err(|_| bad())?;
        let framing = ["connection", "content-length", "transfer-encoding"];
        if framing.contains(&key.as_str()) {
            return Err(bad());
        }
        // Blanks around a value are no part of it (RFC 9110 section 5.5).
        let value = value.trim_matches([' ', '\t']);
        let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
        value.set_sensitive(true);
        self.headers.append(key, value);
        Ok(())
    }

    pub(super) fn set_fps(&mut self, fps: f64) -> Result<(), InvalidSource> {
        self.fps = Some(rate::checked(fps, &POLLED)?);
        Ok(())
    }

    /// How often single images are requested.
    pub(super) fn fps(&self) -> f64 {
        self.fps.unwrap_or(DEFAULT_FPS)
    }

    /// The rate if it was set.
    pub(super) fn chosen_fps(&self) -> Option<f64> {
        self.fps
    }
}

/// As often as Home Assistant requests images from cameras without a stream.
const DEFAULT_FPS: f64 = 2.0;

/// Requests per second. With fewer, a camera would look silent.
const POLLED: RangeInclusive<f64> = 0.2..=60.0;
