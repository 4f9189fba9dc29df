//! `cargo xtask corpus`: runs the splitter over a folder of streams with known truth and scores it.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::frames;
use crate::util::Workspace;

mod report;
mod score;
mod truth;

use score::{Answer, Score};
use truth::Truth;

/// Where a corpus lies, seen from the workspace, on machines that have one. It is not part of the
/// project: it is large, and not all of it may be copied.
const BESIDE: &str = "../shared/corpus";

/// The step of `ci`. Optional, because the streams in the crates' tests are part of the project.
pub(crate) fn beside(workspace: &Workspace) -> Result<()> {
    let dir = workspace.root().join(BESIDE);
    if !dir.is_dir() {
        println!("   SKIPPED: there is no {BESIDE} beside the project");
        return Ok(());
    }
    run(&dir)
}

pub(crate) fn run(dir: &Path) -> Result<()> {
    let mut scored = Vec::new();
    let mut unscored = Vec::new();
    for name in names(dir)? {
        match Scored::load(dir, &name) {
            Ok(stream) => scored.push(stream),
            Err(error) => unscored.push(format!("{error:#}")),
        }
    }
    let text = report::text(&scored, &unscored);
    frames::reached(io::stdout().write_all(text.as_bytes()))?;
    let failed = scored.iter().filter(|stream| stream.fails()).count();
    let unscored = unscored.len();
    if failed + unscored > 0 {
        bail!("corpus: {failed} stream(s) not perfect, {unscored} not scored, listed above");
    }
    Ok(())
}

/// A stream of the corpus, and what the splitter made of it.
struct Scored {
    name: String,
    bytes: u64,
    truth: Truth,
    answer: Answer,
    score: Score,
}

impl Scored {
    fn load(dir: &Path, name: &OsStr) -> Result<Self> {
        let stream = read(&partner(dir, name, "mjpeg"))?;
        let json = partner(dir, name, "json");
        let truth =
            truth::read(&read(&json)?, &stream).with_context(|| json.display().to_string())?;
        let mut answer = Answer::default();
        frames::split(&stream[..], |event| {
            answer.add(&event, &stream);
            true
        })?;
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            bytes: stream.len() as u64,
            score: Score::of(&answer, &truth),
            truth,
            answer,
        })
    }

    /// Debatable is which frames there are, never whether all bytes came out.
    fn fails(&self) -> bool {
        let excused = self.truth.debatable.is_some();
        !self.all_accounted() || !(self.score.is_perfect() || excused)
    }

    fn all_accounted(&self) -> bool {
        self.answer.accounted() == self.bytes
    }
}

/// The names of all streams: of every file that is one half of a pair.
fn names(dir: &Path) -> Result<BTreeSet<OsString>> {
    let expected = || {
        format!(
            "{}: a corpus is a folder of streams NAME.mjpeg, each with its truth NAME.json",
            dir.display()
        )
    };
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(dir).with_context(expected)? {
        let path = entry.with_context(expected)?.path();
        let half = path
            .extension()
            .is_some_and(|e| e == "mjpeg" || e == "json");
        names.extend(path.file_stem().filter(|_| half).map(OsStr::to_owned));
    }
    if names.is_empty() {
        bail!("{}; there is none in it", expected());
    }
    Ok(names)
}

/// NAME.EXTENSION in `dir`. Not by `with_extension`: a name may hold dots of its own.
fn partner(dir: &Path, name: &OsStr, extension: &str) -> PathBuf {
    let mut file = name.to_owned();
    file.push(".");
    file.push(extension);
    dir.join(file)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow::anyhow!(
            "{} is missing; every stream is a NAME.mjpeg with its NAME.json",
            path.display()
        ),
        _ => anyhow::Error::new(error).context(format!("reading {}", path.display())),
    })
}
