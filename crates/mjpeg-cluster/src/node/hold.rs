//! Whether an owner may go on while the engine is gone: only while every other member has said
//! that it cannot reach the engine either.
//!
//! A member that says so also promises to claim nothing for the length of a lease. The answer is
//! valid for four fifths of a lease from when the question was sent. So a member that reaches the
//! engine again claims only after every owner that relied on its answer has let go.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{name::NodeName, node::settings::fence_after};

/// The words of the other members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) struct Hold {
    /// Until when each member's word counts that it cannot reach the engine.
    words: BTreeMap<NodeName, Instant>,
    /// When to ask next.
    pub(crate) ask_at: Option<Instant>,
}

impl Hold {
    /// Takes the answer of a member: whether it reaches the engine. None if it has not answered.
    ///
    /// If it does, or has not answered, its last word expires. That is soon enough, as it claims
    /// nothing before; and when the engine is back, all members need a moment to reach it.
    pub(crate) fn take(
        &mut self,
        peer: &NodeName,
        reaches: Option<bool>,
        asked: Instant,
        lease: Duration,
    ) {
        if reaches == Some(false) {
            let until = asked + fence_after(lease);
            let word = self.words.entry(peer.clone()).or_insert(until);
            *word = (*word).max(until);
        }
    }

    /// Until when the words of these members allow to go on. None if one of them has not said that
    /// it cannot reach the engine. Nobody to ask: for as long as a word would count.
    pub(crate) fn until<'a>(
        &self,
        members: impl Iterator<Item = &'a NodeName>,
        now: Instant,
        lease: Duration,
        silence_agrees: bool,
    ) -> Option<Instant> {
        let mut until = now + fence_after(lease);
        for member in members {
            match self.words.get(member) {
                Some(word) => until = until.min(*word),
                None if silence_agrees => {}
                None => return None,
            }
        }
        Some(until)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
