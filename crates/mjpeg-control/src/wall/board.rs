//! The tiles of one client: which there are, and whose frame goes next.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use futures_util::stream::FuturesUnordered;
use mjpeg_manager::{Change, mjpeg_fanout::Published};
use tokio::time::Instant;

use super::{
    end,
    header::HEADER_BYTES,
    message::{MAX_TILES, Scale, ServerMessage, TileRequest},
    outgoing::OutgoingMessage,
    picture::TilePicture,
    schedule::Schedule,
    tile::{Happened, Tile, TileEvent, TileFuture, TilePhase, TileViewer},
};
use crate::{
    caller::ApiCaller,
    events::log::{Following, Logged},
    state::ApiState,
};

/// The tiles of one client.
pub(crate) struct Board {
    state: Arc<ApiState>,
    caller: Arc<ApiCaller>,
    tiles: Vec<Option<Tile>>,
    /// What the tiles wait for.
    pub(crate) waits: FuturesUnordered<TileFuture>,
    /// The tiles that are to be admitted, in order. Each is there once at most.
    admissions: VecDeque<u16>,
    /// How many are being admitted.
    admitting: usize,
    pub(crate) schedule: Schedule,
    /// What the client is to be told. Bounded: nothing is read from it while there is something.
    texts: VecDeque<ServerMessage>,
    /// The tile whose viewer was called back to send.
    called: Option<u16>,
    generation: u64,
    /// The last event that was looked at.
    event: u64,
}

/// What follows from something that happened to a tile.
pub(crate) enum Followup {
    Nothing,
    Send(OutgoingMessage),
    /// The tile shows nothing any more.
    Ended(u16),
}

impl Board {
    pub(crate) fn new(state: Arc<ApiState>, caller: Arc<ApiCaller>) -> Self {
        let most = state.config.max_wall_bytes_in_flight();
        let welcome = ServerMessage::Welcome {
            max_tiles: MAX_TILES,
            max_bytes_in_flight: most,
        };
        Self {
            event: state.log.latest(),
            state,
            caller,
            tiles: (0..MAX_TILES).map(|_| None).collect(),
            waits: FuturesUnordered::new(),
            admissions: VecDeque::new(),
            admitting: 0,
            schedule: Schedule::new(most),
            texts: VecDeque::from([welcome]),
            called: None,
            generation: 0,
        }
    }

    /// Replaces the set of tiles. Those whose stream stays keep their viewers.
    pub(crate) fn set(&mut self, requests: Vec<TileRequest>) {
        let mut wanted: Vec<Option<TileRequest>> = (0..MAX_TILES).map(|_| None).collect();
        for request in requests {
            let at = usize::from(request.tile);
            wanted[at] = Some(request);
        }
        for (number, request) in (0..).zip(wanted) {
            match (request, &mut self.tiles[usize::from(number)]) {
                (None, None) => {}
                (Some(request), Some(tile)) if tile.is_kept(&request) => {
                    tile.scale = request.scale;
                    if tile.fps != request.fps {
                        tile.fps = request.fps;
                        tile.recall_viewer();
                    }
                }
                (None, Some(_)) => self.remove(number),
                (Some(request), _) => self.add(number, request),
            }
        }
        self.admit_next();
    }

    fn remove(&mut self, number: u16) {
        self.tiles[usize::from(number)] = None;
        self.admissions.retain(|waiting| *waiting != number);
        self.forget(number);
    }

    fn forget(&mut self, number: u16) {
        self.schedule.forget(number);
        self.called = self.called.filter(|called| *called != number);
    }

    fn add(&mut self, number: u16, request: TileRequest) {
        self.remove(number);
        self.generation += 1;
        let name = self.state.resolved(&request.stream);
        let tile = Tile::new(request, name, self.generation);
        self.tiles[usize::from(number)] = Some(tile);
        self.admissions.push_back(number);
    }

