//! The requests of a connection, which hyper gives out as futures.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use hyper::rt::Executor;
use tokio::time::Instant;

use crate::{
    closing::{Closer, Closing},
    server::{
        context::Context,
        http2::{body::BodyProgress, bounds::Bounds},
    },
};

/// A request that is being answered, until its response is sent or cut.
pub(super) type RunningRequest = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a connection, its service and its executor share.
pub(super) struct Requests {
    state: Mutex<RequestsState>,
    had_request: AtomicBool,
    has_viewer: AtomicBool,
    /// Announces that all but viewers are cut.
    others_cut: Closer,
}

#[derive(Default)]
struct RequestsState {
    /// The listener, until it ends.
    context: Option<Arc<Context>>,
    /// The request that the service was called with last. hyper gives out its future next.
    called: Option<Arc<RequestState>>,
    new: Vec<RunningRequest>,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            had_request: AtomicBool::new(false),
            has_viewer: AtomicBool::new(false),
            others_cut: Closer::new(),
        }
    }
}

impl Requests {
    pub(super) fn attach(&self, context: Arc<Context>) {
        self.lock().context = Some(context);
    }

    /// Lets go of the listener.
    pub(super) fn release(&self) {
        let context = self.lock().context.take();
        // Not under the lock: this may drop streams.
        drop(context);
    }

    /// The listener; `None` once it has ended.
    pub(super) fn context(&self) -> Option<Arc<Context>> {
        self.lock().context.clone()
    }

    /// Begins a request.
    pub(super) fn begin(&self) -> Arc<RequestState> {
        self.had_request.store(true, Ordering::Relaxed);
        let request = Arc::new(RequestState {
            progress: Arc::new(BodyProgress::new(Instant::now())),
            bounds: Mutex::default(),
        });
        self.lock().called = Some(Arc::clone(&request));
        request
    }

    /// Whether any request has come.
    pub(super) fn had_request(&self) -> bool {
        self.had_request.load(Ordering::Relaxed)
    }

    pub(super) fn note_viewer(&self) {
        self.has_viewer.store(true, Ordering::Relaxed);
    }

    /// Whether a viewer has come.
    pub(super) fn has_viewer(&self) -> bool {
        self.has_viewer.load(Ordering::Relaxed)
    }

    /// Cuts all requests but those of viewers.
    pub(super) fn cut_others(&self) {
        self.others_cut.close();
    }

    /// Takes the requests that have come since the last call.
    pub(super) fn take_new(&self) -> Vec<RunningRequest> {
        std::mem::take(&mut self.lock().new)
    }

    fn lock(&self) -> MutexGuard<'_, RequestsState> {
        // Nothing under this lock can panic and leave half a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes hyper's futures for the connection's own task to run: tasks of their own would outlive it.
#[derive(Clone)]
pub(super) struct RequestsExecutor(pub(super) Arc<Requests>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for RequestsExecutor {
    fn execute(&self, response: F) {
        let others_cut = self.0.others_cut.closing();
        let mut state = self.0.lock();
        // Only an upgraded connection has none, and none is upgraded.
        if let Some(request) = state.called.take() {
            state.new.push(Box::pin(run(response, request, others_cut)));
        }
    }
}

/// Sends a response until it ends or must be cut. Dropping hyper's future resets its stream.
async fn run(response: impl Future<Output = ()>, request: Arc<RequestState>, others_cut: Closing) {
    let bounds_passed = async {
        let bounds = poll_fn(|_| match request.lock().take() {
            Some(bounds) => Poll::Ready(bounds),
            None => Poll::Pending,
        });
        bounds.await.passed(&request.progress, others_cut).await;
    };
    tokio::select! {
        biased;
        () = response => {}
        () = bounds_passed => {}
    }
}

/// What is known about a request.
pub(super) struct RequestState {
    pub(super) progress: Arc<BodyProgress>,
    /// Set when it is known what it is answered with.
    bounds: Mutex<Option<Bounds>>,
}

impl RequestState {
    /// Sets what bounds the sending of the response.
    pub(super) fn bound(&self, bounds: Bounds) {
        *self.lock() = Some(bounds);
    }

    /// Sets it unless it is set.
    pub(super) fn bound_if_unbound(&self, bounds: impl FnOnce() -> Bounds) {
        self.lock().get_or_insert_with(bounds);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Bounds>> {
        self.bounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
