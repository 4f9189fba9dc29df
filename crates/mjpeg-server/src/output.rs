//! Standard output and standard error, written by threads of their own.
//!
//! Whoever should read them may not: a pager that was stopped, a terminal after Ctrl-S, a log
//! collector that hangs. A write then blocks for as long as that lasts. On a thread that serves
//! viewers it would stop every stream, and the signals that end the program.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};
#[cfg(unix)]
use std::{fs::File, os::fd::AsFd};

use tracing_subscriber::fmt::MakeWriter;

use crate::{config::value::choice::LogFormat, telemetry::json};

/// Takes lines without ever waiting, and writes them in their order. Lines for which there is no
/// room are dropped and counted; the count is written as soon as something can be written again.
#[derive(Clone)]
pub(crate) struct Output(Arc<OutputShared>);

struct OutputShared {
    queue: Mutex<LineQueue>,
    /// Notified when the queue, or what is being written, has changed.
    changed: Condvar,
    dropped: DroppedLine,
}

/// Writes the line that tells how many were dropped.
type DroppedLine = fn(u64) -> String;

#[derive(Default)]
struct LineQueue {
    lines: VecDeque<String>,
    bytes: usize,
    dropped: u64,
    is_writing: bool,
}

impl Output {
    /// Begins to write to this stream. The thread lives as long as the process.
    pub(crate) fn new(name: &str, to: impl Write + Send + 'static, dropped: DroppedLine) -> Self {
        let shared = Arc::new(OutputShared {
            queue: Mutex::default(),
            changed: Condvar::new(),
            dropped,
        });
        let of_thread = Arc::clone(&shared);
        let (started, starting) = mpsc::channel();
        // Without a thread, the lines are dropped as if nobody read them.
        let _ = thread::Builder::new().name(name.into()).spawn(move || {
            unshare_files();
            drop(started);
            of_thread.write_to(to);
        });
        // What is opened later is not in the thread's table, so dropping it closes it.
        let _: Result<(), _> = starting.recv();
        Self(shared)
    }

    /// Begins to write to standard output.
    pub(crate) fn stdout() -> Self {
        #[cfg(unix)]
        if let Ok(own) = io::stdout().as_fd().try_clone_to_owned() {
            return Self::new("stdout", File::from(own), dropped_text);
        }
        Self::new("stdout", io::stdout(), dropped_text)
    }

    /// Begins to write to standard error, which is the log.
    pub(crate) fn stderr(format: LogFormat) -> Self {
        let dropped = match format {
            LogFormat::Text => dropped_text,
            LogFormat::Json => dropped_json,
        };
        // Not by the standard library's, whose lock would be held for as long as a write blocks.
        #[cfg(unix)]
        if let Ok(own) = io::stderr().as_fd().try_clone_to_owned() {
            return Self::new("stderr", File::from(own), dropped);
        }
        Self::new("stderr", io::stderr(), dropped)
    }

    /// Adds a line, unless there is no room. Its end is added if it is missing.
    pub(crate) fn line(&self, text: impl Into<String>) {
        let mut line = text.into();
        if !line.ends_with('\n') {
            line.push('\n');
        }
        let mut queue = self.0.queue();
        if queue.bytes + line.len() > MOST_BYTES {
            queue.dropped += 1;
        } else {
            queue.bytes += line.len();
            queue.lines.push_back(line);
        }
        self.0.changed.notify_all();
    }

    /// Waits until all is written, but no longer than this.
    pub(crate) fn flush(&self, limit: Duration) {
        let is_busy = |queue: &mut LineQueue| queue.is_writing || !queue.is_empty();
        let waited = self
            .0
            .changed
            .wait_timeout_while(self.0.queue(), limit, is_busy);
        drop(waited);
    }
}