    /// Asks for the viewers of the tiles that are next: a few at a time, because a gate may have
    /// only so many places for the questions about one client.
    fn admit_next(&mut self) {
        while self.admitting < MAX_ADMISSIONS {
            let Some(number) = self.admissions.pop_front() else {
                break;
            };
            if let Some(tile) = &mut self.tiles[usize::from(number)] {
                let (state, caller) = (Arc::clone(&self.state), Arc::clone(&self.caller));
                self.waits.push(tile.admit(number, state, caller));
                self.admitting += 1;
            }
        }
    }

    /// Records an ack. Returns whether it is for a frame in flight.
    pub(crate) fn acked(&mut self, number: u16, seq: u64, now: Instant) -> bool {
        if !self.schedule.acked(number, seq, now) {
            return false;
        }
        if let Some(tile) = &mut self.tiles[usize::from(number)] {
            tile.phase = TilePhase::Frame;
            tile.recall();
        }
        true
    }

    /// Answers a message.
    pub(crate) fn say(&mut self, message: ServerMessage) {
        self.texts.push_back(message);
    }

    /// Ends all viewers. Returns what is still to be said.
    pub(crate) fn into_texts(self) -> impl Iterator<Item = ServerMessage> {
        self.texts.into_iter()
    }

    /// What is to be said next.
    pub(crate) fn next_text(&mut self) -> Option<ServerMessage> {
        self.texts.pop_front()
    }

    /// Calls back the viewer whose turn it is, if one may send now. Nothing must be being written.
    pub(crate) fn call_next(&mut self, now: Instant) {
        if self.called.is_none() {
            self.called = self.schedule.next(now);
        }
        self.recall_called();
    }

    /// Notes what happened to a tile. `is_free` is whether a picture may be written now.
    pub(crate) fn note(&mut self, happened: Happened, is_free: bool, now: Instant) -> Followup {
        let (number, generation, event) = happened;
        if event.ends_admission() {
            self.admitting = self.admitting.saturating_sub(1);
            self.admit_next();
        }
        let tile = self.tiles[usize::from(number)].as_mut();
        let Some(tile) = tile.filter(|tile| tile.generation == generation) else {
            // Removed or replaced: dropping its viewer is all there is to do.
            return Followup::Nothing;
        };
        match event {
            TileEvent::Admitted(mut viewer) => {
                viewer.watcher.set_fps(tile.fps);
                tile.phase = TilePhase::Frame;
                self.waits.push(tile.until_due(number, viewer));
                self.tell_state(number, None);
            }
            TileEvent::Due(viewer) => {
                tile.phase = TilePhase::Turn;
                self.schedule.due(number);
                if is_free && self.called.is_none() {
                    self.called = self.schedule.next(now);
                    if self.called == Some(number) {
                        return self.take_turn(number, viewer, now);
                    }
                }
                self.park(number, viewer);
                self.recall_called();
            }
            TileEvent::Back(mut viewer) => {
                viewer.watcher.set_fps(tile.fps);
                if tile.phase == TilePhase::Turn && is_free && self.called == Some(number) {
                    return self.take_turn(number, viewer, now);
                }
                self.park(number, viewer);
            }
            TileEvent::Made(viewer, frame, picture) => {
                if is_free && self.called == Some(number) {
                    return self.send(number, viewer, &frame, picture, now);
                }
                self.park(number, viewer);
            }
            TileEvent::Refused(error) => {
                tile.phase = TilePhase::Over;
                self.say(end::refused(number, &error));
            }
            TileEvent::Ended(why) => {
                tile.phase = TilePhase::Over;
                self.forget(number);
                self.say(end::ended(number, why));
                return Followup::Ended(number);
            }
            TileEvent::Removed => {}
        }
        Followup::Nothing
    }

    fn recall_called(&mut self) {
        let called = self.called.map(usize::from);
        if let Some(tile) = called.and_then(|at| self.tiles[at].as_mut()) {
            tile.recall();
        }
    }

    /// Lets a viewer wait for what its tile waits for.
    fn park(&mut self, number: u16, viewer: TileViewer) {
        if let Some(tile) = &mut self.tiles[usize::from(number)] {
            self.waits.push(match tile.phase {
                TilePhase::Frame => tile.until_due(number, viewer),
                _ => tile.until_recalled(number, viewer),
            });
        }
    }

