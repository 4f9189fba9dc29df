//! The cameras of this machine.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tokio::{sync::Mutex, task::spawn_blocking};

use super::{about::V4l2Device, controls, device::Device, format};

/// Held while the devices are being listed.
static LISTING: Mutex<()> = Mutex::const_new(());

impl V4l2Device {
    /// Does the same as [`all`](Self::all) on a thread that may block. In a process, one listing is
    /// under way at a time, also one whose caller has given up: a driver that hangs holds one
    /// thread.
    ///
    /// # Errors
    ///
    /// If the runtime shuts down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is lost but the list.
    pub async fn list() -> io::Result<Vec<Self>> {
        let place = LISTING.lock().await;
        let listing = spawn_blocking(move || {
            let all = Self::all();
            drop(place);
            all
        });
        Ok(listing.await?)
    }

    /// Finds all cameras of this machine that this process may open. Opens each, and closes it;
    /// that may take seconds, and disturbs no capture that is under way.
    pub fn all() -> Vec<Self> {
        let mut paths: Vec<_> = entries(Path::new("/dev"))
            .filter_map(|path| Some((number(&path)?, path)))
            .collect();
        paths.sort();
        paths.truncate(MOST_DEVICES);
        let stable = stable_paths();
        let devices = paths.into_iter().filter_map(|(_, path)| {
            let device = Device::open(&path).ok()?;
            let own = stable.iter().find(|(_, target)| *target == path);
            Some(Self {
                stable_path: own.map(|(link, _)| link.clone()),
                formats: format::described(&device),
                controls: controls::described(&device),
                path,
                card: device.card,
                driver: device.driver,
                bus: device.bus,
            })
        });
        devices.collect()
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

/// The number of a video device, from its path.
fn number(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?;
    name.strip_prefix("video")?.parse().ok()
}

/// The links below `/dev/v4l/by-id`, and what they lead to.
fn stable_paths() -> Vec<(PathBuf, PathBuf)> {
    let links = entries(Path::new("/dev/v4l/by-id")).take(MOST_LINKS);
    let mut found: Vec<_> = links
        .filter_map(|link| {
            let target = fs::read_link(&link).ok()?;
            Some((link, Path::new("/dev").join(target.file_name()?)))
        })
        .collect();
    found.sort();
    found
}

const MOST_DEVICES: usize = 64;
const MOST_LINKS: usize = 1024;
