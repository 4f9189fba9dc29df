//! Work on pictures, in threads for blocking work.

use std::time::SystemTime;

use bytes::Bytes;
use jiff::tz::TimeZone;
use mjpeg_codec::{Frame, verify::Verdict};
use mjpeg_picture::Notice;
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::date::local_date;

/// Draws a placeholder. It takes milliseconds, for which it would block everything else on the
/// stream's thread.
pub(super) async fn draw(
    name: String,
    text: String,
    since: SystemTime,
    (width, height): (u16, u16),
) -> Option<Bytes> {
    let drawn = alone(move || {
        // Reads files of the system, so not on the stream's thread either.
        let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
        let drawing = Notice::new(name)
            .with_text(text)
            .with_footer(format!("since {}", local_date(since, zone)));
        Some(drawing.with_size(width, height).ok()?.render())
    });
    drawn.await.flatten()
}

/// Looks whether a frame is whole.
pub(super) async fn is_whole(frame: Frame) -> bool {
    let is_whole = alone(move || match frame.verify() {
        Verdict::Complete { .. } => true,
        // Progressive, for example. No coding takes less than a bit for a block of 8x8 pixels.
        Verdict::NotChecked(_) => {
            let blocks = usize::from(frame.width()) * usize::from(frame.height()) / 64;
            frame.bytes().len() * 8 >= blocks
        }
        _ => false,
    });
    is_whole.await.unwrap_or(false)
}

/// Does one piece of work at a time, of all streams of this process: many cameras that fail at once
/// take no more memory and no more threads than one.
async fn alone<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let turn = TURN.acquire().await.ok()?;
    let working = spawn_blocking(move || {
        // Held to the end of the work, even if nobody waits for it any more.
        let _turn = turn;
        work()
    });
    working.await.ok()
}

static TURN: Semaphore = Semaphore::const_new(1);

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_piece_of_work_is_done_at_a_time() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let working = (0..8).map(|_| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(alone(move || {
                let at_once = now.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(at_once, Ordering::SeqCst);
                // Time for others to begin, if they could.
                for _ in 0..10_000 {
                    std::thread::yield_now();
                }
                now.fetch_sub(1, Ordering::SeqCst);
            }))
        });
        join_all(working).await;
        assert_eq!(most.load(Ordering::SeqCst), 1);
    }
}
