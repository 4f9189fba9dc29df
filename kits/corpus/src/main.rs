//! Scores the splitter on streams with known truth, and prints the frames it finds in a file.
//! `cargo xtask corpus` and `cargo xtask frames` build and start this kit.

mod folder;
mod frames;
mod report;
mod score;
mod scored;
mod truth;

use std::process::ExitCode;

use kit::flags::XtaskCmd;
use kit::program;

fn main() -> ExitCode {
    let outcome = match program::command() {
        XtaskCmd::Corpus(flags) => folder::run(&flags.dir),
        XtaskCmd::Frames(flags) => frames::run(&flags.file),
        _ => program::not_ours(),
    };
    program::exit(outcome.map(|()| true))
}
