//! A camera that sends one picture again and again, and a relay of it.

use std::{
    io::Write as _,
    net::IpAddr,
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Result;
use kit::{
    camera::Camera,
    relay::{self, Relay},
};

use super::corners;

/// What the camera sends, and what the relay is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Case {
    /// The value of Exif's tag that a viewer gets.
    pub(super) value: u8,
    pub(super) form: Form,
}

/// Who says it, and where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The relay: behind JFIF's segment.
    Relay,
    /// The relay, and the camera's own Exif segment, which has no such tag, follows.
    TwoSegments,
    /// The camera: before JFIF's segment.
    BeforeJfif,
}

impl Case {
    fn picture(self) -> Result<Vec<u8>> {
        let plain = corners::plain()?;
        Ok(match self.form {
            Form::Relay => plain,
            Form::TwoSegments => corners::with_exif(&plain, None, true),
            Form::BeforeJfif => corners::with_exif(&plain, Some(self.value), false),
        })
    }

    fn relay_args(self) -> &'static [&'static str] {
        match (self.form, self.value) {
            (Form::BeforeJfif, _) => &[],
            (_, 2) => &["--mirror"],
            (_, 3) => &["--rotate=180"],
            (_, 4) => &["--rotate=180", "--mirror"],
            (_, 5) => &["--rotate=90", "--mirror"],
            (_, 6) => &["--rotate=90"],
            (_, 7) => &["--rotate=270", "--mirror"],
            (_, 8) => &["--rotate=270"],
            _ => &[],
        }
    }
}

/// A running camera and its relay.
pub(super) struct Scene {
    pub(super) relay: Relay,
    picture: Arc<Mutex<Vec<u8>>>,
    has_ended: Arc<AtomicBool>,
}

impl Scene {
    pub(super) async fn new(ip: IpAddr, program: &Path, case: Case) -> Result<Self> {
        let camera = Camera::listen(ip)?;
        let addr = camera.addr()?;
        let picture = Arc::new(Mutex::new(case.picture()?));
        let has_ended = Arc::new(AtomicBool::new(false));
        let (shared, ended) = (picture.clone(), has_ended.clone());
        thread::spawn(move || {
            let mut relay = camera.accept()?;
            while !ended.load(Ordering::Relaxed) {
                let picture = shared
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                relay.write_all(&picture)?;
                #[allow(clippy::disallowed_methods, reason = "a thread of its own")]
                thread::sleep(INTERVAL);
            }
            anyhow::Ok(())
        });
        let mut command = Command::new(program);
        command
            .args(["--log", "error", "run", "--placeholder", "none", "--stream"])
            .arg(relay::stream("s", addr, &ip.to_string()))
            .args(case.relay_args());
        let relay = Relay::start(&mut command).await?;
        Ok(Self {
            relay,
            picture,
            has_ended,
        })
    }

    /// From now on the camera sends the picture with this value of Exif's tag, behind JFIF's
    /// segment.
    pub(super) fn send(&self, value: u8) -> Result<()> {
        let picture = corners::with_exif(&corners::plain()?, Some(value), true);
        *self.picture.lock().unwrap_or_else(PoisonError::into_inner) = picture;
        Ok(())
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.relay.addr)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }
}

const INTERVAL: Duration = Duration::from_millis(200);
