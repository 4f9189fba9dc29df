//! The node's lease, its record among the nodes, and its place among the members.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::{
    engine::{
        lease::LeaseId,
        record::{EngineKey, EngineValue, MemberRecord, NodeRecord},
        transaction::{KeyCondition, KeyEdit, Transaction},
    },
    name::{NodeName, SharedName},
    node::{
        Call, Node, NodeAction, What,
        lease::{LeaseSession, Recorded},
        settings::fence_after,
        stream::Claim,
    },
    spec::document::StreamDocument,
};

impl Node {
    /// Gives up everything if the time of the lease is over. Always the first thing to do: no
    /// answer can be about something that is over.
    pub(super) fn check_deadline(&mut self, now: Instant) {
        self.now = now;
        let over = self.deadline(now).is_some_and(|deadline| deadline <= now);
        if over && !self.faults.planted(|faults| faults.no_fence) {
            self.lapse(now);
        }
    }

    /// Begins anew: only a new claim makes a stream mine again.
    pub(super) fn lapse(&mut self, now: Instant) {
        let session = self.session.take();
        if session.is_none() && !self.renewing {
            return;
        }
        // Whatever is answered from now on is about something that is over.
        self.pending.clear();
        self.hold.clear();
        self.renewing = false;
        for (name, state) in &mut self.streams {
            if state.counts() {
                state.claim = Claim::Free;
                self.actions.push_back(NodeAction::Changed(name.clone()));
            }
        }
        self.actions.push_back(NodeAction::Lapsed);
        if let Some(session) = session {
            self.call(What::Revoke, Call::Revoke(session.lease));
        }
        self.retry_at = now + self.settings.retry();
    }

    /// Takes a lease that was asked for at `sent`.
    pub(super) fn begin(&mut self, lease: LeaseId, sent: Instant, now: Instant) {
        self.session = Some(LeaseSession {
            lease,
            fence: sent + fence_after(self.settings.lease),
            alive_at: now + self.settings.renew(),
            recorded: None,
            admitted: false,
        });
    }

    pub(super) fn keep_session(&mut self, now: Instant) {
        let renew = self.settings.renew();
        let is_silent = self.heard.is_none_or(|heard| now >= heard + renew);
        let Some(session) = &mut self.session else {
            if now >= self.retry_at && !self.is_pending(|what| matches!(what, What::Grant)) {
                self.call(What::Grant, Call::Grant);
            }
            return;
        };
        if now >= session.alive_at {
            // Whether the one before was answered or not: each counts from when it was sent.
            // While none is answered, they follow sooner: an engine that has chosen a new leader
            // answers the next one, and perhaps none of those before.
            session.alive_at = now
                + if is_silent {
                    self.settings.retry()
                } else {
                    renew
                };
            let lease = session.lease;
            self.call(What::KeepAlive(lease), Call::KeepAlive(lease));
        }
    }

    /// Puts the node's record, changes it, and sees to it that the node is admitted.
    pub(super) fn keep_record(&mut self, now: Instant) {
        let busy = |what: &What| matches!(what, What::Register(_) | What::Update(_) | What::Admit);
        let (Some(session), Some(revision)) = (&self.session, self.view.revision) else {
            return;
        };
        if self.is_pending(busy) {
            return;
        }
        let Some(recorded) = session.recorded.clone() else {
            return self.register(session.lease, now);
        };
        let known = self.view.nodes.get(&self.settings.name);
        let replaced = known.is_some_and(|node| node.created != recorded.created);
        let removed = !self.view.members.contains_key(&self.settings.name);
        if revision >= recorded.created && (replaced || removed) {
            return self.lapse(now);
        }
        if revision >= recorded.created && known.is_none() {
            return self.forgotten(now);
        }
        if now < self.retry_at {
            return;
        }
        let record = self.desired_record();
        if record != recorded.record {
            let value = EngineValue::Node(self.settings.name.clone(), record.clone());
            let transaction = Transaction::new()
                .when(KeyCondition::Created(
                    EngineKey::Node(self.settings.name.clone()),
                    recorded.created,
                ))
                .then(KeyEdit::Put(value, Some(session.lease)));
            self.call(What::Update(record), Call::Commit(transaction));
        } else if !session.admitted && self.may_be_admitted() {
            self.admit(recorded.created);
        }
    }

    fn register(&mut self, lease: LeaseId, now: Instant) {
        let name = self.settings.name.clone();
        if let Some(node) = self.view.nodes.get(&name) {
            if node.lease == Some(lease) {
                // The answer was lost.
                let (created, record) = (node.created, node.record.clone());
                self.recorded(Recorded { created, record });
            }
            // Or somebody else has the name, such as the process that was here before.
            return;
        }
        if now < self.retry_at {
            return;
        }
        let member = self.view.members.get(&name);
        let known = match member {
            Some((created, _)) => KeyCondition::Created(EngineKey::Member(name.clone()), *created),
            None => KeyCondition::Absent(EngineKey::Member(name.clone())),
        };
        let member = MemberRecord {
            address: self.settings.address.clone(),
            admitted: member.is_some_and(|(_, member)| member.admitted),
        };
        let record = self.desired_record();
        let transaction = Transaction::new()
            .when(KeyCondition::Absent(EngineKey::Node(name.clone())))
            .when(known)
            .then(KeyEdit::Put(
                EngineValue::Member(name.clone(), member),
                None,
            ))
            .then(KeyEdit::Put(
                EngineValue::Node(name, record.clone()),
                Some(lease),
            ));
        self.call(What::Register(record), Call::Commit(transaction));
    }

