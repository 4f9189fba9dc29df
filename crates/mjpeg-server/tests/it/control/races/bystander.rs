//! A viewer of a stream that nobody changes.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use mjpeg_testkit::{Viewer, jpeg};
use tokio::task::JoinHandle;

/// Watches until it is ended.
pub(super) struct Bystander {
    task: JoinHandle<()>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    missed: AtomicU32,
    is_ending: AtomicBool,
}

impl Bystander {
    pub(super) async fn open(addr: SocketAddr) -> Self {
        let path = "/watched/?dual_final_frames=0";
        let mut viewer = Viewer::open(addr, path).await.expect("a connection");
        let state = Arc::new(State::default());
        let task = tokio::spawn({
            let state = Arc::clone(&state);
            async move {
                let mut last: Option<u32> = None;
                while !state.is_ending.load(Ordering::Relaxed) {
                    let frame = viewer.next_frame().await.expect("a response");
                    let frame = frame.expect("the response goes on");
                    let number = jpeg::number_of(&frame).expect("a number");
                    let missed = last.map_or(0, |last| (number + FRAMES - last - 1) % FRAMES);
                    state.missed.fetch_add(missed, Ordering::Relaxed);
                    last = Some(number);
                }
            }
        });
        Self { task, state }
    }

    /// Checks what was seen so far.
    pub(super) fn check(&self) {
        assert!(
            !self.task.is_finished(),
            "the bystander's response has ended"
        );
        assert_eq!(
            self.state.missed.load(Ordering::Relaxed),
            0,
            "frames were lost"
        );
    }

    /// Checks what was seen up to the next frame, and ends.
    pub(super) async fn end(self) {
        self.state.is_ending.store(true, Ordering::Relaxed);
        self.task.await.expect("the response goes on");
        assert_eq!(
            self.state.missed.load(Ordering::Relaxed),
            0,
            "frames were lost"
        );
    }
}

/// How many different frames the camera sends.
pub(super) const FRAMES: u32 = 100;
