//! Nodes, an engine, and what is under way between them.

mod happening;

use tokio::time::Instant;

use crate::{
    engine::memory::MemoryStore,
    name::{NodeName, PeerAddress, SharedName},
    node::{
        Call, CallAnswer, Node, NodeAction,
        faults::Mistakes,
        model::{LEASE, TICK, bounds::SearchBounds},
        settings::{NodeFacts, NodeSettings},
        stream::Claim,
    },
    spec::{SharedStream, SpecKey},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    now: Instant,
    ends: Instant,
    /// How many faults may still happen.
    faults: u8,
    /// Which faults may happen: a bit for each kind.
    kinds: u16,
    stream: SharedName,
    engine: MemoryStore,
    engine_down: bool,
    peers_cut: bool,
    sims: Vec<Sim>,
    messages: Vec<Message>,
    /// The greatest epoch in which anybody was connected to the camera.
    greatest: u64,
}

/// A node and its surroundings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sim {
    node: Node,
    planted: Mistakes,
    /// How often it was restarted.
    life: u8,
    /// The watch has told everything up to this revision.
    told: u64,
    watch_lags: bool,
    /// It has read nothing yet.
    unread: bool,
    engine_cut: bool,
    frozen: bool,
    /// In which epoch it was connected to the camera when that was looked at last.
    open: Option<u64>,
    /// Calls and questions without an answer, with the times at which they are given up.
    waiting: Vec<(u64, bool, Instant)>,
}

/// Something under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Message {
    /// It arrives at any time from now on, and nobody waits for it.
    late: bool,
    /// The node whose call or question it is about.
    node: usize,
    life: u8,
    op: u64,
    content: MessageContent,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum MessageContent {
    Call(Call),
    CallAnswer(CallAnswer),
    Ask { of: usize },
    AskAnswer { of: usize, reaches: bool },
    Closed { epoch: u64 },
}

/// What can happen next. A number is that of a message or of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorldEvent {
    Tick,
    Arrives(usize),
    Watch(usize),
    HealEngine(usize),
    HealPeers,
    WatchCatchesUp(usize),
    Thaw(usize),
    EngineUp,
    Fault(Fault),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Late(usize),
    Lost(usize),
    CutEngine(usize),
    CutPeers,
    WatchLags(usize),
    Restart(usize),
    Freeze(usize),
    /// An operator moves the stream; counted like a fault.
    GiveUp(usize),
    EngineDown,
    /// An operator asks one node to move the stream to another one.
    Move {
        asked: usize,
        to: usize,
    },
}

impl Fault {
    /// The bit of moves, which searches for other things leave out.
    pub(super) const MOVES: u16 = 1024;

    /// The bit of those faults `Late` that are about a release.
    pub(super) const LATE_RELEASE: u16 = 512;

    /// The bit of its kind.
    pub(super) const fn bit(self) -> u16 {
        match self {
            Self::Late(_) => 1,
            Self::Lost(_) => 2,
            Self::CutEngine(_) => 4,
            Self::CutPeers => 8,
            Self::WatchLags(_) => 16,
            Self::Restart(_) => 32,
            Self::Freeze(_) => 64,
            Self::GiveUp(_) => 128,
            Self::EngineDown => 256,
            Self::Move { .. } => Self::MOVES,
        }
    }
}

impl World {
    /// Nodes that start now, all of which define one stream.
    pub(super) fn new(stream: &str, nodes: &[&str], planted: Mistakes) -> Self {
        let now = Instant::now();
        let mut world = Self {
            now,
            ends: now,
            faults: 0,
            kinds: 0,
            stream: SharedName::new(stream).unwrap(),
            engine: MemoryStore::default(),
            engine_down: false,
            peers_cut: false,
            sims: Vec::new(),
            messages: Vec::new(),
            greatest: 0,
        };
        for name in nodes {
            world.add(name, planted);
        }
        world
    }

    /// A node starts that was never here.
    pub(super) fn join(&mut self, name: &str) {
        let planted = self.sims[0].planted;
        self.add(name, planted);
    }

