//! The command `migrate`.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use super::check::{complain, print};
use crate::{cli::migrate::Migrate, migrate::migrate};

/// Prints a configuration made of those of other programs, and how many cameras are in it. The exit
/// code is 1 if there are none.
pub(super) fn run(args: &Migrate) -> ExitCode {
    match migrate(&args.files, args.from) {
        Ok((text, summary)) => {
            let code = print(&text);
            // Nobody may be there to read it.
            let _ = writeln!(io::stderr(), "{summary}");
            code
        }
        Err(error) => complain(&format!("error: {error:#}")),
    }
}
