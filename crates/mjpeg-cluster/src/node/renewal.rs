//! Claims again the streams that the engine has forgotten. The node keeps them meanwhile, because
//! all others have promised to claim nothing.

use tokio::time::Instant;

use crate::{
    engine::transaction::CommitVerdict,
    name::SharedName,
    node::{Call, CallAnswer, Node, NodeAction, What, stream::Claim},
};

impl Node {
    /// Handles that the engine has forgotten the node, after hearing nothing from it for the time
    /// of a lease. If all others have promised to claim nothing, the streams that are mine stay
    /// mine, and are claimed again with a new lease.
    pub(super) fn forgotten(&mut self, now: Instant) {
        let promised = self.promised_until(now).is_some_and(|until| now < until);
        if !promised {
            return self.lapse(now);
        }
        let Some(session) = self.session.take() else {
            return;
        };
        self.pending
            .retain(|_, pending| matches!(pending.what, What::Ask(_)));
        for (name, state) in &mut self.streams {
            match state.claim {
                Claim::Free => {}
                Claim::Mine { epoch } | Claim::Renewing { epoch, .. } => {
                    state.claim = Claim::Renewing { epoch, op: None };
                    self.renewing = true;
                }
                Claim::Claiming { .. } | Claim::Closing { .. } | Claim::Releasing { .. } => {
                    state.claim = Claim::Free;
                    self.actions.push_back(NodeAction::Changed(name.clone()));
                }
            }
        }
        self.call(What::Revoke, Call::Revoke(session.lease));
        self.retry_at = now;
        self.keep_session(now);
    }

    /// Claims again a stream that was mine all the time, as soon as the view shows that the engine
    /// has forgotten the old claim.
    pub(super) fn renew(&mut self, name: &SharedName, epoch: u64) {
        let Some((lease, created)) = self.settled() else {
            return;
        };
        let owner = self.view.owners.get(name);
        if owner.is_some_and(|owner| owner.epoch == epoch) {
            return;
        }
        let claim = match owner {
            None => self.claim_of(name, lease, created),
            Some(_) => None,
        };
        let Some(transaction) = claim else {
            return self.set(name, Claim::Free);
        };
        let what = What::Renew(name.clone());
        let op = Some(self.call(what, Call::Commit(transaction)));
        self.set(name, Claim::Renewing { epoch, op });
    }

    /// Takes the answer to the claim of a stream that was mine all the time. The claim breaks no
    /// promise of this node: its promises are about the streams of others.
    pub(super) fn renewed(&mut self, op: u64, name: &SharedName, answer: CallAnswer, now: Instant) {
        let retry_at = now + self.settings.retry();
        let Some(state) = self.streams.get_mut(name) else {
            return;
        };
        if !matches!(state.claim, Claim::Renewing { op: sent, .. } if sent == Some(op)) {
            return;
        }
        if let CallAnswer::Verdict(CommitVerdict::Done(epoch)) = answer {
            state.claim = Claim::Mine { epoch };
            let stream = name.clone();
            self.actions
                .push_back(NodeAction::Renewed { stream, epoch });
        } else {
            state.claim = Claim::Free;
            state.retry_at = Some(retry_at);
        }
        self.actions.push_back(NodeAction::Changed(name.clone()));
    }
}
