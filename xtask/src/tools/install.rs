//! Installs missing tools.

use std::time::Instant;

use anyhow::{Context as _, Result};
use xshell::{Shell, cmd};

use crate::debian::install_packages;
use crate::tools::tool::{NIGHTLY, Tool, dotted};

/// Installs these tools: all Debian packages in one call, then the others one by one.
pub(super) fn all(sh: &Shell, missing: &[&Tool]) -> Result<()> {
    let packages: Vec<&str> = missing.iter().filter_map(|tool| tool.package()).collect();
    if !packages.is_empty() {
        timed("Debian packages", || install_packages(sh, &packages))?;
    }
    for tool in missing {
        if tool.package().is_none() {
            timed(&tool.describe(), || install(sh, tool))?;
        }
    }
    Ok(())
}

fn install(sh: &Shell, tool: &Tool) -> Result<()> {
    match tool {
        Tool::Debian { package, .. }
        | Tool::GStreamer { package, .. }
        | Tool::Python { package, .. } => install_packages(sh, &[package]),
        Tool::Component { component, .. } => cmd!(sh, "rustup component add {component}")
            .run()
            .with_context(|| format!("install the component {component} of your Rust toolchain")),
        Tool::Cargo { krate, pinned, .. } => {
            let spec = format!("{krate}@{}", dotted(*pinned));
            // `--debug`, because tools that run for seconds do not justify minutes of optimisation.
            // `--force`, because an unsuitable version may be installed.
            cmd!(sh, "cargo install --locked --debug --force {spec}")
                // A separate build: not in our build directory, and without our flags.
                .env_remove("CARGO_TARGET_DIR")
                .env_remove("RUSTFLAGS")
                .run()
                .with_context(|| format!("installing {spec}"))
        }
        Tool::Nightly => cmd!(
            sh,
            "rustup toolchain install {NIGHTLY} --profile minimal --no-self-update"
        )
        .run()
        .with_context(|| {
            format!(
                "`cargo public-api` needs the toolchain {NIGHTLY}; without rustup or without \
                             access to static.rust-lang.org it has to be installed by hand"
            )
        }),
    }
}

fn timed(what: &str, install: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("== install {what}");
    let start = Instant::now();
    install()?;
    println!("   {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
