//! What the command line asks for.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};
use kit::flags::Engines;

use crate::engine::Engine;

/// The command line, and the relay that it does not name.
pub(crate) struct Options {
    pub(crate) server: PathBuf,
    pub(crate) flags: Engines,
}

impl Options {
    pub(crate) fn engines(&self) -> Result<Vec<Engine>> {
        if self
            .flags
            .minutes
            .is_some_and(|minutes| minutes > MOST_MINUTES)
        {
            bail!("--minutes: {MOST_MINUTES} at most, for then the pictures' numbers run out");
        }
        if self.flags.engine.is_empty() {
            return Ok(Engine::ALL.to_vec());
        }
        let named = |name: &String| {
            let found = Engine::ALL.into_iter().find(|engine| engine.name() == name);
            found.with_context(|| format!("--engine {name}: chromium, firefox or webkitgtk"))
        };
        self.flags.engine.iter().map(named).collect()
    }

    pub(crate) fn query(&self) -> &str {
        self.flags.query.as_deref().unwrap_or_default()
    }

    /// Pictures a second, and for how long.
    pub(crate) fn rates(&self) -> Vec<(u32, Duration)> {
        let seconds = Duration::from_secs;
        if self.flags.short {
            return vec![(5, seconds(1))];
        }
        vec![(1, seconds(10)), (5, seconds(8)), (30, seconds(8))]
    }
}

/// 65 535 numbers at 30 a second are 36 minutes.
const MOST_MINUTES: u16 = 35;
