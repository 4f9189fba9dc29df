//! The wall socket: many streams over one WebSocket, one viewer each. `docs/wall.md` describes the
//! protocol.

pub(crate) mod board;
pub(crate) mod budget;
pub(crate) mod end;
pub(crate) mod flow;
pub(crate) mod handshake;
pub(crate) mod header;
pub(crate) mod io;
pub(crate) mod liveness;
pub(crate) mod message;
pub(crate) mod outgoing;
pub(crate) mod picture;
pub(crate) mod schedule;
pub(crate) mod socket;
pub(crate) mod stats;
pub(crate) mod tile;
pub(crate) mod timer;
pub(crate) mod walls;
