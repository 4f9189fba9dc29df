//! What a camera does on one connection.

use std::time::Duration;

use bytes::Bytes;

/// One thing a [`Camera`](crate::Camera) does on a connection.
#[derive(Debug, Clone)]
pub enum Step {
    /// Sends these bytes, waiting for as long as the client does not read them.
    Send(Bytes),
    /// Does nothing for this long.
    Wait(Duration),
    /// Keeps the connection open and sends nothing more, until the client leaves or the camera is shut down.
    Stall,
    /// Closes the connection in order (FIN), behind all that was sent.
    Close,
    /// Breaks the connection off (RST): the client gets an error, and may lose what it has not read yet.
    Reset,
    /// Goes on with the step of this index, each time.
    Goto(usize),
}

/// The steps a [`Camera`](crate::Camera) plays from the first one on each connection. Where they run out, it closes.
#[derive(Debug, Clone)]
pub struct Script(Vec<Step>);

impl Script {
    /// Takes the steps as they are.
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

    /// Sends one frame per `interval` and starts over after the last, for ever.
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

    /// Accepts and then says nothing.
    #[must_use]
    pub fn stall() -> Self {
        Self(vec![Step::Stall])
    }

    /// Closes at once.
    #[must_use]
    pub fn close() -> Self {
        Self(vec![Step::Close])
    }

    /// Sends random bytes for ever, about 140 kB a second; after 94 kB they repeat. They are what `seed` makes them:
    /// JPEG markers may be among them.
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
