//! Pictures that the program is given by its own callers.

use std::{fmt, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use http::HeaderMap;
use tokio::{io::AsyncRead, sync::oneshot};

use super::{
    feed::open,
    head::PushHead,
    intake::Intake,
    outcome::PushOutcome,
    request::{PushBody, PushRequest},
};
use crate::{
    config::IngestConfig,
    connect::{Connect, Connection},
    contained::Contained,
    error::ConnectError,
    source::bound::Bound,
};

/// Where the pictures of a source `push:` are handed in; from
/// [`Source::inlet`](crate::Source::inlet). (Feature `http-listen`.)
///
/// It belongs to the source and its clones, not to an equal source that was parsed anew.
///
/// ```
/// use mjpeg_ingest::{Push, PushOutcome, Source};
///
/// # async fn example() -> Result<(), mjpeg_ingest::InvalidSource> {
/// let source: Source = "push:".parse()?;
/// let inlet = source.inlet().expect("it is such a source");
/// # let picture: &[u8] = &[];
/// // While an ingest reads the source:
/// let outcome = inlet.push(Push::new(picture)).await;
/// assert!(outcome.is_taken() || outcome == PushOutcome::NotReading);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Inlet(Arc<Intake>);

impl Inlet {
    /// Hands in pictures, and waits until the ingest of the source has read them.
    ///
    /// Who may do so is for the caller to decide. The same rules hold as at `http-listen://`: one
    /// sender at a time, whom another one replaces at its first whole picture when it has been
    /// silent for longer than usual.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a part of the body may have been read. The ingest reads on to the end of
    /// what there is.
    pub async fn push(&self, push: Push) -> PushOutcome {
        let Push { head, sender, body } = push;
        // The same as the intake, but before anything waits.
        match self.0.max_frame_bytes().map(|most| head.check(most)) {
            None => return PushOutcome::NotReading,
            Some(Err(refusal)) => return refusal,
            Some(Ok(())) => {}
        }
        let (answer, answered) = oneshot::channel();
        let body = PushBody::Reader(Contained::new(body));
        self.0.offer(PushRequest::new(head, sender, body, answer));
        match answered.await {
            Ok((_body, outcome)) => outcome,
            // Every request is answered, even if it is dropped.
            Err(_) => PushOutcome::Ended,
        }
    }
}

impl fmt::Debug for Inlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inlet").finish_non_exhaustive()
    }
}

/// A body with pictures: a JPEG image, or a multipart of them. (Feature `http-listen`.)
pub struct Push {
    head: PushHead,
    sender: Option<IpAddr>,
    body: Box<dyn AsyncRead + Send + Unpin>,
}

impl Push {
    /// Makes one of this body. What it holds is told by its first bytes.
    pub fn new(body: impl AsyncRead + Send + Unpin + 'static) -> Self {
        Self {
            head: PushHead::default(),
            sender: None,
            body: Box::new(body),
        }
    }

    /// Sets who sends it: pictures from one address are one sender's. Default: nobody in
    /// particular.
    pub fn with_sender(mut self, sender: IpAddr) -> Self {
        self.sender = Some(sender);
        self
    }

    /// Sets what the headers of a request say of it: type, length, coding, times, relays. Default:
    /// nothing.
    pub fn with_headers(mut self, headers: &HeaderMap) -> Self {
        self.head = PushHead::read(headers);
        self
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push")
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

/// The source `push:`.
#[derive(Debug, Default)]
pub(in crate::source) struct PushSource {
    intake: Arc<Intake>,
    open: Bound<super::intake::OpenIntake>,
}

impl PushSource {
    pub(in crate::source) fn inlet(&self) -> Inlet {
        Inlet(Arc::clone(&self.intake))
    }
}

#[async_trait]
impl Connect for PushSource {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        self.connect_within(&IngestConfig::default()).await
    }

    async fn connect_within(&self, config: &IngestConfig) -> Result<Connection, ConnectError> {
        let opened = self
            .open
            .get_or(|| Ok(self.intake.open(config.splitter())))?;
        let connection = open(Arc::clone(&self.intake), config).await;
        Ok(connection.keeping(opened))
    }

    fn is_passive(&self) -> bool {
        true
    }
}
