//! The messages of the protocol, as text and as bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a client says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ClientMessage {
    /// All the tiles that are visible now.
    Tiles(Vec<TileRequest>),
    /// To be answered at once.
    Ping(u64),
    /// A frame has been painted, or dropped.
    Ack { tile: u16, seq: u64 },
}

/// One tile that is visible.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TileRequest {
    /// Its number, chosen by the client.
    pub(crate) tile: u16,
    /// The stream, or a further name of it.
    pub(crate) stream: String,
    /// Frames per second at most.
    #[serde(default)]
    pub(crate) fps: Option<f64>,
    #[serde(default)]
    pub(crate) scale: Scale,
}

/// The size in which pictures are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scale {
    #[default]
    Full,
    /// An eighth in each direction, where the picture can be made without decoding.
    Eighth,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum ClientText {
    Tiles { tiles: Vec<TileRequest> },
    Ping { id: u64 },
}

/// A message that is not understood; what is wrong with it, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotUnderstood(String);

impl fmt::Display for NotUnderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ClientMessage {
    /// Reads a message of text.
    pub(crate) fn of_text(text: &str) -> Result<Self, NotUnderstood> {
        let text = serde_json::from_str(text);
        match text.map_err(|error| NotUnderstood(error.to_string()))? {
            ClientText::Ping { id } => Ok(Self::Ping(id)),
            ClientText::Tiles { tiles } => {
                check(&tiles)?;
                Ok(Self::Tiles(tiles))
            }
        }
    }

    /// Reads a message of bytes: an ack.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self, NotUnderstood> {
        let not = |why: &str| Err(NotUnderstood(why.to_owned()));
        let Ok([t0, t1, r0, r1, seq @ ..]) = <[u8; ACK_BYTES]>::try_from(bytes) else {
            return not("an ack has 12 bytes");
        };
        let tile = u16::from_be_bytes([t0, t1]);
        if usize::from(tile) >= MAX_TILES || [r0, r1] != [0, 0] {
            return not("an ack is for a tile from 0 to 127, and its reserved bytes are 0");
        }
        let seq = u64::from_be_bytes(seq);
        Ok(Self::Ack { tile, seq })
    }
}

/// Whether the numbers of tiles are in range and each once, and rates are possible.
fn check(tiles: &[TileRequest]) -> Result<(), NotUnderstood> {
    let not = |why: &str| Err(NotUnderstood(why.to_owned()));
    if tiles.len() > MAX_TILES {
        return not("at most 128 tiles can be visible");
    }
    let mut seen = [false; MAX_TILES];
    for tile in tiles {
        match seen.get_mut(usize::from(tile.tile)) {
            None => return not("tiles are numbered from 0 to 127"),
            Some(true) => return not("each tile is set once"),
            Some(seen) => *seen = true,
        }
        if tile.fps.is_some_and(|fps| !(fps.is_finite() && fps > 0.0)) {
            return not("fps is more than 0");
        }
    }
    Ok(())
}

/// What the server says in text.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum ServerMessage {
    Welcome {
        max_tiles: usize,
        max_bytes_in_flight: usize,
    },
    Tile {
        tile: u16,
        state: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    Pong {
        id: u64,
    },
    Error {
        code: &'static str,
        detail: String,
    },
}

impl ServerMessage {
    /// A tile's stream is in this state.
    pub(crate) fn state(tile: u16, state: &'static str) -> Self {
        let (code, detail) = (None, None);
        Self::Tile {
            tile,
            state,
            code,
            detail,
        }
    }

