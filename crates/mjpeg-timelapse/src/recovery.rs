//! What a job's files hold after any end of the program that wrote them.

use std::io;

use crate::{
    limits::{MAX_BATCH_FRAMES, MAX_FRAME_BYTES, MAX_FRAMES},
    read_at::ReadAt,
    record::{IndexRecord, IndexWindow, RECORD_BYTES},
};

/// What a job has on the disk. What the files have beyond that is to be cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recovered {
    /// The frames that were kept.
    pub(crate) frames: u64,
    /// Where the data of the next frame begins.
    pub(crate) data_bytes: u64,
    /// When the first frame was taken, in microseconds since 1970.
    pub(crate) first_us: Option<u64>,
    /// When the last frame was taken, in microseconds since 1970.
    pub(crate) last_us: Option<u64>,
}

/// Finds what was kept. `None` if the index has more records than a job can have.
///
/// A frame is written only after the frame before it is safe on the disk, first its data, then its
/// record. So whatever ended the program, at most one record is torn, and at most one frame's data
/// has no record: they are cut off. If more is wrong, then the disk has lost something. Then
/// nothing is cut off, because what is there may be of use: unreadable records keep their places
/// as damaged frames, and new frames come after them.
///
/// In a job with batches, a batch stands for a frame. It has no more bytes than a frame can have,
/// but more records.
pub(crate) fn recover(
    index: &impl ReadAt,
    index_bytes: u64,
    data_bytes: u64,
    has_batches: bool,
) -> io::Result<Option<Recovered>> {
    let whole = index_bytes / RECORD_BYTES;
    if whole > MAX_FRAMES {
        return Ok(None);
    }
    let mut window = IndexWindow::default();
    let mut usable = |frames: u64| -> io::Result<Option<IndexRecord>> {
        let Some(number) = frames.checked_sub(1) else {
            return Ok(None);
        };
        let record = window.get(index, number)?;
        Ok(record.filter(|record| record.end() <= data_bytes))
    };
    let first = usable(whole.min(1))?;
    let most_torn = if has_batches {
        MAX_BATCH_FRAMES as u64
    } else {
        1
    };
    for frames in (whole.saturating_sub(most_torn)..=whole).rev() {
        let last = usable(frames)?;
        let end = last.map_or(0, |record| record.end());
        let is_torn = data_bytes - end <= MAX_FRAME_BYTES as u64;
        if last.is_some() || frames == 0 {
            let data_bytes = if is_torn { end } else { data_bytes };
            let first = first.filter(|first| frames > 0 && first.end() <= data_bytes);
            return Ok(Some(Recovered {
                frames,
                data_bytes,
                first_us: first.map(|first| first.at_us),
                last_us: last.map(|record| record.at_us),
            }));
        }
    }
    Ok(Some(Recovered {
        frames: whole,
        data_bytes,
        first_us: first.map(|first| first.at_us),
        last_us: None,
    }))
}
