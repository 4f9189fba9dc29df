//! Pictures of the operator's own.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use mjpeg_manager::mjpeg_codec::{Frame, repair::Repairs};

use crate::config::files::shown;

/// Pictures that were read already: streams that share one share its memory.
#[derive(Default)]
pub(super) struct PlaceholderPictures(HashMap<PathBuf, Frame>);

impl PlaceholderPictures {
    /// Reads a picture.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is no JPEG picture.
    pub(super) fn read(&mut self, path: &Path) -> Result<Frame, String> {
        if let Some(frame) = self.0.get(path) {
            return Ok(frame.clone());
        }
        let shown = shown(path);
        let bytes = read(path).map_err(|error| {
            format!("cannot read {shown}: {error} (\"drawn\" and \"none\" need no file)")
        })?;
        let frame = Frame::parse(bytes);
        let frame = frame.map_err(|error| format!("{shown} is no JPEG picture: {error}"))?;
        let frame = frame.repaired(Repairs::RECOMMENDED).0;
        self.0.insert(path.into(), frame.clone());
        Ok(frame)
    }
}

/// Reads a file of limited size. A pipe or a device would have no end.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("larger than 16 MiB"));
    }
    Ok(bytes)
}

/// The largest picture of the operator's own: no larger than one of a camera.
const MOST_BYTES: u64 = 16 << 20;