    /// A message that is not understood.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        let (code, detail) = ("invalid_request", detail.into());
        Self::Error { code, detail }
    }

    pub(crate) fn to_json(&self) -> String {
        // Texts and numbers alone, which cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// How many tiles may be visible.
pub(crate) const MAX_TILES: usize = 128;
/// How large a message of a client may be.
pub(crate) const MAX_MESSAGE_BYTES: usize = 64 << 10;
const ACK_BYTES: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(tile: u16, stream: &str) -> TileRequest {
        let (stream, fps, scale) = (stream.into(), None, Scale::Full);
        TileRequest {
            tile,
            stream,
            fps,
            scale,
        }
    }

    #[test]
    fn what_clients_say_is_read() {
        let mut small = tile(127, "yard");
        (small.fps, small.scale) = (Some(0.5), Scale::Eighth);
        for (text, message) in [
            (r#"{"type":"ping","id":7}"#, ClientMessage::Ping(7)),
            (
                r#"{"type":"tiles","tiles":[]}"#,
                ClientMessage::Tiles(vec![]),
            ),
            (
                r#"{"tiles":[{"tile":0,"stream":"door","fps":null},
                    {"scale":"eighth","fps":0.5,"stream":"yard","tile":127}],"type":"tiles"}"#,
                ClientMessage::Tiles(vec![tile(0, "door"), small]),
            ),
        ] {
            assert_eq!(ClientMessage::of_text(text), Ok(message), "{text}");
        }
        let ack = [0, 127, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2];
        let (tile, seq) = (127, 258);
        assert_eq!(
            ClientMessage::of_bytes(&ack),
            Ok(ClientMessage::Ack { tile, seq })
        );
    }

    #[test]
    fn what_is_no_message_is_not_understood() {
        for text in [
            "",
            "{}",
            "[]",
            "7",
            r#"{"type":"ping"}"#,
            r#"{"type":"ping","id":-1}"#,
            r#"{"type":"ping","id":1,"more":1}"#,
            r#"{"type":"hello"}"#,
            r#"{"type":"tiles"}"#,
            r#"{"type":"tiles","tiles":{}}"#,
            r#"{"type":"tiles","tiles":[{"tile":0}]}"#,
            r#"{"type":"tiles","tiles":[{"tile":128,"stream":"a"}]}"#,
            r#"{"type":"tiles","tiles":[{"tile":-1,"stream":"a"}]}"#,
            r#"{"type":"tiles","tiles":[{"tile":0,"stream":"a","fps":0}]}"#,
            r#"{"type":"tiles","tiles":[{"tile":0,"stream":"a","fps":-5}]}"#,
            r#"{"type":"tiles","tiles":[{"tile":0,"stream":"a","fps":1e999}]}"#,
            r#"{"type":"tiles","tiles":[{"tile":0,"stream":"a","scale":"half"}]}"#,
            r#"{"type":"tiles","tiles":[{"tile":0,"stream":"a","key":1}]}"#,
            r#"{"type":"tiles","tiles":[{"tile":0,"stream":"a"},{"tile":0,"stream":"b"}]}"#,
        ] {
            assert!(ClientMessage::of_text(text).is_err(), "{text}");
        }
        let deep = "[".repeat(MAX_MESSAGE_BYTES);
        assert!(ClientMessage::of_text(&deep).is_err());
        for bytes in [
            &[][..],
            &[0; 11],
            &[0; 13],
            &[0, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert!(ClientMessage::of_bytes(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn one_tile_too_many_is_refused() {
        let set = |count: u16| {
            let tiles = (0..count).map(|n| format!(r#"{{"tile":{n},"stream":"a"}}"#));
            let tiles = tiles.collect::<Vec<_>>().join(",");
            ClientMessage::of_text(&format!(r#"{{"type":"tiles","tiles":[{tiles}]}}"#))
        };
        assert!(set(128).is_ok());
        assert!(set(129).is_err());
    }

    #[test]
    fn what_the_server_says_is_json() {
        for (message, text) in [
            (
                ServerMessage::Welcome {
                    max_tiles: 128,
                    max_bytes_in_flight: 9,
                },
                r#"{"type":"welcome","max_tiles":128,"max_bytes_in_flight":9}"#,
            ),
            (
                ServerMessage::state(3, "online"),
                r#"{"type":"tile","tile":3,"state":"online"}"#,
            ),
            (ServerMessage::Pong { id: 7 }, r#"{"type":"pong","id":7}"#),
            (
                ServerMessage::invalid("no"),
                r#"{"type":"error","code":"invalid_request","detail":"no"}"#,
            ),
        ] {
            assert_eq!(message.to_json(), text);
        }
    }
}
