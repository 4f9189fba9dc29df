//! The arguments of `hash-password`.

use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct HashPassword {
    /// Make a new token for a program instead, and print it with its hash
    #[arg(long)]
    pub(crate) token: bool,
}

const HELP: &str = "\
The password is asked for at the terminal, twice, and not shown. Otherwise, it is the first line of \
standard input. It is never an argument, because every user of the machine sees those.

Examples:
  mjpeg-server hash-password
  mjpeg-server hash-password < password.txt
  mjpeg-server hash-password --token

The hash belongs into the configuration file:
  [[users]]
  name = \"alice\"
  password_hash = \"$argon2id$…\"";
