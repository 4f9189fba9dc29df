//! The files of recordings.

use std::{io, sync::Arc};

use futures_util::stream;
use mjpeg_control::{Error, ErrorCode, MovieRequest, RecordingFile, RecordingKind};
use mjpeg_mux::ClipFormat;
use mjpeg_timelapse::{TimelapseId, TimelapseMovie, TimelapsePace, TimelapseStore};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    task::spawn_blocking,
};

use super::{
    refusal::{refusal, text},
    shown::print_id,
};
use crate::background::in_background;

/// Makes the file of a recording while it is read.
pub(super) async fn movie(
    (kind, store, id): (RecordingKind, Arc<TimelapseStore>, TimelapseId),
    wanted: MovieRequest,
    place: OwnedSemaphorePermit,
) -> Result<RecordingFile, Error> {
    let format: ClipFormat = wanted.format.parse().map_err(|_| {
        let detail = "there are movie.mov, movie.avi, movie.zip and movie.mjpeg";
        Error::new(ErrorCode::NotFound, detail)
    })?;
    let job = store.get(&id).map_err(refusal)?;
    let is_clip = kind == RecordingKind::Clip;
    let has_true_times = wanted
        .has_true_times
        .unwrap_or(is_clip && wanted.fps.is_none());
    let pace = match has_true_times {
        true => TimelapsePace::TrueTimes,
        false => TimelapsePace::Fps(wanted.fps.unwrap_or(job.spec.fps())),
    };
    let of_job = id.clone();
    let made = in_background(move || store.movie(&of_job, format, pace)).await;
    let movie = made.map_err(refusal)?;
    let length = movie.content_length();
    let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
    spawn_blocking(move || {
        send(movie, &sender);
        drop(place);
    });
    let pieces = stream::unfold(receiver, async |mut receiver| {
        let piece = receiver.recv().await?;
        Some((piece, receiver))
    });
    let name = format!("{}_{}.{format}", job.spec.stream(), print_id(kind, &id));
    let file = RecordingFile::new(format.media_type(), name, length, Box::pin(pieces));
    Ok(file)
}

/// Sends the pieces of a file until there are no more, or nobody reads them.
fn send(mut movie: TimelapseMovie, to: &mpsc::Sender<io::Result<bytes::Bytes>>) {
    loop {
        let piece = match movie.next_piece() {
            Ok(Some(piece)) => Ok(piece),
            Ok(None) => return,
            Err(error) => Err(io::Error::other(text(&error))),
        };
        let is_over = piece.is_err();
        if to.blocking_send(piece).is_err() || is_over {
            return;
        }
    }
}

/// A piece is a frame, or 64 KiB.
const PIECES_AHEAD: usize = 2;
