//! What a camera does on one connection.

use std::time::Duration;

use bytes::Bytes;

/// One thing a [`Camera`](crate::Camera) does on a connection.
#[derive(Debug, Clone)]
pub enum Step {
    /// Sends these bytes. Waits while the client does not read.
    Send(Bytes),
    /// Does nothing for this long.
    Wait(Duration),
    /// Keeps the connection open without sending, until the client leaves or the camera is shut
    /// down.
    Stall,
    /// Closes the connection gracefully (FIN), after all bytes sent.
    Close,
    /// Resets the connection (RST): the client gets an error, and may lose bytes it has not read.
    Reset,
    /// Continues with the step of this index, every time.
    Goto(usize),
}

/// The steps that a [`Camera`](crate::Camera) plays on each connection, from the first one. After
/// the last step it closes the connection.
#[derive(Debug, Clone)]
pub struct Script(Vec<Step>);

impl Script {
    /// Plays exactly these steps.
    ///
    /// # Panics
    ///
    /// If a [`Step::Goto`] points past the last step.
    #[must_use]
    pub fn new(steps: Vec<Step>) -> Self {
        for step in &steps {
            if let Step::Goto(index) = step {
                assert!(
                    *index < steps.len(),
                    "Goto({index}) leads nowhere, the script has {} steps",
                    steps.len()
                );
            }
        }
        Self(steps)
    }

    /// Sends all frames at once, then stalls.
    #[must_use]
    pub fn frames(frames: impl IntoIterator<Item = Bytes>) -> Self {
        let mut steps: Vec<Step> = frames.into_iter().map(Step::Send).collect();
        steps.push(Step::Stall);
        Self(steps)
    }

    /// Sends one frame per `interval`, and starts over after the last, indefinitely.
    ///
    /// # Panics
    ///
    /// If there are no frames.
    #[must_use]
    pub fn live(frames: Vec<Bytes>, interval: Duration) -> Self {
        assert!(!frames.is_empty(), "a live camera needs frames");
        let mut steps: Vec<Step> = frames
            .into_iter()
            .flat_map(|frame| [Step::Send(frame), Step::Wait(interval)])
            .collect();
        steps.push(Step::Goto(0));
        Self(steps)
    }

    /// Accepts the connection and sends nothing.
    #[must_use]
    pub fn stall() -> Self {
        Self(vec![Step::Stall])
    }

    /// Closes at once.
    #[must_use]
    pub fn close() -> Self {
        Self(vec![Step::Close])
    }

    /// Sends random bytes indefinitely, about 140 kB per second. They depend on `seed`, repeat
    /// after 94 kB, and may contain JPEG markers.
    #[must_use]
    pub fn garbage(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let chunks = (0..64).map(|_| {
            let mut chunk = vec![0; 1460];
            random.fill(&mut chunk);
            Bytes::from(chunk)
        });
        Self::live(chunks.collect(), Duration::from_millis(10))
    }

    pub(crate) fn step(&self, index: usize) -> Option<&Step> {
        self.0.get(index)
    }
}
