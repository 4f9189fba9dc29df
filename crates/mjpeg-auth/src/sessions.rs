//! Logins of pages, which a cookie stands for.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use crate::{digest::Sha256, hash::SharedHash, rules::Rules};

/// The sessions by the digest of their cookie's value, so that whoever reads this memory gets no
/// cookie. Pure: times and values are given from outside.
#[derive(Default)]
pub(crate) struct Sessions {
    table: HashMap<Sha256, SessionEntry>,
    /// From the oldest on. May name sessions that have ended.
    order: VecDeque<Sha256>,
}

/// Who is logged in.
struct SessionEntry {
    user: Arc<str>,
    /// With which password. It ends when that changes.
    hash: SharedHash,
    until: Instant,
}

impl Sessions {
    /// Begins a session that a cookie with this value stands for. If there are as many as are
    /// allowed, the oldest ends.
    pub(crate) fn begin(
        &mut self,
        value: &str,
        (user, hash): (&str, &SharedHash),
        (most, time): (u32, Duration),
        now: Instant,
    ) {
        self.table.retain(|_, session| session.until > now);
        self.order.retain(|id| self.table.contains_key(id));
        while self.table.len() >= most as usize
            && let Some(oldest) = self.order.pop_front()
        {
            self.table.remove(&oldest);
        }
        let id = Sha256::of(value.as_bytes());
        let session = SessionEntry {
            user: user.into(),
            hash: Arc::clone(hash),
            until: now + time,
        };
        self.table.insert(id, session);
        self.order.push_back(id);
    }

    /// Who is logged in by a cookie with this value, and until when.
    pub(crate) fn find(
        &self,
        value: &str,
        rules: &Rules,
        now: Instant,
    ) -> Option<(Arc<str>, Instant)> {
        let session = self.table.get(&Sha256::of(value.as_bytes()))?;
        let is_valid = session.until > now && rules.is_password_hash(&session.user, &session.hash);
        is_valid.then(|| (Arc::clone(&session.user), session.until))
    }

    /// Ends a session. Returns whether there was one.
    pub(crate) fn end(&mut self, value: &str) -> bool {
        self.table.remove(&Sha256::of(value.as_bytes())).is_some()
    }

    /// Ends the sessions of users who are gone or have another password.
    pub(crate) fn retain(&mut self, rules: &Rules) {
        self.table
            .retain(|_, session| rules.is_password_hash(&session.user, &session.hash));
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}
