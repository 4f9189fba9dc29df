//! Which logins have to wait: by user, by address, and all together.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use ring::hmac;
use tokio::time::Instant;

use crate::{
    config::limits::AuthLimits,
    passwords::{
        failures::{FailureCount, Failures},
        rate::AttemptRate,
    },
};

/// Which logins have to wait. Pure: times are given from outside.
#[derive(Debug, Default)]
pub(crate) struct LoginAttempts {
    by_user: Failures<NameTag>,
    by_home: Failures<IpAddr>,
    rate: AttemptRate,
    /// From where users have logged in, and when.
    known: HashMap<(NameTag, IpAddr), Instant>,
}

/// Stands for the name of a user, who need not exist: as long for any name, and of no use to
/// somebody who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NameTag([u8; 32]);

impl NameTag {
    pub(crate) fn of(key: &hmac::Key, name: &str) -> Self {
        let tag = hmac::sign(key, &[b"name", name.as_bytes()].concat());
        let bytes = tag.as_ref().try_into();
        Self(bytes.expect("SHA-256 has 32 bytes"))
    }
}

/// What was counted for an address before an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before(Option<FailureCount>);

impl LoginAttempts {
    /// How long the next attempt has to wait; `None` if it need not.
    pub(crate) fn wait(
        &self,
        user: &NameTag,
        home: Option<IpAddr>,
        limits: &AuthLimits,
        now: Instant,
    ) -> Option<Duration> {
        let of_home = home.and_then(|home| self.by_home.wait(&home, now));
        let of_user = if home.is_some_and(|home| self.knows(*user, home, now)) {
            None
        } else {
            self.by_user.wait(user, now)
        };
        let longest = limits.address_lockout().max(limits.user_lockout());
        of_home.max(of_user).map(|wait| wait.min(longest))
    }

    /// Counts an attempt as failed, until it is known to have succeeded.
    ///
    /// # Errors
    ///
    /// How long to wait, if there were too many attempts of all users.
    pub(crate) fn begin(
        &mut self,
        user: &NameTag,
        home: Option<IpAddr>,
        limits: &AuthLimits,
        now: Instant,
    ) -> Result<Before, Duration> {
        self.rate.take(limits.verifications_per_second(), now)?;
        let rule = (limits.user_failures(), limits.user_lockout());
        self.by_user.begin(*user, rule, now);
        let rule = (limits.address_failures(), limits.address_lockout());
        let before = home.and_then(|home| self.by_home.begin(home, rule, now));
        Ok(Before(before))
    }

    /// Notes that an attempt has failed after this time.
    pub(crate) fn fail(&mut self, user: &NameTag, home: Option<IpAddr>, took: Duration) {
        self.by_user.failed_after(user, took);
        if let Some(home) = home {
            self.by_home.failed_after(&home, took);
        }
    }

    /// Notes that an attempt has succeeded. The user's failures are forgotten. Those of the address
    /// are not: else somebody who has a password could log in between guesses at another.
    pub(crate) fn succeed(
        &mut self,
        user: &NameTag,
        home: Option<IpAddr>,
        Before(before): Before,
        now: Instant,
    ) {
        self.by_user.clear(user);
        let Some(home) = home else {
            return;
        };
        self.by_home.restore(home, before);
        if self.known.len() >= MOST_KNOWN && !self.known.contains_key(&(*user, home)) {
            let oldest = self.known.iter().min_by_key(|(_, at)| **at);
            if let Some(key) = oldest.map(|(key, _)| *key) {
                self.known.remove(&key);
            }
        }
        self.known.insert((*user, home), now);
    }

    /// Whether this user has logged in from there lately.
    fn knows(&self, user: NameTag, home: IpAddr, now: Instant) -> bool {
        let at = self.known.get(&(user, home));
        at.is_some_and(|&at| now.saturating_duration_since(at) < KNOWN_FOR)
    }
}

/// How long an address from which somebody has logged in is known.
const KNOWN_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// How many of them are known.
const MOST_KNOWN: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::random;

    const SECOND: Duration = Duration::from_secs(1);

    fn tags() -> [NameTag; 2] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &random::<32>());
        ["alice", "bob"].map(|name| NameTag::of(&key, name))
    }

    fn home(last: u8) -> Option<IpAddr> {
        Some([192, 0, 2, last].into())
    }

    /// Fails often enough for a lock-out, slowly enough for the rate.
    fn fail(
        attempts: &mut LoginAttempts,
        user: &NameTag,
        homes: [u8; 12],
        mut now: Instant,
    ) -> Instant {
        let limits = AuthLimits::default();
        for last in homes {
            while let Some(wait) = attempts.wait(user, home(last), &limits, now) {
                now += wait;
            }
            attempts
                .begin(user, home(last), &limits, now)
                .expect("slow enough");
            now += SECOND;
        }
        now
    }

    #[tokio::test(start_paused = true)]
    async fn address_that_guesses_is_locked_out_and_no_other() {
        let ([alice, bob], mut attempts) = (tags(), LoginAttempts::default());
        let limits = AuthLimits::default();
        let now = fail(&mut attempts, &alice, [1; 12], Instant::now());
        let wait = |user, last| attempts.wait(user, home(last), &limits, now);
        assert!(wait(&alice, 1).is_some_and(|wait| wait > 60 * SECOND));
        assert!(wait(&bob, 1).is_some_and(|wait| wait > 60 * SECOND));
        assert_eq!(wait(&bob, 2), None);
        // Alice waits as well, but not for long.
        let longest = limits.user_lockout();
        assert!(wait(&alice, 2).is_none_or(|wait| wait <= longest));
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_from_everywhere_lock_a_user_out_except_where_they_are_known() {
        let ([alice, bob], mut attempts) = (tags(), LoginAttempts::default());
        let limits = AuthLimits::default();
        let start = Instant::now();
        let before = attempts.begin(&alice, home(100), &limits, start).unwrap();
        attempts.succeed(&alice, home(100), before, start);
        let homes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        let now = fail(&mut attempts, &alice, homes, start + SECOND);
        let wait = |user, last| attempts.wait(user, home(last), &limits, now);
        assert!(wait(&alice, 13).is_some());
        assert!(attempts.wait(&alice, None, &limits, now).is_some());
        assert_eq!(wait(&alice, 100), None);
        assert_eq!(wait(&bob, 13), None);
    }

    #[tokio::test(start_paused = true)]
    async fn success_does_not_clear_an_address() {
        let ([alice, bob], mut attempts) = (tags(), LoginAttempts::default());
        let limits = AuthLimits::default();
        let mut now = Instant::now();
        let mut waited = Duration::ZERO;
        for _ in 0..10 {
            attempts.begin(&alice, home(1), &limits, now).unwrap();
            now += SECOND;
            while let Some(wait) = attempts.wait(&bob, home(1), &limits, now) {
                waited += wait;
                now += wait;
            }
            let before = attempts.begin(&bob, home(1), &limits, now).unwrap();
            attempts.succeed(&bob, home(1), before, now);
        }
        assert!(waited > 30 * SECOND, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn known_addresses_are_bounded() {
        let ([alice, _], mut attempts) = (tags(), LoginAttempts::default());
        let limits = AuthLimits::default();
        let mut now = Instant::now();
        for n in 0..MOST_KNOWN as u32 + 10 {
            let home = Some(IpAddr::from(std::net::Ipv4Addr::from(n)));
            now += SECOND;
            let before = attempts.begin(&alice, home, &limits, now).unwrap();
            attempts.succeed(&alice, home, before, now);
        }
        assert_eq!(attempts.known.len(), MOST_KNOWN);
    }
}