    /// Sends the newest frame of a tile whose turn it is, or begins to make its picture.
    fn take_turn(&mut self, number: u16, mut viewer: TileViewer, now: Instant) -> Followup {
        let Some(tile) = &mut self.tiles[usize::from(number)] else {
            return Followup::Nothing;
        };
        match viewer.watcher.newest() {
            Some(frame) if tile.scale == Scale::Full => {
                let picture = TilePicture::full(&frame);
                self.send(number, viewer, &frame, picture, now)
            }
            Some(frame) => {
                self.waits.push(tile.make(number, viewer, frame));
                Followup::Nothing
            }
            None => self.lose_turn(number, viewer),
        }
    }

    /// Lets a tile wait for a frame: its rate has changed, or it has to end.
    fn lose_turn(&mut self, number: u16, viewer: TileViewer) -> Followup {
        self.called = None;
        if let Some(tile) = &mut self.tiles[usize::from(number)] {
            tile.phase = TilePhase::Frame;
        }
        self.park(number, viewer);
        Followup::Nothing
    }

    /// Sends a frame of a tile whose turn it is.
    fn send(
        &mut self,
        number: u16,
        mut viewer: TileViewer,
        frame: &Arc<Published>,
        picture: TilePicture,
        now: Instant,
    ) -> Followup {
        let Some(frame) = viewer.watcher.take(frame, picture) else {
            return self.lose_turn(number, viewer);
        };
        self.called = None;
        let bytes = HEADER_BYTES + frame.form().bytes.len();
        self.schedule.sent(number, frame.seq(), bytes);
        if let Some(tile) = &mut self.tiles[usize::from(number)] {
            tile.phase = TilePhase::Ack;
        }
        self.park(number, viewer);
        let counters = self.state.walls.counters();
        counters.frames.add_one();
        counters.sent_bytes.add(bytes as u64);
        Followup::Send(OutgoingMessage::picture(number, frame, now))
    }

    /// Looks at what has happened to streams, and tells the client what is new of its tiles: once
    /// for each, however much has happened.
    pub(crate) fn look_at_events(&mut self) {
        let mut changed = BTreeMap::new();
        let mut has_gap = false;
        loop {
            let entry = match self.state.log.after(self.event) {
                Following::Nothing => break,
                Following::Gap { resume, .. } => {
                    (self.event, has_gap) = (resume, true);
                    continue;
                }
                Following::Entry(entry) => entry,
            };
            self.event = entry.number;
            match &entry.what {
                Logged::Missed(_) => has_gap = true,
                Logged::Clip(_) => {}
                Logged::Event(event) => {
                    if let Change::State(state) = &event.change {
                        changed.insert(event.stream.to_string(), state.as_str());
                    }
                }
            }
        }
        for number in 0..MAX_TILES as u16 {
            let tile = self.tiles[usize::from(number)].as_ref();
            let state = tile.and_then(|tile| changed.get(&tile.name).copied());
            if has_gap || state.is_some() {
                self.tell_state(number, state.filter(|_| !has_gap));
            }
        }
    }

    /// Tells the client the state of a tile's stream: this one, or that of now.
    fn tell_state(&mut self, number: u16, state: Option<&'static str>) {
        let Some(tile) = &mut self.tiles[usize::from(number)] else {
            return;
        };
        if matches!(tile.phase, TilePhase::Admission | TilePhase::Over) {
            return;
        }
        let now = || {
            let info = self.state.manager.get(&tile.name).ok()?;
            Some(info.state.as_str())
        };
        let Some(state) = state.or_else(now) else {
            return;
        };
        if tile.told.replace(state) != Some(state) {
            self.texts.push_back(ServerMessage::state(number, state));
        }
    }
}

impl Tile {
    /// Whether it stays as it is but for rate and size.
    fn is_kept(&self, request: &TileRequest) -> bool {
        self.stream == request.stream && self.phase != TilePhase::Over
    }

    /// Calls its viewer back, unless it has none yet.
    fn recall_viewer(&mut self) {
        if self.phase != TilePhase::Admission {
            self.recall();
        }
    }
}

/// How many tiles of a socket are admitted at once.
const MAX_ADMISSIONS: usize = 4;
