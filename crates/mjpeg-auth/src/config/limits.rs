//! The limits of logins and sessions.

use std::time::Duration;

use crate::config::invalid::InvalidAuth;

/// The limits of logins and sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthLimits {
    verifications_per_second: u32,
    login_cache: Duration,
    address_failures: u32,
    address_lockout: Duration,
    user_failures: u32,
    user_lockout: Duration,
    max_sessions: u32,
    session_time: Duration,
}

impl Default for AuthLimits {
    fn default() -> Self {
        Self {
            verifications_per_second: 10,
            login_cache: Duration::from_secs(5 * 60),
            address_failures: 5,
            address_lockout: Duration::from_secs(15 * 60),
            user_failures: 10,
            user_lockout: Duration::from_secs(30),
            max_sessions: 1000,
            session_time: Duration::from_secs(12 * 60 * 60),
        }
    }
}

impl AuthLimits {
    /// Sets how many passwords are verified each second, of all clients together; those beyond are
    /// answered `429`. Default 10. Each costs tens of milliseconds of one core.
    ///
    /// Counted in [`AuthStats::refused`](crate::AuthStats::refused).
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::Limit`] unless it is 1 to 100.
    pub fn with_verifications_per_second(mut self, most: u32) -> Result<Self, InvalidAuth> {
        self.verifications_per_second = number("verifications_per_second", most, 1, 100)?;
        Ok(self)
    }

    /// Sets how long a verified login is remembered after it was last used, so that it costs no
    /// second verification. Default 5 min; 0 for not at all.
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::Time`] above one hour.
    pub fn with_login_cache(mut self, time: Duration) -> Result<Self, InvalidAuth> {
        self.login_cache = bounded("login_cache", time, Duration::ZERO, HOUR)?;
        Ok(self)
    }

    /// Sets how many wrong passwords an address, or an IPv6 network of 64 bits, may send before it
    /// has to wait. Default 5. The wait is one second at first and doubles with each further wrong
    /// password. It does not apply to [shared](mjpeg_http::Peer::is_shared) addresses.
    ///
    /// Counted in [`AuthStats::refused`](crate::AuthStats::refused).
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::Limit`] unless it is 1 to 1000.
    pub fn with_address_failures(mut self, most: u32) -> Result<Self, InvalidAuth> {
        self.address_failures = number("address_failures", most, 1, 1000)?;
        Ok(self)
    }

    /// Sets how long an address waits at most. Default 15 min.
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::Time`] unless it is one second to one day.
    pub fn with_address_lockout(mut self, most: Duration) -> Result<Self, InvalidAuth> {
        self.address_lockout = bounded("address_lockout", most, SECOND, DAY)?;
        Ok(self)
    }

    /// Sets how many wrong passwords may be sent for one user, from all addresses together, before
    /// logins of that user have to wait. Default 10. It does not apply to addresses from which that
    /// user has logged in within a day, so that nobody can lock them out from elsewhere.
    ///
    /// Counted in [`AuthStats::refused`](crate::AuthStats::refused).
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::Limit`] unless it is 1 to 1000.
    pub fn with_user_failures(mut self, most: u32) -> Result<Self, InvalidAuth> {
        self.user_failures = number("user_failures", most, 1, 1000)?;
        Ok(self)
    }

    /// Sets how long logins of one user wait at most. Default 30 s: long enough to make guessing
    /// hopeless, short enough for the user to get in.
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::Time`] unless it is one second to one day.
    pub fn with_user_lockout(mut self, most: Duration) -> Result<Self, InvalidAuth> {
        self.user_lockout = bounded("user_lockout", most, SECOND, DAY)?;
        Ok(self)
    }

    /// Sets how many sessions there may be; one more ends the oldest. Default 1000.
    ///
    /// Counted in [`AuthStats::sessions`](crate::AuthStats::sessions).
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::Limit`] unless it is 1 to 100,000.
    pub fn with_max_sessions(mut self, most: u32) -> Result<Self, InvalidAuth> {
        self.max_sessions = number("max_sessions", most, 1, 100_000)?;
        Ok(self)
    }

    /// Sets how long a session lasts from its login on. Default 12 h. Applies to new sessions.
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::Time`] unless it is one minute to 30 days.
    pub fn with_session_time(mut self, time: Duration) -> Result<Self, InvalidAuth> {
        self.session_time = bounded("session_time", time, 60 * SECOND, 30 * DAY)?;
        Ok(self)
    }

    /// How many passwords are verified each second.
    pub fn verifications_per_second(&self) -> u32 {
        self.verifications_per_second
    }

    /// How long a verified login is remembered.
    pub fn login_cache(&self) -> Duration {
        self.login_cache
    }

    /// How many wrong passwords an address may send before it has to wait.
    pub fn address_failures(&self) -> u32 {
        self.address_failures
    }

    /// How long an address waits at most.
    pub fn address_lockout(&self) -> Duration {
        self.address_lockout
    }

    /// How many wrong passwords may be sent for one user before their logins have to wait.
    pub fn user_failures(&self) -> u32 {
        self.user_failures
    }

    /// How long logins of one user wait at most.
    pub fn user_lockout(&self) -> Duration {
        self.user_lockout
    }

    /// How many sessions there may be.
    pub fn max_sessions(&self) -> u32 {
        self.max_sessions
    }

    /// How long a session lasts.
    pub fn session_time(&self) -> Duration {
        self.session_time
    }
}

fn number(setting: &'static str, value: u32, least: u32, most: u32) -> Result<u32, InvalidAuth> {
    let is_within = (least..=most).contains(&value);
    is_within.then_some(value).ok_or(InvalidAuth::Limit {
        setting,
        least,
        most,
    })
}

fn bounded(
    setting: &'static str,
    value: Duration,
    least: Duration,
    most: Duration,
) -> Result<Duration, InvalidAuth> {
    let is_within = (least..=most).contains(&value);
    is_within.then_some(value).ok_or(InvalidAuth::Time {
        setting,
        least,
        most,
    })
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
