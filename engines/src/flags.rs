//! The command line. `cargo xtask compat engines --help` documents it.

#![allow(
    unreachable_pub,
    reason = "the macro writes `pub` on the structs it generates"
)]

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};

use crate::engine::Engine;

xflags::xflags! {
    /// Measures how browser engines show the relay's streams.
    cmd engines {
        /// The program mjpeg-server.
        required server: PathBuf
        /// A quarter of a minute per engine.
        optional --short
        /// Also watch for this long whether it freezes or grows.
        optional --minutes minutes: u16
        /// Only this engine; repeat for more.
        repeated --engine engine: String
        /// Add this to the stream's URL.
        optional --query query: String
        /// Append the tables to this file.
        optional --record file: PathBuf
    }
}

impl Engines {
    pub(crate) fn engines(&self) -> Result<Vec<Engine>> {
        if self.minutes.is_some_and(|minutes| minutes > MOST_MINUTES) {
            bail!("--minutes: {MOST_MINUTES} at most, for then the pictures' numbers run out");
        }
        if self.engine.is_empty() {
            return Ok(Engine::ALL.to_vec());
        }
        let named = |name: &String| {
            let found = Engine::ALL.into_iter().find(|engine| engine.name() == name);
            found.with_context(|| format!("--engine {name}: chromium, firefox or webkitgtk"))
        };
        self.engine.iter().map(named).collect()
    }

    pub(crate) fn query(&self) -> &str {
        self.query.as_deref().unwrap_or_default()
    }

    /// Pictures a second, and for how long.
    pub(crate) fn rates(&self) -> Vec<(u32, Duration)> {
        let seconds = Duration::from_secs;
        if self.short {
            return vec![(5, seconds(1))];
        }
        vec![(1, seconds(10)), (5, seconds(8)), (30, seconds(8))]
    }
}

/// 65 535 numbers at 30 a second are 36 minutes.
const MOST_MINUTES: u16 = 35;
