//! Server-sent events, read from whoever sends them.

use std::mem;

/// Reads a body as events. Sans IO; each line and each event has at most [`MOST_BYTES`].
#[derive(Debug, Default)]
pub(super) struct EventReader {
    line: Vec<u8>,
    /// The line before ended with a carriage return, so that a line feed belongs to it.
    was_return: bool,
    kind: String,
    data: String,
    id: Option<String>,
    /// What the sender asks of a client that was disconnected, in milliseconds.
    retry_ms: Option<u64>,
}

/// An event that was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SentEvent {
    /// Empty if the sender does not say.
    pub(super) kind: String,
    pub(super) data: String,
}

/// A line or an event has more than [`MOST_BYTES`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl EventReader {
    /// Takes what came, and returns the events that are whole with it.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<SentEvent>, TooLong> {
        let mut events = Vec::new();
        for byte in bytes {
            let after_return = mem::replace(&mut self.was_return, *byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => events.extend(self.end_line()?),
                byte if self.line.len() < MOST_BYTES => self.line.push(*byte),
                _ => return Err(TooLong),
            }
        }
        Ok(events)
    }

    /// The id of the last event, to begin after when one connects again.
    pub(super) fn last_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(super) fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    /// Forgets what was not whole, because the connection has ended.
    pub(super) fn restart(&mut self) {
        self.line.clear();
        self.was_return = false;
        self.kind.clear();
        self.data.clear();
    }

    fn end_line(&mut self) -> Result<Option<SentEvent>, TooLong> {
        let line = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        if line.is_empty() {
            return Ok(self.end_event());
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.kind = value.into(),
            "data" => {
                if self.data.len() + value.len() >= MOST_BYTES {
                    return Err(TooLong);
                }
                self.data += value;
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.id = Some(value.into()),
            "retry" => self.retry_ms = value.parse().ok().or(self.retry_ms),
            // A comment, or what is not known.
            _ => {}
        }
        Ok(None)
    }

    fn end_event(&mut self) -> Option<SentEvent> {
        let (kind, mut data) = (mem::take(&mut self.kind), mem::take(&mut self.data));
        // Without data there is no event.
        data.pop()?;
        Some(SentEvent { kind, data })
    }
}

pub(super) const MOST_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, data: &str) -> SentEvent {
        let (kind, data) = (kind.into(), data.into());
        SentEvent { kind, data }
    }

    const STREAM: &str = ": hello\nretry: 30\nid: 1\n\nid:2\nevent: stream\ndata: {\"a\":\n\
                          data: 1}\n\r\ndata: x\r\rid: 3\ndata\n\nevent: lost\n\ndata: not whole";

    #[test]
    fn events_are_the_same_however_they_come() {
        let expected = [
            event("stream", "{\"a\":\n1}"),
            event("", "x"),
            event("", ""),
        ];
        for size in [1, 2, 7, STREAM.len()] {
            let mut reader = EventReader::default();
            let mut events = Vec::new();
            for chunk in STREAM.as_bytes().chunks(size) {
                events.extend(reader.push(chunk).unwrap());
            }
            assert_eq!(events, expected, "{size}");
            assert_eq!(reader.last_id(), Some("3"));
            assert_eq!(reader.retry_ms(), Some(30));
        }
    }

    #[test]
    fn what_was_cut_off_is_not_part_of_the_next_connection() {
        let mut reader = EventReader::default();
        reader
            .push(b"id: 7\nevent: x\ndata: cut\ndata: in mi")
            .unwrap();
        reader.restart();
        assert_eq!(reader.push(b"data: new\n\n").unwrap(), [event("", "new")]);
        assert_eq!(reader.last_id(), Some("7"));
    }

    #[test]
    fn lines_and_events_are_bounded() {
        let line = |len: usize| [b"data: ", "x".repeat(len - 6).as_bytes(), b"\n"].concat();
        let mut reader = EventReader::default();
        assert!(reader.push(&line(MOST_BYTES)).is_ok());
        assert_eq!(reader.push(&line(MOST_BYTES)), Err(TooLong));
        let mut reader = EventReader::default();
        assert_eq!(reader.push(&line(MOST_BYTES + 1)), Err(TooLong));
        assert_eq!(
            EventReader::default().push(&vec![b'x'; MOST_BYTES + 1]),
            Err(TooLong)
        );
    }
}