    pub(super) fn recorded(&mut self, recorded: Recorded) {
        if let Some(session) = &mut self.session {
            session.recorded = Some(recorded);
        }
    }

    fn desired_record(&self) -> NodeRecord {
        let defined = self.streams.iter().filter(|(_, state)| !state.removed);
        NodeRecord {
            address: self.settings.address.clone(),
            labels: self.settings.labels.clone(),
            version: self.settings.version.clone(),
            capacity: self.settings.capacity,
            draining: self.is_draining(),
            waiting: self.is_waiting(),
            seen: self.view.latest_member(),
            floor: self.floor,
            streams: defined
                .map(|(name, state)| (name.clone(), state.spec.digest))
                .collect(),
        }
    }

    /// Whether every other member knows this one. Who does not could hold a camera, while the
    /// engine is out of its reach, without asking this node.
    fn may_be_admitted(&self) -> bool {
        let name = &self.settings.name;
        let Some((joined, member)) = self.view.members.get(name) else {
            return false;
        };
        let knows = |other| {
            let node = self.view.nodes.get(other);
            node.is_some_and(|node| node.record.seen >= *joined)
        };
        let mut others = self.view.members.keys().filter(|other| *other != name);
        !member.admitted && others.all(knows)
    }

    fn admit(&mut self, created: u64) {
        let name = self.settings.name.clone();
        let Some((joined, member)) = self.view.members.get(&name) else {
            return;
        };
        let admitted = MemberRecord {
            admitted: true,
            ..member.clone()
        };
        let transaction = Transaction::new()
            .when(KeyCondition::Created(
                EngineKey::Node(name.clone()),
                created,
            ))
            .when(KeyCondition::Created(
                EngineKey::Member(name.clone()),
                *joined,
            ))
            .then(KeyEdit::Put(EngineValue::Member(name, admitted), None));
        self.call(What::Admit, Call::Commit(transaction));
    }

    /// Removes a member that is down and will not come back. Returns whether it is one.
    pub(crate) fn forget(&mut self, name: &NodeName, now: Instant) -> bool {
        self.check_deadline(now);
        let joined = self.view.members.get(name).map(|(joined, _)| *joined);
        let Some(joined) = joined.filter(|_| !self.view.nodes.contains_key(name)) else {
            return false;
        };
        let transaction = Transaction::new()
            .when(KeyCondition::Absent(EngineKey::Node(name.clone())))
            .when(KeyCondition::Created(
                EngineKey::Member(name.clone()),
                joined,
            ))
            .then(KeyEdit::Delete(EngineKey::Member(name.clone())))
            .then(KeyEdit::Delete(EngineKey::Drain(name.clone())));
        self.call(What::Forget, Call::Commit(transaction));
        true
    }

    /// Puts a stream that is defined for all nodes, or deletes it.
    pub(crate) fn document(
        &mut self,
        name: &SharedName,
        document: Option<StreamDocument>,
        now: Instant,
    ) {
        self.check_deadline(now);
        let edit = match document {
            Some(document) => KeyEdit::Put(EngineValue::Stream(name.clone(), document), None),
            None => KeyEdit::Delete(EngineKey::Stream(name.clone())),
        };
        self.call(What::Document, Call::Commit(Transaction::new().then(edit)));
    }

    /// The streams that are defined for all nodes.
    pub(crate) fn documents(&self) -> &BTreeMap<SharedName, StreamDocument> {
        &self.view.streams
    }

    /// Asks the other members whether they reach the engine, while it is silent.
    pub(super) fn ask_members(&mut self, now: Instant) {
        let recorded = self
            .session
            .as_ref()
            .is_some_and(|session| session.recorded.is_some());
        if !self.settings.hold || !recorded || !self.suspects(now) {
            self.hold.ask_at = None;
            return;
        }
        if self.hold.ask_at.is_some_and(|at| now < at) {
            return;
        }
        self.hold.ask_at = Some(now + self.settings.ask());
        let asked =
            |name: &_| self.is_pending(|what| matches!(what, What::Ask(peer) if peer == name));
        let others = self.view.members.iter();
        let others = others.filter(|(name, _)| **name != self.settings.name && !asked(name));
        let others: Vec<_> = others
            .map(|(name, (_, member))| (name.clone(), member.address.clone()))
            .collect();
        for (name, address) in others {
            let op = self.expect_answer(What::Ask(name));
            self.actions.push_back(NodeAction::Ask { op, address });
        }
    }
}
