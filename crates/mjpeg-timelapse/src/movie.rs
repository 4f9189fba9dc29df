//! Movies of jobs.

use std::{fmt, time::Duration};

use bytes::Bytes;
use mjpeg_mux::{ClipFormat, ClipPlan, MuxFrame, MuxStep, Muxer};

use crate::{
    clock::time, error::Error, job_reader::JobReader, record::IndexRecord, spec::check_fps,
};

/// At which times a movie shows its frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimelapsePace {
    /// As many frames a second, from [`TimelapseSpec::MIN_FPS`] to [`TimelapseSpec::MAX_FPS`].
    ///
    /// [`TimelapseSpec::MIN_FPS`]: crate::TimelapseSpec::MIN_FPS
    /// [`TimelapseSpec::MAX_FPS`]: crate::TimelapseSpec::MAX_FPS
    Fps(u32),
    /// Each frame at the time at which it was taken. A frame that seems to be earlier than the one
    /// before it, because the clock was set back, is shown right after that one. Such a movie has
    /// at most [`ClipPlan::MAX_SPAN`] (31 days).
    TrueTimes,
}

/// The movie of a job, made piece by piece while it is read. It shows the frames that were kept
/// when it was asked for, whether the job goes on, ends or is deleted in the meantime.
///
/// # Memory
///
/// It holds 16 bytes per frame, one frame, and what a [`Muxer`] needs.
pub struct TimelapseMovie {
    muxer: Muxer,
    reader: JobReader,
    /// The number of the frame that is read next, and that of the first one after the movie.
    next: u64,
    end: u64,
    missing: u64,
}

impl TimelapseMovie {
    /// Makes the movie of the first `frames` frames.
    pub(crate) fn new(
        mut reader: JobReader,
        frames: u64,
        format: ClipFormat,
        pace: TimelapsePace,
    ) -> Result<Self, Error> {
        if let TimelapsePace::Fps(fps) = pace {
            check_fps(fps)?;
        }
        let mut plan = None;
        let mut missing = 0;
        let mut at = Duration::ZERO;
        for number in 0..frames {
            let Some(record) = reader.record(number).map_err(Error::io(READ))? else {
                missing += 1;
                continue;
            };
            let plan = plan.get_or_insert_with(|| {
                ClipPlan::new(time(record.at_us), record.width, record.height)
            });
            at = match pace {
                TimelapsePace::Fps(fps) => shown_at(plan.len() as u64, fps),
                TimelapsePace::TrueTimes => at.max(Duration::from_micros(record.at_us)),
            };
            plan.push(at, record.length as usize)?;
        }
        let plan = plan.ok_or(mjpeg_mux::Error::NoFrame)?;
        Ok(Self {
            muxer: Muxer::new(format, plan)?,
            reader,
            next: 0,
            end: frames,
            missing,
        })
    }

    /// Returns the length of the file in bytes, if it is known before the frames are read: only
    /// that of an AVI is.
    pub fn content_length(&self) -> Option<u64> {
        self.muxer.content_length()
    }

    /// Returns how many frames the movie has been found to lack so far, because they were damaged
    /// on the disk.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// Returns the next piece of the file: a frame, or at most about 64 KiB of other bytes. `None`
    /// is the end of the file. It reads from the disk, and so may block.
    ///
    /// A frame that is damaged is left out; an AVI shows the one before it for longer.
    ///
    /// # Errors
    ///
    /// The index cannot be read any more. The file then stays incomplete.
    pub fn next_piece(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            match self.muxer.poll() {
                MuxStep::Write(bytes) => return Ok(Some(bytes)),
                MuxStep::NeedsFrame(_) => {
                    let frame = self.next_frame()?;
                    // One whose record was damaged since the plan was made has another length.
                    if frame.is_none() || self.muxer.push(frame).is_err() {
                        self.missing += 1;
                        self.muxer.push(None)?;
                    }
                }
                _ => return Ok(None),
            }
        }
    }

    /// Reads the next frame that was planned.
    fn next_frame(&mut self) -> Result<Option<MuxFrame>, Error> {
        let Some(record) = self.next_record()? else {
            return Ok(None);
        };
        let frame = self.reader.frame(&record);
        Ok(frame.map(|frame| MuxFrame::new(frame.jpeg, frame.width, frame.height)))
    }

    /// Returns the next record that is not damaged: those that are were not planned.
    fn next_record(&mut self) -> Result<Option<IndexRecord>, Error> {
        while self.next < self.end {
            let record = self.reader.record(self.next).map_err(Error::io(READ))?;
            self.next += 1;
            if record.is_some() {
                return Ok(record);
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for TimelapseMovie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimelapseMovie")
            .field("next", &self.next)
            .field("end", &self.end)
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}

/// Returns when a frame is shown, to the nanosecond.
fn shown_at(number: u64, fps: u32) -> Duration {
    let fps = u64::from(fps);
    let nanos = (number % fps) * 1_000_000_000 / fps;
    Duration::new(number / fps, nanos as u32)
}

const READ: &str = "reading an index";
