//! What can happen in a world, and what follows.

use crate::{
    engine::transaction::KeyEdit,
    node::{
        Call, CallAnswer, Node,
        model::{
            LEASE, TICK,
            world::{Fault, Message, MessageContent, World, WorldEvent},
        },
    },
};

impl World {
    /// Everything that can happen now. Mistakes come last.
    ///
    /// What commutes with everything else is taken first, and in one order only: it makes no
    /// difference, and very many states fewer.
    pub(in crate::node::model) fn events(&self) -> Vec<WorldEvent> {
        let mut events: Vec<_> = self.arrivals().map(WorldEvent::Arrives).collect();
        let alone = |at: &usize| !self.messages[*at].late && self.messages[*at].commutes();
        if let Some(at) = self.arrivals().find(alone) {
            events = vec![WorldEvent::Arrives(at)];
        } else {
            let watches = (0..self.sims.len()).filter(|at| self.is_told(*at));
            events.extend(watches.map(WorldEvent::Watch));
            let quiet = |event: &WorldEvent| match event {
                WorldEvent::Arrives(at) => self.messages[*at].late,
                _ => false,
            };
            if events.iter().all(quiet) {
                self.quiet_events(&mut events);
            }
        }
        if self.faults > 0 && self.now < self.ends {
            events.extend(self.faults().into_iter().map(WorldEvent::Fault));
        }
        events
    }

    /// The messages that can arrive.
    fn arrivals(&self) -> impl Iterator<Item = usize> {
        let arrives = |message: &Message| match message.content {
            MessageContent::Call(_) => !self.engine_down,
            MessageContent::Ask { of } => !self.sims[of].frozen,
            _ => !self.sims[message.node].frozen,
        };
        (0..self.messages.len()).filter(move |at| arrives(&self.messages[*at]))
    }

    /// Whether the watch of a node has something to tell.
    fn is_told(&self, at: usize) -> bool {
        let sim = &self.sims[at];
        let silent = sim.watch_lags || sim.engine_cut || sim.frozen || self.engine_down;
        !silent && (sim.unread || self.engine.after(sim.told).is_some())
    }

    /// What happens when nothing is under way.
    fn quiet_events(&self, events: &mut Vec<WorldEvent>) {
        events.extend((self.now < self.ends).then_some(WorldEvent::Tick));
        for (at, sim) in self.sims.iter().enumerate() {
            events.extend(sim.engine_cut.then_some(WorldEvent::HealEngine(at)));
            events.extend(sim.watch_lags.then_some(WorldEvent::WatchCatchesUp(at)));
            events.extend(sim.frozen.then_some(WorldEvent::Thaw(at)));
        }
        events.extend(self.peers_cut.then_some(WorldEvent::HealPeers));
        events.extend(self.engine_down.then_some(WorldEvent::EngineUp));
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (at, message) in self.messages.iter().enumerate() {
            if !message.late && !matches!(message.content, MessageContent::Closed { .. }) {
                faults.extend([Fault::Late(at), Fault::Lost(at)]);
            }
        }
        for (at, sim) in self.sims.iter().enumerate() {
            if sim.frozen {
                continue;
            }
            faults.extend([Fault::Restart(at), Fault::Freeze(at), Fault::GiveUp(at)]);
            faults.extend((!sim.engine_cut).then_some(Fault::CutEngine(at)));
            faults.extend(self.is_told(at).then_some(Fault::WatchLags(at)));
        }
        faults.extend((!self.peers_cut).then_some(Fault::CutPeers));
        faults.extend((!self.engine_down).then_some(Fault::EngineDown));
        if self.kinds & Fault::MOVES != 0 {
            let up = || (0..self.sims.len()).filter(|at| !self.sims[*at].frozen);
            let pairs = up().flat_map(|asked| up().map(move |to| Fault::Move { asked, to }));
            faults.extend(pairs);
        }
        faults.retain(|fault| {
            let late_release = match fault {
                Fault::Late(at) => self.messages[*at].is_release(),
                _ => false,
            };
            fault.bit() & self.kinds != 0 || (late_release && self.kinds & Fault::LATE_RELEASE != 0)
        });
        faults
    }

    /// Lets something happen. An error says what must not be.
    pub(in crate::node::model) fn happens(&mut self, event: &WorldEvent) -> Result<(), String> {
        match *event {
            WorldEvent::Tick => self.tick(),
            WorldEvent::Arrives(at) => {
                let message = self.messages.remove(at);
                self.arrives(message);
            }
            WorldEvent::Watch(at) => {
                let (sim, now) = (&mut self.sims[at], self.now);
                if sim.unread {
                    let image = self.engine.image();
                    sim.unread = false;
                    sim.told = image.revision;
                    sim.node.read(image, 0, now);
                } else if let Some(changes) = self.engine.after(sim.told) {
                    sim.told = changes.revision;
                    sim.node.changed(changes.clone(), now);
                }
                self.pump(at);
            }
            WorldEvent::HealEngine(at) => self.sims[at].engine_cut = false,
            WorldEvent::HealPeers => self.peers_cut = false,
            WorldEvent::WatchCatchesUp(at) => self.sims[at].watch_lags = false,
            WorldEvent::Thaw(at) => {
                self.sims[at].frozen = false;
                self.wake(at);
            }
            WorldEvent::EngineUp => {
                self.engine_down = false;
                self.engine.extend(LEASE, self.now);
            }
            WorldEvent::Fault(fault) => {
                self.faults -= 1;
                self.fails(fault);
            }
        }
        let reading = self.sims.iter().filter(|sim| !sim.unread);
        let told = reading.map(|sim| sim.told).min();
        self.engine.forget(told.unwrap_or(0));
        self.look()
    }