    fn add(&mut self, name: &str, planted: Mistakes) {
        let at = self.sims.len();
        let settings = NodeSettings::new(NodeFacts {
            name: NodeName::new(name).unwrap(),
            address: PeerAddress::new(&format!("{name}:1")).unwrap(),
            labels: Default::default(),
            version: String::new(),
            capacity: 10,
            lease: LEASE,
            hold: true,
        });
        self.sims.push(Sim {
            node: Node::new(settings, self.now),
            planted,
            life: 0,
            told: 0,
            watch_lags: false,
            unread: true,
            engine_cut: false,
            frozen: false,
            open: None,
            waiting: Vec::new(),
        });
        self.start(at);
    }

    fn start(&mut self, at: usize) {
        let spec = SharedStream::new(SpecKey::new(b"secret").digest([("source", "tcp://c:1")]));
        let sim = &mut self.sims[at];
        sim.node.faults = sim.planted;
        sim.node.define(self.stream.clone(), spec, self.now);
        sim.unread = true;
        self.pump(at);
    }

    /// From now on, faults happen.
    pub(super) fn begin(&mut self, bounds: SearchBounds) {
        self.faults = bounds.faults;
        self.kinds = bounds.kinds;
        self.ends = self.now + TICK * bounds.ticks;
    }

    /// Carries out what a node wants.
    fn pump(&mut self, at: usize) {
        let now = self.now;
        while let Some(action) = self.sims[at].node.poll() {
            match action {
                NodeAction::Call { op, call } => {
                    let reached = !self.sims[at].engine_cut && !self.engine_down;
                    self.sims[at].waiting.push((op, false, now + 3 * TICK));
                    if reached {
                        self.send(at, op, MessageContent::Call(call));
                    }
                }
                NodeAction::Ask { op, address } => {
                    self.sims[at].waiting.push((op, true, now + TICK));
                    let named = |sim: &Sim| sim.node.settings.address == address;
                    if let Some(of) = self.sims.iter().position(named)
                        && !self.peers_cut
                    {
                        self.send(at, op, MessageContent::Ask { of });
                    }
                }
                NodeAction::Changed(stream) => {
                    let claim = self.sims[at]
                        .node
                        .streams
                        .get(&stream)
                        .map(|state| state.claim);
                    if let Some(Claim::Closing { epoch, .. }) = claim {
                        self.send(at, epoch, MessageContent::Closed { epoch });
                    }
                }
                NodeAction::Claimed(_)
                | NodeAction::Renewed { .. }
                | NodeAction::Rewound { .. }
                | NodeAction::Lapsed => {}
            }
        }
    }

    fn send(&mut self, node: usize, op: u64, content: MessageContent) {
        let life = self.sims[node].life;
        let late = false;
        let message = Message {
            late,
            node,
            life,
            op,
            content,
        };
        if !self.messages.contains(&message) {
            self.messages.push(message);
        }
        // Their order says nothing, so it must not make states different.
        let rank = |content: &MessageContent| match content {
            MessageContent::Call(_) => 0,
            MessageContent::CallAnswer(_) => 1,
            MessageContent::Ask { .. } => 2,
            MessageContent::AskAnswer { .. } => 3,
            MessageContent::Closed { .. } => 4,
        };
        self.messages.sort_by_key(|message| {
            (
                message.node,
                message.life,
                message.op,
                rank(&message.content),
            )
        });
    }

    /// Whether a node is connected to the camera as it may, or has found out that it must not.
    fn look(&mut self) -> Result<(), String> {
        let (now, stream) = (self.now, self.stream.clone());
        let mut open = Vec::new();
        for (at, sim) in self.sims.iter_mut().enumerate() {
            if sim.frozen {
                continue;
            }
            let epoch = sim.node.open(&stream, now);
            if epoch.is_some() && epoch != sim.open {
                if epoch <= Some(self.greatest) {
                    return Err(format!(
                        "node {at} owns it in {epoch:?} after {}",
                        self.greatest
                    ));
                }
                self.greatest = epoch.unwrap_or(0);
            }
            sim.open = epoch;
            open.extend(epoch.map(|_| at));
        }
        match open.len() {
            0 | 1 => Ok(()),
            _ => Err(format!("nodes {open:?} own it at once")),
        }
    }

