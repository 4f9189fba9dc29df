//! One tile of a wall, and what it waits for.

use std::{future::Future, pin::Pin, sync::Arc};

use mjpeg_manager::{
    mjpeg_fanout::Published,
    mjpeg_http::{StreamWatcher, WatchEnd, WatchRefusal, WatchRequest},
};
use tokio::sync::oneshot;

use super::{
    end::problem,
    message::{Scale, TileRequest},
    picture::TilePicture,
    stats::WallCounters,
    walls::Walls,
};
use crate::{caller::ApiCaller, error::Error, state::ApiState};

/// A tile that is visible.
pub(crate) struct Tile {
    /// As the client calls it.
    pub(crate) stream: String,
    /// The stream's own name.
    pub(crate) name: String,
    pub(crate) fps: Option<f64>,
    pub(crate) scale: Scale,
    pub(crate) phase: TilePhase,
    /// Tells one use of a number from the next.
    pub(crate) generation: u64,
    /// The state of which the client was told last.
    pub(crate) told: Option<&'static str>,
    /// Calls back its viewer, from the future that has it; so does dropping this.
    recall: Option<oneshot::Sender<()>>,
}

/// What a tile waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TilePhase {
    /// To be admitted.
    Admission,
    /// For a frame.
    Frame,
    /// For its turn to send one.
    Turn,
    /// For the ack of the frame in flight.
    Ack,
    /// For nothing: it was refused, or has ended.
    Over,
}

/// What happened to a tile.
pub(crate) enum TileEvent {
    Admitted(TileViewer),
    Refused(Error),
    /// A frame is due.
    Due(TileViewer),
    /// It was called back.
    Back(TileViewer),
    /// The picture that it is to send is made.
    Made(TileViewer, Arc<Published>, TilePicture),
    Ended(WatchEnd),
    /// It was removed before it was admitted.
    Removed,
}

impl TileEvent {
    /// Whether it is the answer to the question for a viewer.
    pub(crate) fn ends_admission(&self) -> bool {
        matches!(self, Self::Admitted(_) | Self::Refused(_) | Self::Removed)
    }
}

/// A tile's number, generation, and what happened to it.
pub(crate) type Happened = (u16, u64, TileEvent);
pub(crate) type TileFuture = Pin<Box<dyn Future<Output = Happened> + Send>>;

/// A viewer of a tile's stream.
pub(crate) struct TileViewer {
    pub(crate) watcher: StreamWatcher,
    _counted: CountedTile,
}

/// Counts a tile that shows a stream for as long as it does.
struct CountedTile(Arc<WallCounters>);

impl CountedTile {
    fn new(walls: &Walls) -> Self {
        walls.counters().tiles.add(1);
        Self(Arc::clone(walls.counters()))
    }
}

impl Drop for CountedTile {
    fn drop(&mut self) {
        self.0.tiles.take_one();
    }
}

impl Tile {
    pub(crate) fn new(request: TileRequest, name: String, generation: u64) -> Self {
        Self {
            stream: request.stream,
            name,
            fps: request.fps,
            scale: request.scale,
            phase: TilePhase::Admission,
            generation,
            told: None,
            recall: None,
        }
    }

    /// Calls its viewer back.
    pub(crate) fn recall(&mut self) {
        self.recall = None;
    }

    /// Asks for a viewer.
    pub(crate) fn admit(
        &mut self,
        number: u16,
        state: Arc<ApiState>,
        caller: Arc<ApiCaller>,
    ) -> TileFuture {
        let (recall, mut recalled) = oneshot::channel::<()>();
        self.recall = Some(recall);
        let (generation, name, fps) = (self.generation, self.name.clone(), self.fps);
        Box::pin(async move {
            let event = tokio::select! {
                _ = &mut recalled => TileEvent::Removed,
                admitted = admitted(&state, &caller, &name, fps) => match admitted {
                    Ok(viewer) => TileEvent::Admitted(viewer),
                    Err(error) => TileEvent::Refused(error),
                },
            };
            (number, generation, event)
        })
    }

    /// Waits until a frame is due.
    pub(crate) fn until_due(&mut self, number: u16, mut viewer: TileViewer) -> TileFuture {
        let (recall, recalled) = oneshot::channel::<()>();
        self.recall = Some(recall);
        let (generation, scale) = (self.generation, self.scale);
        Box::pin(async move {
            let due = tokio::select! {
                biased;
                _ = recalled => None,
                due = viewer.watcher.due() => Some(due),
            };
            if scale != Scale::Full
                && let Some(frame) = viewer.watcher.newest()
            {
                // So that it is there when the tile's turn comes.
                TilePicture::of(&frame, scale).await;
            }
            let event = match due {
                None => TileEvent::Back(viewer),
                Some(Ok(())) => TileEvent::Due(viewer),
                Some(Err(end)) => TileEvent::Ended(end),
            };
            (number, generation, event)
        })
    }

    /// Makes the picture that is to be sent.
    pub(crate) fn make(
        &mut self,
        number: u16,
        viewer: TileViewer,
        frame: Arc<Published>,
    ) -> TileFuture {
        let (generation, scale) = (self.generation, self.scale);
        Box::pin(async move {
            let picture = TilePicture::of(&frame, scale).await;
            (number, generation, TileEvent::Made(viewer, frame, picture))
        })
    }

    /// Waits until the viewer is called back, for its turn or because its frame has arrived.
    pub(crate) fn until_recalled(&mut self, number: u16, mut viewer: TileViewer) -> TileFuture {
        let (recall, recalled) = oneshot::channel::<()>();
        self.recall = Some(recall);
        let generation = self.generation;
        Box::pin(async move {
            let end = tokio::select! {
                biased;
                end = viewer.watcher.ended() => Some(end),
                _ = recalled => None,
            };
            let event = match end {
                Some(end) => TileEvent::Ended(end),
                None => TileEvent::Back(viewer),
            };
            (number, generation, event)
        })
    }
}

/// Asks for a viewer of a stream. Whoever may not see the stream is told that there is none.
async fn admitted(
    state: &ApiState,
    caller: &ApiCaller,
    name: &str,
    fps: Option<f64>,
) -> Result<TileViewer, Error> {
    let service = state.http.service(name).ok_or_else(Error::not_found)?;
    let request = WatchRequest::new("wall").with_fps(fps);
    match service.watch(caller.inquiry(), &request).await {
        Ok(watcher) => Ok(TileViewer {
            watcher,
            _counted: CountedTile::new(&state.walls),
        }),
        Err(refusal @ WatchRefusal::Denied(_)) if caller.may_see(name).await.is_ok() => {
            Err(problem(&refusal))
        }
        Err(WatchRefusal::Denied(_)) => Err(Error::not_found()),
        Err(refusal) => Err(problem(&refusal)),
    }
}