    fn tick(&mut self) {
        self.now += TICK;
        if !self.engine_down {
            self.engine.expire(self.now);
        }
        for at in 0..self.sims.len() {
            if !self.sims[at].frozen {
                self.wake(at);
            }
        }
    }

    /// A node sees what time it is, and gives up what it waits for.
    fn wake(&mut self, at: usize) {
        let now = self.now;
        let sim = &mut self.sims[at];
        sim.node.step(now);
        let over = sim.waiting.extract_if(.., |(.., until)| *until <= now);
        for (op, ask, _) in over {
            if ask {
                sim.node.answered(op, None, now);
            } else {
                sim.node
                    .called(op, CallAnswer::Failed { answered: false }, now);
            }
        }
        self.pump(at);
    }

    fn arrives(&mut self, message: Message) {
        let Message {
            node,
            life,
            op,
            content,
            ..
        } = message;
        let alive = self.sims[node].life == life;
        let now = self.now;
        match content {
            MessageContent::Call(call) => {
                let answer = self.engine.execute(&call, LEASE, now);
                if alive && !self.sims[node].engine_cut {
                    self.send(node, op, MessageContent::CallAnswer(answer));
                }
            }
            MessageContent::CallAnswer(answer) if alive && self.done(node, op) => {
                self.sims[node].node.called(op, answer, now);
            }
            MessageContent::Ask { of } => {
                let reaches = self.sims[of].node.reaches_engine(now);
                self.pump(of);
                if alive {
                    self.send(node, op, MessageContent::AskAnswer { of, reaches });
                }
            }
            MessageContent::AskAnswer { reaches, .. } if alive && self.done(node, op) => {
                self.sims[node].node.answered(op, Some(reaches), now);
            }
            MessageContent::Closed { epoch } if alive => {
                let stream = self.stream.clone();
                self.sims[node].node.closed(&stream, epoch, now);
            }
            _ => {}
        }
        self.pump(node);
    }

    /// Whether the node still waited for this.
    fn done(&mut self, node: usize, op: u64) -> bool {
        let waiting = &mut self.sims[node].waiting;
        let place = waiting.iter().position(|(waits, ..)| *waits == op);
        place.map(|place| waiting.remove(place)).is_some()
    }

    fn fails(&mut self, fault: Fault) {
        match fault {
            Fault::Late(at) => self.messages[at].late = true,
            Fault::Lost(at) => drop(self.messages.remove(at)),
            Fault::CutEngine(at) => {
                self.sims[at].engine_cut = true;
                self.messages.retain(|message| {
                    !(message.is_of_engine() && message.node == at && !message.late)
                });
            }
            Fault::CutPeers => {
                self.peers_cut = true;
                self.messages
                    .retain(|message| !message.is_of_peers() || message.late);
            }
            Fault::WatchLags(at) => self.sims[at].watch_lags = true,
            Fault::Restart(at) => {
                let sim = &mut self.sims[at];
                sim.node = Node::new(sim.node.settings.clone(), self.now);
                sim.life += 1;
                sim.open = None;
                sim.waiting.clear();
                self.start(at);
            }
            Fault::Freeze(at) => self.sims[at].frozen = true,
            Fault::GiveUp(at) => {
                let (stream, now) = (self.stream.clone(), self.now);
                self.sims[at].node.give_up(&stream, now);
                self.pump(at);
            }
            Fault::Move { asked, to } => {
                let (stream, now) = (self.stream.clone(), self.now);
                let to = self.sims[to].node.settings.name.clone();
                // What is refused changes nothing.
                let _ = self.sims[asked].node.move_to(&stream, &to, now);
                self.pump(asked);
            }
            Fault::EngineDown => {
                self.engine_down = true;
                self.messages
                    .retain(|message| !message.is_of_engine() || message.late);
            }
        }
    }
}

impl Message {
    fn is_of_engine(&self) -> bool {
        matches!(
            self.content,
            MessageContent::Call(_) | MessageContent::CallAnswer(_)
        )
    }

    /// Whether it makes no difference what arrives before it, among what could.
    fn commutes(&self) -> bool {
        match &self.content {
            MessageContent::Call(call) => matches!(call, Call::Grant | Call::KeepAlive(_)),
            MessageContent::CallAnswer(answer) => !matches!(answer, CallAnswer::Verdict(_)),
            MessageContent::AskAnswer { .. } => true,
            MessageContent::Ask { .. } | MessageContent::Closed { .. } => false,
        }
    }

    fn is_release(&self) -> bool {
        let MessageContent::Call(Call::Commit(transaction)) = &self.content else {
            return false;
        };
        transaction
            .edits
            .iter()
            .any(|edit| matches!(edit, KeyEdit::Delete(_)))
    }

    fn is_of_peers(&self) -> bool {
        matches!(
            self.content,
            MessageContent::Ask { .. } | MessageContent::AskAnswer { .. }
        )
    }
}
