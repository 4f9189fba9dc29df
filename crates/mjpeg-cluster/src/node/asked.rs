//! What the program asks of a node.

use tokio::time::Instant;

use crate::{
    name::SharedName,
    node::{
        Node,
        stream::{NodeStream, UNFIT_FOR},
    },
    spec::SharedStream,
};

impl Node {
    /// Defines a stream that this node may own, or changes it.
    pub(crate) fn define(&mut self, name: SharedName, spec: SharedStream, now: Instant) {
        self.define_quietly(name, spec, now);
        self.step(now);
    }

    /// Defines a stream before a step.
    pub(crate) fn define_quietly(&mut self, name: SharedName, spec: SharedStream, now: Instant) {
        let state = self.streams.entry(name);
        let state = state.or_insert_with(|| NodeStream::new(spec.clone(), now));
        state.spec = spec;
        state.removed = false;
    }

    /// Removes a stream: its claim is given back.
    pub(crate) fn remove(&mut self, name: &SharedName, now: Instant) {
        if let Some(state) = self.streams.get_mut(name) {
            state.removed = true;
        }
        self.step(now);
    }

    /// Says that one more on this node wants a stream's frames, or one fewer.
    pub(crate) fn want(&mut self, name: &SharedName, wanted: bool, now: Instant) {
        if let Some(state) = self.streams.get_mut(name) {
            let change = if wanted { 1 } else { -1 };
            state.wanted = state.wanted.saturating_add_signed(change);
            state.unwanted = (state.wanted == 0).then(|| state.unwanted.unwrap_or(now));
        }
        self.step(now);
    }

    /// Says whether the camera can be dialled.
    pub(crate) fn dialled(&mut self, name: &SharedName, well: bool, now: Instant) {
        if let Some(state) = self.streams.get_mut(name) {
            state.failing = (!well).then(|| state.failing.unwrap_or(now));
        }
        self.step(now);
    }

    /// Gives a stream up, so that another node takes it.
    pub(crate) fn give_up(&mut self, name: &SharedName, now: Instant) {
        if let Some(state) = self.streams.get_mut(name) {
            state.unfit_until = Some(now + UNFIT_FOR);
        }
        self.step(now);
    }

    /// Gives all streams up, and takes no others while it is set.
    pub(crate) fn drain(&mut self, draining: bool, now: Instant) {
        self.draining = draining;
        self.step(now);
    }
}
