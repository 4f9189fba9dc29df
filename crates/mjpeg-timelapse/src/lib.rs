//! Keeps the JPEG frames of time-lapses on disk, and makes movies of them.
//!
//! A time-lapse job of a Motion-JPEG relay takes a frame now and then, for hours or months. This
//! crate keeps the frames of such jobs in a folder. A frame that was reported as kept is never lost
//! to a killed program, a power cut or a full disk. The crate does plain blocking IO on files. It
//! uses no async runtime, no network and no clock: times are arguments. It is for Unix only.
//!
//! ```
//! use std::time::{Duration, UNIX_EPOCH};
//!
//! use mjpeg_mux::ClipFormat;
//! use mjpeg_timelapse::{TimelapseFrame, TimelapsePace, TimelapseSpec, TimelapseStore};
//!
//! # let temporary = tempfile::tempdir()?;
//! # let folder = temporary.path().join("timelapse");
//! let store = TimelapseStore::open(folder, 10 << 30)?;
//!
//! // A frame a minute; in a real job these are JPEGs of 640x480 pixels.
//! let noon = UNIX_EPOCH + Duration::from_secs(1_795_867_200);
//! let minute = Duration::from_secs(60);
//! let spec = TimelapseSpec::new("garage").with_every(minute).with_fps(30);
//! let id = store.create(&spec, noon)?.id;
//! for (number, jpeg) in (0..).zip(["first JPEG", "second JPEG"]) {
//!     let frame = TimelapseFrame::new(jpeg.into(), noon + minute * number, 640, 480);
//!     let kept = store.append(&id, &frame)?;
//!     assert_eq!(kept.number, u64::from(number));
//! }
//!
//! let mut movie = store.movie(&id, ClipFormat::Mov, TimelapsePace::Fps(30))?;
//! let mut file = Vec::new();
//! while let Some(piece) = movie.next_piece()? {
//!     file.extend(piece);
//! }
//! assert!(file[4..].starts_with(b"ftypqt  "));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is safe
//!
//! [`TimelapseStore::append`] writes the JPEG and waits until the disk has it. Then it writes a
//! record of 32 bytes to the index and waits again. Only then it returns `Ok`. A frame costs two
//! waits for the disk: some milliseconds on a solid-state disk, tens on others.
//! [`TimelapseStore::append_all`] keeps up to 64 frames with two waits for all of them.
//!
//! * **The program is killed, or the power fails**: the next [`TimelapseStore::open`] finds every
//!   frame that was reported as kept. It cuts off what the interrupted append has left. A job that
//!   was running is still running.
//! * **The disk or the quota is full**: the append returns an error, and the files are as before.
//!   As soon as there is room, the job takes frames again. A job can always be deleted.
//! * **The disk damages a frame**, or the record of one: a checksum tells. The frame is left out of
//!   movies, and all others stay. If a disk has lost more than an append can leave unfinished, as
//!   some do that report data as written too early, nothing is cut off. The job goes on behind what
//!   is there.
//! * **The disk damages `job.json`**, or a file of a job is missing: the job is listed by
//!   [`TimelapseStore::damaged`], and all others go on. Its files stay until it is deleted.
//! * **Two programs open the same folder**: the second one gets [`Error::InUse`].
//!
//! # Files
//!
//! The folder has a folder per job, whose name is the job's id:
//!
//! * `job.json`: the specification, the time of creation, whether several frames may be written at
//!   once, and why and when the job ended. It is replaced as a whole.
//! * `frames.mjpeg`: the JPEGs one after another. Most players open it.
//! * `index`: a record of 32 bytes per frame. It has the offset and the time in microseconds since
//!   1970 (8 bytes each), the length (4), width and height (2 each), the CRC-32 of the JPEG (4),
//!   and the CRC-32 of the frame's number (8 bytes) and the 28 bytes before (4). All numbers are
//!   little-endian.
//!
//! Nobody but the user of the program can read them: the folders have mode 0700, the files 0600. A
//! folder that existed before keeps its mode. Names that begin with `.new-` and `.deleted-` are of
//! jobs that are being made or deleted. Other names, links and files are left alone.
//!
//! # Movies
//!
//! A [`TimelapseMovie`] is made while it is read. It shows the frames that the job had when it was
//! asked for, at a rate or at their true times ([`TimelapsePace`]). The job may go on, or be
//! deleted. The formats are those of [`mjpeg_mux`]. In a ZIP, the names of the files are true times
//! only with [`TimelapsePace::TrueTimes`].
//!
//! # Limits
//!
//! The limits are constants of [`TimelapseStore`] and [`TimelapseSpec`]. What is beyond a limit is
//! refused with an [`Error`]; refused frames are counted by reason ([`TimelapseFigures`]).
//!
//! # Memory
//!
//! A store holds about a kilobyte per job, and two open files for each job that takes frames. It
//! holds no frames and no index.
//!
//! # Features
//!
//! None.

#![cfg(unix)]

mod clock;
mod damage;
mod durable;
mod error;
mod figures;
mod frame;
#[cfg(feature = "__fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod id;
mod job;
mod job_file;
mod job_reader;
mod job_writer;
mod limits;
mod movie;
mod names;
mod opening;
mod read_at;
mod record;
mod recovery;
mod space;
mod spec;
mod store;
mod stored_job;

pub use error::Error;
pub use figures::{TimelapseFigures, TimelapseRefusal};
pub use frame::TimelapseFrame;
pub use id::TimelapseId;
pub use job::{DamagedTimelapse, KeptFrame, TimelapseJob, TimelapseState};
pub use movie::{TimelapseMovie, TimelapsePace};
pub use spec::TimelapseSpec;
pub use store::TimelapseStore;
