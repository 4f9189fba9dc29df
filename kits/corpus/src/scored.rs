//! Splits and scores one stream of the corpus.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::frames;
use crate::score::{Answer, Score};
use crate::truth::{self, Truth};

/// A stream of the corpus, and the splitter's answer.
pub(crate) struct Scored {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) truth: Truth,
    pub(crate) answer: Answer,
    pub(crate) score: Score,
}

impl Scored {
    pub(crate) fn load(dir: &Path, name: &OsStr) -> Result<Self> {
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

    /// Which frames a stream has may be debatable. That all bytes must come out is not.
    pub(crate) fn fails(&self) -> bool {
        let excused = self.truth.debatable.is_some();
        !self.all_accounted() || !(self.score.is_perfect() || excused)
    }

    pub(crate) fn all_accounted(&self) -> bool {
        self.answer.accounted() == self.bytes
    }
}

/// NAME.EXTENSION in `dir`. Not by `with_extension`, because a name may contain dots.
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