    /// What an event is, for people.
    pub(super) fn describe(&self, event: &WorldEvent) -> String {
        match event {
            WorldEvent::Arrives(at) | WorldEvent::Fault(Fault::Late(at) | Fault::Lost(at)) => {
                let Message { node, content, .. } = &self.messages[*at];
                format!("{event:?}: node {node}, {content:?}")
            }
            _ => format!("{event:?}"),
        }
    }

    /// Heals everything, and lets time pass.
    pub(super) fn recovers(&mut self) -> Result<(), String> {
        self.faults = 0;
        self.peers_cut = false;
        if self.engine_down {
            self.happens(&WorldEvent::EngineUp)?;
        }
        for at in 0..self.sims.len() {
            self.sims[at].engine_cut = false;
            self.sims[at].watch_lags = false;
            if self.sims[at].frozen {
                self.happens(&WorldEvent::Thaw(at))?;
            }
        }
        self.run(18)?;
        let owner = self.owner();
        if owner.is_none() {
            return Err("nobody owns it, long after all was well again".into());
        }
        self.run(5)?;
        if self.owner() != owner {
            return Err("its owner changes, though all is well".into());
        }
        Ok(())
    }

    /// Lets time pass without faults. Returns whether there is an owner then.
    pub(super) fn calm(&mut self, ticks: u32) -> Option<()> {
        self.run(ticks).ok()?;
        self.owner().map(|_| ())
    }

    fn run(&mut self, ticks: u32) -> Result<(), String> {
        self.ends = self.now + TICK * ticks;
        while let Some(event) = self.events().into_iter().next() {
            self.happens(&event)?;
        }
        Ok(())
    }

    /// Moves the stream to a node that does not own it, and lets time pass. Returns whether that
    /// node owns it then.
    pub(super) fn moves_to_another(&mut self) -> Result<bool, String> {
        let to = self.owner().map_or(0, |(at, _)| (at + 1) % self.sims.len());
        self.faults = 1;
        self.happens(&WorldEvent::Fault(Fault::Move { asked: to, to }))?;
        self.run(3)?;
        Ok(self.owner().is_some_and(|(at, _)| at == to))
    }

    /// Cuts all links to a living engine, lets time pass, and mends them. Returns whether the node
    /// that owned the stream owned it all the time.
    pub(super) fn keeps_its_owner_through_a_cut(&mut self, ticks: u32) -> Result<bool, String> {
        let at = |owner: Option<(usize, u64)>| owner.map(|(at, _)| at);
        let owner = at(self.owner());
        self.faults = 8;
        for node in 0..self.sims.len() {
            self.happens(&WorldEvent::Fault(Fault::CutEngine(node)))?;
        }
        self.faults = 0;
        self.ends = self.now + TICK * ticks;
        while self.now < self.ends {
            let healing = |event: &WorldEvent| matches!(event, WorldEvent::HealEngine(_));
            let Some(event) = self.events().into_iter().find(|event| !healing(event)) else {
                break;
            };
            self.happens(&event)?;
            if at(self.owner()) != owner {
                return Ok(false);
            }
        }
        for node in 0..self.sims.len() {
            self.happens(&WorldEvent::HealEngine(node))?;
        }
        self.ends = self.now + TICK * 10;
        while let Some(event) = self.events().into_iter().next() {
            self.happens(&event)?;
            if at(self.owner()) != owner {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn owner(&self) -> Option<(usize, u64)> {
        let open = |(at, sim): (usize, &Sim)| Some((at, sim.node.open(&self.stream, self.now)?));
        self.sims.iter().enumerate().find_map(open)
    }
}
