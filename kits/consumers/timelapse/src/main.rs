//! Uses only mjpeg-timelapse, and mjpeg-mux for the format: keeps two frames, and makes an AVI.

use std::time::{Duration, UNIX_EPOCH};

use mjpeg_mux::ClipFormat;
use mjpeg_timelapse::{Error, TimelapseFrame, TimelapsePace, TimelapseSpec, TimelapseStore};

fn main() -> Result<(), Error> {
    let folder = std::env::temp_dir().join(format!("consumer-timelapse-{}", std::process::id()));
    let store = TimelapseStore::open(&folder, 1 << 20)?;
    let noon = UNIX_EPOCH + Duration::from_secs(1_795_867_200);
    let id = store.create(&TimelapseSpec::new("garage"), noon)?.id;
    for jpeg in ["not a real JPEG", "neither is this"] {
        store.append(&id, &TimelapseFrame::new(jpeg.into(), noon, 64, 48))?;
    }
    let mut movie = store.movie(&id, ClipFormat::Avi, TimelapsePace::Fps(25))?;
    let stated = movie.content_length();
    let mut written = 0;
    while let Some(piece) = movie.next_piece()? {
        written += piece.len() as u64;
    }
    assert_eq!(stated, Some(written));
    store.delete(&id)?;
    drop(store);
    let _ = std::fs::remove_dir_all(folder);
    Ok(())
}
