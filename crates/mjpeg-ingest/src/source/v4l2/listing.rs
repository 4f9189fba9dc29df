//! The cameras of this machine.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{about::V4l2Device, controls, device::Device, format};

impl V4l2Device {
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
