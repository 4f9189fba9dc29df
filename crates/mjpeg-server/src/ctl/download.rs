//! What comes as a file: it goes to the disk as it comes, and never to memory as a whole.

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Error;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::json;
use tempfile::NamedTempFile;
use tokio::{
    select,
    signal::ctrl_c,
    time::{Instant, timeout},
};

use super::{
    client::ApiClient,
    failure::CtlFailure,
    fields::size,
    file_name::{plain, proposed},
    screen::Screen,
};
use crate::cli::ctl::recordings::GetRecording;

/// Writes what is at this path of the API to a file. If anything fails, no part of it stays.
pub(super) async fn download(
    client: &mut ApiClient,
    screen: &Screen,
    path: &str,
    args: &GetRecording,
) -> Result<(), CtlFailure> {
    let response = client.download(path).await?;
    let text = |name| {
        let value = response.headers().get(name);
        value.and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    };
    let kind = text(CONTENT_TYPE).unwrap_or_default();
    if ["text/html", "application/json"]
        .iter()
        .any(|other| kind.starts_with(other))
    {
        return Err(CtlFailure::BadAnswer("the answer is no movie".into()));
    }
    let ending = args.format.ending();
    let name = text(CONTENT_DISPOSITION).and_then(|value| proposed(value, ending));
    let name = name.unwrap_or_else(|| plain(&args.recording.id, ending));
    let mut body = response.into_body();
    let mut progress = DownloadProgress::new(&body, screen);
    if args.output.as_deref() == Some(Path::new("-")) {
        let mut out = io::stdout().lock();
        copy(&mut body, &mut out, CtlFailure::Output, &mut progress).await?;
        return out.flush().map_err(CtlFailure::Output);
    }
    let target = target(args.output.as_deref(), &name);
    check(&target, args.force)?;
    let wrong = |error| file_failure(&target, &error);
    let mut file = beside(&target).map_err(wrong)?;
    select! {
        copied = copy(&mut body, file.as_file_mut(), wrong, &mut progress) => copied?,
        _ = ctrl_c() => {
            progress.clear();
            return Err(CtlFailure::File("interrupted; what had come is removed".into()));
        }
    }
    let placed = match args.force {
        true => file.persist(&target),
        false => file.persist_noclobber(&target),
    };
    placed.map_err(|failed| match failed.error.kind() {
        io::ErrorKind::AlreadyExists => is_there(&target),
        _ => wrong(failed.error),
    })?;
    let (file, bytes) = (target.display().to_string(), progress.done);
    match screen.is_json {
        true => screen.json(&json!({ "file": file, "bytes": bytes })),
        false => screen.whole_line(&format!("{file}: {}", size(bytes))),
    }
}

/// Where the file is to be: a folder gets one of this name.
fn target(output: Option<&Path>, name: &str) -> PathBuf {
    match output {
        None => name.into(),
        Some(folder) if folder.is_dir() => folder.join(name),
        Some(file) => file.into(),
    }
}

/// Whether a file may be put there.
fn check(target: &Path, force: bool) -> Result<(), CtlFailure> {
    match fs::metadata(target) {
        Ok(there) if !there.is_file() => Err(CtlFailure::File(format!(
            "{} is not a regular file; -o - writes to standard output",
            target.display()
        ))),
        Ok(_) if !force => Err(is_there(target)),
        _ => Ok(()),
    }
}

/// Makes a file in the folder of that one, which is removed unless it takes its place.
fn beside(target: &Path) -> io::Result<NamedTempFile> {
    let folder = target.parent().filter(|folder| *folder != Path::new(""));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mjpeg-").suffix(".part");
    #[cfg(unix)]
    let permissions = {
        use std::os::unix::fs::PermissionsExt;
        // Less what the user's mask says.
        fs::Permissions::from_mode(0o666)
    };
    #[cfg(unix)]
    builder.permissions(permissions);
    builder.tempfile_in(folder.unwrap_or(Path::new(".")))
}

/// Writes a body as it comes.
async fn copy(
    body: &mut Incoming,
    out: &mut impl Write,
    wrong: impl Fn(io::Error) -> CtlFailure,
    progress: &mut DownloadProgress,
) -> Result<(), CtlFailure> {
    let copied = async {
        loop {
            let next = timeout(SILENCE, body.frame()).await;
            let silent = |_| {
                let seconds = SILENCE.as_secs();
                CtlFailure::unreachable(format!("the relay sent nothing for {seconds} s"))
            };
            let Some(frame) = next.map_err(silent)? else {
                return Ok(());
            };
            let frame = frame.map_err(|error| {
                let error = Error::from(error);
                CtlFailure::unreachable(format!("the movie did not come in whole: {error:#}"))
            })?;
            if let Ok(data) = frame.into_data() {
                out.write_all(&data).map_err(&wrong)?;
                progress.add(data.len());
            }
        }
    };
    let copied = copied.await;
    progress.clear();
    copied
}

fn is_there(target: &Path) -> CtlFailure {
    CtlFailure::File(format!(
        "{} is there already; --force replaces it",
        target.display()
    ))
}

fn file_failure(target: &Path, error: &io::Error) -> CtlFailure {
    CtlFailure::File(format!("cannot write {}: {error}", target.display()))
}

/// How far it is, for somebody at a terminal.
struct DownloadProgress {
    done: u64,
    total: Option<u64>,
    is_shown: bool,
    next: Instant,
}

impl DownloadProgress {
    fn new(body: &Incoming, screen: &Screen) -> Self {
        Self {
            done: 0,
            total: body.size_hint().exact(),
            is_shown: !screen.is_json && io::stderr().is_terminal(),
            next: Instant::now(),
        }
    }

    fn add(&mut self, bytes: usize) {
        self.done += bytes as u64;
        if !self.is_shown || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + SHOW_EVERY;
        let text = progress_text(self.done, self.total);
        // Nobody may be there to read it.
        let _ = write!(io::stderr(), "\r{text}{CLEAR_REST}");
    }

    fn clear(&self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r{CLEAR_REST}");
        }
    }
}

fn progress_text(done: u64, total: Option<u64>) -> String {
    match total {
        Some(total) if total > 0 => {
            let percent = u128::from(done) * 100 / u128::from(total);
            format!("{} of {} ({percent} %)", size(done), size(total))
        }
        _ => size(done),
    }
}

const SHOW_EVERY: Duration = Duration::from_millis(200);
/// A relay that reads a slow disk is never silent for so long.
const SILENCE: Duration = Duration::from_secs(60);
/// Erases what is behind the cursor, up to the end of the line.
const CLEAR_REST: &str = "\u{1b}[K";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_how_much_of_how_much() {
        for (done, total, expected) in [
            (0, Some(2 << 20), "0 KiB of 2.0 MiB (0 %)"),
            ((2 << 20) - 1, Some(2 << 20), "2.0 MiB of 2.0 MiB (99 %)"),
            (1_500, None, "1 KiB"),
            (1_500, Some(0), "1 KiB"),
        ] {
            assert_eq!(progress_text(done, total), expected);
        }
    }

    #[test]
    fn what_is_no_file_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check(folder.path(), true).is_err());
        let file = folder.path().join("a.mov");
        assert!(check(&file, false).is_ok());
        fs::write(&file, "old").unwrap();
        assert!(check(&file, false).is_err());
        assert!(check(&file, true).is_ok());
        assert_eq!(target(Some(folder.path()), "a.mov"), file);
    }
}
