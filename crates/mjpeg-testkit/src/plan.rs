//! What a camera does on a connection: play a script, or answer requests.

use std::sync::Arc;

use crate::script::{Script, Step};

/// A request that an [`FakeHttpCamera`](crate::FakeHttpCamera) received.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    /// The index of its connection: 0, 1, 2 and so on.
    pub connection: usize,
    /// Its head as received, with the empty line.
    pub head: String,
}

impl ReceivedRequest {
    pub(crate) fn new(connection: usize, head: String) -> Self {
        Self { connection, head }
    }

    /// The first word of the first line.
    #[must_use]
    pub fn method(&self) -> &str {
        self.head.split(' ').next().unwrap_or_default()
    }

    /// The request target: the second word of the first line.
    #[must_use]
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of the first header of this name, compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Decides which steps answer a request.
pub(crate) type Answers = Arc<dyn Fn(&ReceivedRequest) -> Vec<Step> + Send + Sync>;

/// What a camera does on a connection.
#[derive(Clone)]
pub(crate) enum Plan {
    Play(Script),
    Answer(Answers),
}
