//! For how long a connection may be used.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use mjpeg_codec::FrameId;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// The right to use a connection until an instant that its [holder](TenureHolder) extends.
///
/// Where several programs may read a camera and only one at a time does, each gets a tenure with a
/// greater epoch than the one before. Set it with
/// [`Connection::with_tenure`](crate::Connection::with_tenure). Clones are the same tenure.
///
/// ```
/// use std::time::Duration;
/// use mjpeg_ingest::Tenure;
/// use tokio::time::Instant;
///
/// let now = Instant::now();
/// let (holder, tenure) = Tenure::new(7, now + Duration::from_secs(2));
/// assert!(holder.extend(now + Duration::from_secs(5)));
/// assert!(tenure.is_open(now + Duration::from_secs(4)));
/// drop(holder);
/// assert!(!tenure.is_open(now));
/// ```
#[derive(Clone)]
pub struct Tenure(Arc<TenureShared>);

/// Extends a [`Tenure`], and ends it when dropped.
pub struct TenureHolder(Arc<TenureShared>);

/// Something that is open in a tenure.
pub(crate) struct TenureUse(Arc<TenureShared>);

struct TenureShared {
    epoch: AtomicU64,
    /// `None` when it has ended.
    until: watch::Sender<Option<Instant>>,
    /// How many connections, and attempts to make one, are open.
    uses: watch::Sender<usize>,
    /// How many frames were given a number.
    seq: AtomicU64,
}

impl Tenure {
    /// Begins a tenure. It ends at this instant unless it is extended before.
    pub fn new(epoch: u64, until: Instant) -> (TenureHolder, Self) {
        let shared = Arc::new(TenureShared {
            epoch: AtomicU64::new(epoch),
            until: watch::Sender::new(Some(until)),
            uses: watch::Sender::new(0),
            seq: AtomicU64::new(0),
        });
        (TenureHolder(Arc::clone(&shared)), Self(shared))
    }

    /// The epoch of its frames from now on.
    pub fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    /// When it ends unless it is extended; `None` if its holder has ended it.
    pub fn until(&self) -> Option<Instant> {
        *self.0.until.borrow()
    }

    /// Whether the connection may be used at this instant.
    pub fn is_open(&self, now: Instant) -> bool {
        self.0.until.borrow().is_some_and(|until| now < until)
    }

    /// Waits until it has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn ended(&self) {
        let mut changes = self.0.until.subscribe();
        loop {
            let until = *changes.borrow_and_update();
            let Some(until) = until.filter(|until| Instant::now() < *until) else {
                return;
            };
            tokio::select! {
                // The sender lives in `self`.
                _ = changes.changed() => {}
                () = sleep_until(until) => {}
            }
        }
    }

    /// Counts something that is open until this is dropped.
    pub(crate) fn begin_use(&self) -> TenureUse {
        self.0.uses.send_modify(|uses| *uses += 1);
        TenureUse(Arc::clone(&self.0))
    }

    /// Names the next frame.
    pub(crate) fn next_id(&self) -> FrameId {
        FrameId {
            epoch: self.0.epoch(),
            seq: self.0.seq.fetch_add(1, Ordering::Relaxed) + 1,
        }
    }
}

impl TenureHolder {
    /// Extends the tenure to this instant. An earlier one changes nothing: drop the holder to end
    /// the tenure.
    ///
    /// Returns whether it is open. One that has ended, be it for a moment, stays so: somebody else
    /// may have the camera.
    pub fn extend(&self, until: Instant) -> bool {
        let now = Instant::now();
        let mut is_open = false;
        self.0.until.send_if_modified(|current| {
            let before = *current;
            *current = before.filter(|end| now < *end).map(|end| end.max(until));
            is_open = current.is_some();
            *current != before
        });
        is_open
    }

    /// Waits until the tenure has ended and none of its connections is open any more: the other
    /// side can know. At once if there was none. It goes on when the holder is dropped.
    ///
    /// A connection that is still being made counts if
    /// [`Connection::in_tenure`](crate::Connection::in_tenure) makes it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        let tenure = Tenure(Arc::clone(&self.0));
        async move {
            tenure.ended().await;
            let mut uses = tenure.0.uses.subscribe();
            // The sender lives in `tenure`.
            let _ = uses.wait_for(|uses| *uses == 0).await;
        }
    }

    /// The epoch of the tenure at present.
    pub fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    /// Goes on in a later epoch: the connections stay, and the frames after this are of that epoch.
    /// An earlier one changes nothing. For a holder that has asked for the right again and got it
    /// while nobody else could.
    ///
    /// Returns whether the tenure is open.
    pub fn renew(&self, epoch: u64) -> bool {
        self.0.epoch.fetch_max(epoch, Ordering::Relaxed);
        let until = *self.0.until.borrow();
        until.is_some_and(|until| Instant::now() < until)
    }
}

impl TenureShared {
    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }
}

impl Drop for TenureUse {
    fn drop(&mut self) {
        self.0.uses.send_modify(|uses| *uses -= 1);
    }
}

impl Drop for TenureHolder {
    fn drop(&mut self) {
        self.0.until.send_replace(None);
    }
}

impl fmt::Debug for Tenure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenure")
            .field("epoch", &self.0.epoch())
            .field("until", &self.until())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TenureHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenureHolder")
            .field("epoch", &self.0.epoch())
            .finish_non_exhaustive()
    }
}
