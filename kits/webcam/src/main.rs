//! Runs the relay on a real driver of V4L2: v4l2loopback, in an emulated machine with a kernel of
//! Debian, beside ustreamer. `cargo xtask webcam` builds the relay and this program, and starts it.

#![allow(clippy::print_stdout, reason = "the kit prints what it finds")]

mod machine;
mod measured;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use kit::{flags::XtaskCmd, program, record, workspace::Workspace};

fn main() -> ExitCode {
    let outcome = match program::command() {
        XtaskCmd::Webcam(flags) => run(flags.record.as_deref()),
        _ => program::not_ours(),
    };
    program::exit(outcome.map(|()| true))
}

fn run(to: Option<&std::path::Path>) -> Result<()> {
    let workspace = Workspace::from_env()?;
    let said = machine::run(&workspace)?;
    let text = measured::table(&said)?;
    println!("\n{text}");
    let seen = said
        .iter()
        .any(|line| line.starts_with("== snapshot /images/"));
    ensure!(
        seen,
        "no snapshot of the relay is one of the camera's pictures"
    );
    match to {
        Some(file) => record::write(file, "webcam", &text),
        None => Ok(()),
    }
}
