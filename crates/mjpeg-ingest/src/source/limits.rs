//! Limits of one source.

use std::time::Duration;

use super::invalid::InvalidSource;
use crate::{config::IngestConfig, duration::format_duration};

/// The limits of a source that needs others than its [`IngestConfig`] has. Each is unset by
/// default; set, it goes before the configuration's.
///
/// In a URL they are the options `#connect_timeout=10s`, `#answer_timeout=60s`, `#stall_limit=2m`
/// and `#login_retry=10m`, behind the command line of a program as well.
///
/// ```
/// use std::time::Duration;
/// use mjpeg_ingest::{Limits, Source};
///
/// // A camera that sends a picture per minute.
/// let limits = Limits::new().with_stall_limit(Duration::from_secs(180))?;
/// let source = Source::tcp("camera.local", 6001).with_limits(limits);
/// assert_eq!(source, "tcp://camera.local:6001#stall_limit=3m".parse()?);
/// # Ok::<(), mjpeg_ingest::InvalidSource>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    connect_timeout: Option<Duration>,
    answer_timeout: Option<Duration>,
    stall_limit: Option<Duration>,
    login_retry: Option<Duration>,
}

impl Limits {
    /// Makes limits that are all unset.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`connect_timeout`](IngestConfig::with_connect_timeout): 1 ms to 7 days.
    ///
    /// # Errors
    ///
    /// [`InvalidSource::BadOption`] for a time out of bounds.
    pub fn with_connect_timeout(mut self, limit: Duration) -> Result<Self, InvalidSource> {
        self.set("connect_timeout", limit)?;
        Ok(self)
    }

    /// Sets [`answer_timeout`](IngestConfig::with_answer_timeout): 1 ms to 7 days.
    ///
    /// # Errors
    ///
    /// As for [`with_connect_timeout`](Self::with_connect_timeout).
    pub fn with_answer_timeout(mut self, limit: Duration) -> Result<Self, InvalidSource> {
        self.set("answer_timeout", limit)?;
        Ok(self)
    }

    /// Sets [`stall_limit`](IngestConfig::with_stall_limit): 1 ms to 7 days.
    ///
    /// # Errors
    ///
    /// As for [`with_connect_timeout`](Self::with_connect_timeout).
    pub fn with_stall_limit(mut self, limit: Duration) -> Result<Self, InvalidSource> {
        self.set("stall_limit", limit)?;
        Ok(self)
    }

    /// Sets [`login_retry`](IngestConfig::with_login_retry): 1 ms to 7 days.
    ///
    /// # Errors
    ///
    /// As for [`with_connect_timeout`](Self::with_connect_timeout).
    pub fn with_login_retry(mut self, time: Duration) -> Result<Self, InvalidSource> {
        self.set("login_retry", time)?;
        Ok(self)
    }

    /// How long a connection may take to be made.
    pub fn connect_timeout(&self) -> Option<Duration> {
        self.connect_timeout
    }

    /// How long a camera that speaks HTTP may take to answer.
    pub fn answer_timeout(&self) -> Option<Duration> {
        self.answer_timeout
    }

    /// How long a connected camera may send no byte.
    pub fn stall_limit(&self) -> Option<Duration> {
        self.stall_limit
    }

    /// How long after a refused password the next login is tried.
    pub fn login_retry(&self) -> Option<Duration> {
        self.login_retry
    }

    /// Sets the limit of this name. Returns false if there is none.
    pub(super) fn set(&mut self, name: &str, time: Duration) -> Result<bool, InvalidSource> {
        let Some((_, limit)) = self.by_name().into_iter().find(|(known, _)| *known == name) else {
            return Ok(false);
        };
        *limit = Some(checked(name, time)?);
        Ok(true)
    }

    /// Writes those that are set as options of a URL.
    pub(super) fn options(mut self) -> Vec<String> {
        let set = self.by_name().into_iter();
        set.filter_map(|(name, limit)| Some(format!("{name}={}", format_duration((*limit)?))))
            .collect()
    }

    /// Replaces the limits of a configuration by those that are set.
    pub(super) fn apply(self, config: &mut IngestConfig) {
        let Self {
            connect_timeout,
            answer_timeout,
            stall_limit,
            login_retry,
        } = self;
        for (limit, own) in [
            (&mut config.connect_timeout, connect_timeout),
            (&mut config.answer_timeout, answer_timeout),
            (&mut config.stall_limit, stall_limit),
            (&mut config.login_retry, login_retry),
        ] {
            *limit = own.unwrap_or(*limit);
        }
    }

    fn by_name(&mut self) -> [(&'static str, &mut Option<Duration>); 4] {
        [
            ("connect_timeout", &mut self.connect_timeout),
            ("answer_timeout", &mut self.answer_timeout),
            ("stall_limit", &mut self.stall_limit),
            ("login_retry", &mut self.login_retry),
        ]
    }
}

fn checked(name: &str, time: Duration) -> Result<Duration, InvalidSource> {
    if (SHORTEST..=LONGEST).contains(&time) {
        Ok(time)
    } else {
        let time = format_duration(time);
        Err(InvalidSource::BadOption(format!("{name}={time}")))
    }
}

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
