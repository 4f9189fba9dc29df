//! What the engine's answers mean.

use tokio::time::Instant;

use crate::{
    engine::{lease::LeaseId, transaction::CommitVerdict},
    name::SharedName,
    node::{
        Call, CallAnswer, Node, NodeAction, What, lease::Recorded, settings::fence_after,
        stream::Claim,
    },
};

impl Node {
    /// Takes the answer to a call.
    pub(crate) fn called(&mut self, op: u64, answer: CallAnswer, now: Instant) {
        self.check_deadline(now);
        let failed = matches!(answer, CallAnswer::Failed { .. });
        if !failed || answer == (CallAnswer::Failed { answered: true }) {
            self.heard = Some(now);
        }
        if let Some(pending) = self.pending.remove(&op) {
            if failed {
                self.retry_at = self.retry_at.max(now + self.settings.retry());
            }
            let stream = match &pending.what {
                What::Claim(stream, _) | What::Renew(stream) | What::Release(stream, _) => {
                    Some(stream.clone())
                }
                _ => None,
            };
            self.take(op, pending.what, pending.sent, answer, now);
            if let Some(stream) = stream {
                return self.step_of(&[stream], now);
            }
        }
        self.step(now);
    }

    fn take(&mut self, op: u64, what: What, sent: Instant, answer: CallAnswer, now: Instant) {
        use CallAnswer::{Granted, Verdict as Said};
        match (what, answer) {
            (What::Grant, Granted(lease)) if self.session.is_none() => {
                self.begin(lease, sent, now);
                self.check_deadline(now);
            }
            (What::KeepAlive(lease), answer) => self.kept_alive(lease, sent, answer, now),
            (What::Register(record), Said(CommitVerdict::Done(created))) => {
                self.recorded(Recorded { created, record });
            }
            (What::Update(record), Said(CommitVerdict::Done(_))) => {
                let recorded = self
                    .session
                    .as_mut()
                    .and_then(|session| session.recorded.as_mut());
                if let Some(recorded) = recorded {
                    recorded.record = record;
                }
            }
            (What::Admit, Said(CommitVerdict::Done(_))) => {
                if let Some(session) = &mut self.session {
                    session.admitted = true;
                }
            }
            (What::Register(_) | What::Update(_) | What::Admit, Said(CommitVerdict::Not)) => {
                // The view will tell why.
                self.retry_at = self.retry_at.max(now + self.settings.retry());
            }
            (What::Claim(stream, reason), answer) => {
                let is_mine = self.claimed(op, &stream, sent, answer, now);
                let counted = is_mine.then_some(NodeAction::Claimed(reason));
                self.actions.extend(counted);
            }
            (What::Renew(stream), answer) => self.renewed(op, &stream, answer, now),
            (What::Release(stream, epoch), answer) => {
                self.released(op, &stream, epoch, answer, now)
            }
            _ => {}
        }
    }

    /// Takes the answer to a keepalive that was sent at `sent`.
    fn kept_alive(&mut self, lease: LeaseId, sent: Instant, answer: CallAnswer, now: Instant) {
        let retry_at = now + self.settings.retry();
        let from_answer = self.faults.planted(|faults| faults.deadline_from_answer);
        let from = if from_answer { now } else { sent };
        let fence = from + fence_after(self.settings.lease);
        let session = self.session.as_mut();
        let Some(session) = session.filter(|session| session.lease == lease) else {
            return;
        };
        match answer {
            CallAnswer::KeptAlive(true) => session.fence = session.fence.max(fence),
            CallAnswer::KeptAlive(false) => self.forgotten(now),
            // Another member of the engine may answer at once, and a lease is short.
            CallAnswer::Failed { .. } => session.alive_at = session.alive_at.min(retry_at),
            _ => {}
        }
    }

    /// Takes the answer to a claim. Returns whether the stream is mine now.
    fn claimed(
        &mut self,
        op: u64,
        name: &SharedName,
        sent: Instant,
        answer: CallAnswer,
        now: Instant,
    ) -> bool {
        let retry_at = now + self.settings.retry();
        let broken = self.faults.planted(|faults| faults.broken_promise);
        // Who has since told a member that it cannot reach the engine must not use an older claim.
        let kept = self.claims_count_from().is_none_or(|from| sent >= from) || broken;
        let Some(state) = self.streams.get_mut(name) else {
            return false;
        };
        if state.claim != (Claim::Claiming { op }) {
            return false;
        }
        state.claim = Claim::Free;
        state.retry_at = Some(retry_at);
        if let CallAnswer::Verdict(CommitVerdict::Done(epoch)) = answer {
            // When it is given up, others have their turn from then on.
            state.vacant = None;
            state.turn_at = None;
            if kept {
                state.claim = Claim::Mine { epoch };
                state.retry_at = None;
                state.failing = None;
                self.actions.push_back(NodeAction::Changed(name.clone()));
                return true;
            }
            self.release(name, epoch);
        }
        false
    }

    fn released(
        &mut self,
        op: u64,
        name: &SharedName,
        epoch: u64,
        answer: CallAnswer,
        now: Instant,
    ) {
        let retry_at = now + self.settings.retry();
        let Some(state) = self.streams.get_mut(name) else {
            return;
        };
        if state.claim != (Claim::Releasing { op, epoch }) {
            return;
        }
        state.claim = Claim::Free;
        if matches!(answer, CallAnswer::Verdict(_)) {
            state.done = state.done.max(epoch);
        } else {
            state.retry_at = Some(retry_at);
        }
    }

    /// Gives a claim back.
    pub(super) fn release(&mut self, name: &SharedName, epoch: u64) {
        let transaction = self.release_of(name, epoch);
        let op = self.call(
            What::Release(name.clone(), epoch),
            Call::Commit(transaction),
        );
        if let Some(state) = self.streams.get_mut(name) {
            state.claim = Claim::Releasing { op, epoch };
        }
    }
}