impl OutputShared {
    fn queue(&self) -> MutexGuard<'_, LineQueue> {
        // Every step under this lock leaves the queue whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut to: impl Write) {
        loop {
            let is_empty = |queue: &mut LineQueue| queue.is_empty();
            let waiting = self.changed.wait_while(self.queue(), is_empty);
            let mut queue = waiting.unwrap_or_else(PoisonError::into_inner);
            queue.is_writing = true;
            queue.bytes = 0;
            let mut lines: String = mem::take(&mut queue.lines).into_iter().collect();
            let dropped = mem::take(&mut queue.dropped);
            drop(queue);
            if dropped > 0 {
                lines += &(self.dropped)(dropped);
                lines.push('\n');
            }
            self.write_all(&mut to, lines.as_bytes());
            self.queue().is_writing = false;
            self.changed.notify_all();
        }
    }

    /// Writes all, or as much as there is a reader for.
    fn write_all(&self, to: &mut impl Write, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match to.write(bytes) {
                Ok(0) => return,
                Ok(n) => bytes = &bytes[n..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Whoever started the program has made it non-blocking.
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.pause(),
                // Nobody will ever read it.
                Err(_) => return,
            }
        }
        let _ = to.flush();
    }

    fn pause(&self) {
        let never = |_: &mut LineQueue| true;
        let waited = self.changed.wait_timeout_while(self.queue(), RETRY, never);
        drop(waited);
    }
}

impl LineQueue {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.dropped == 0
    }
}

fn dropped_text(dropped: u64) -> String {
    format!("{dropped} {DROPPED}")
}

fn dropped_json(dropped: u64) -> String {
    json::line("WARN", module_path!(), DROPPED, ("dropped", dropped.into()))
}

/// One line of the log, written in one call.
pub(crate) struct LogLine<'a>(&'a Output);

impl Write for LogLine<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.line(String::from_utf8_lossy(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = LogLine<'a>;

    fn make_writer(&'a self) -> LogLine<'a> {
        LogLine(self)
    }
}

/// Gives this thread a table of open files of its own.
///
/// The kernel counts references on each file that a process with a shared table uses. That made
/// every frame for every viewer 4 % dearer (20 kB, 1000 viewers, one worker thread).
fn unshare_files() {
    #[cfg(target_os = "linux")]
    {
        use nix::{
            sched::{CloneFlags, unshare},
            sys::signal::SigSet,
        };

        // A handler tells the runtime of the signal through a file that only the other threads
        // have open. Run in this thread, it would lose the signal.
        if SigSet::all().thread_block().is_ok() {
            // An error means that it stays as dear as that.
            let _ = unshare(CloneFlags::CLONE_FILES);
        }
    }
}

const DROPPED: &str = "log lines dropped: they were not read in time";

/// How many bytes wait to be written: some thousand lines. As many again may be being written.
const MOST_BYTES: usize = 1 << 20;

/// The time between two attempts to write to what is full and does not block.
const RETRY: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Writes only when it is let.
    struct Stuck {
        go: Receiver<()>,
        written: Sender<Vec<u8>>,
    }

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.go.recv().map_err(io::Error::other)?;
            self.written
                .send(bytes.to_vec())
                .map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_nobody_reads_are_dropped_counted_and_told_of_when_it_goes_on() {
        let ((go, going), (written, was_written)) = (channel(), channel());
        let output = Output::new("test", Stuck { go: going, written }, dropped_text);
        output.line("first");
        let line = "x".repeat(1023);
        // What is being written does not count.
        while !output.0.queue().is_writing {
            thread::yield_now();
        }
        for _ in 0..1024 + 7 {
            output.line(line.clone());
        }
        output.flush(Duration::from_millis(1));
        go.send(()).unwrap();
        assert_eq!(was_written.recv().unwrap(), b"first\n");
        go.send(()).unwrap();
        let rest = String::from_utf8(was_written.recv().unwrap()).unwrap();
        assert!(rest.starts_with("xxx"));
        let end = "\n7 log lines dropped: they were not read in time\n";
        assert!(rest.ends_with(end) && rest.len() == MOST_BYTES + end.len() - 1);
        output.line("after");
        go.send(()).unwrap();
        assert_eq!(was_written.recv().unwrap(), b"after\n");
        output.flush(Duration::from_secs(60));
    }

    #[test]
    fn dropped_lines_are_told_in_the_format_of_the_log() {
        let text = dropped_json(7);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["dropped"], 7);
        assert_eq!(line["message"], DROPPED);
        assert_eq!(line["level"], "WARN");
    }
}
