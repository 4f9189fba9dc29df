//! The arguments of `cert`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Cert {
    /// Where to put cert.pem and key.pem; it is made if it is not there
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,

    /// A further name or address under which browsers open the relay; repeat for more
    #[arg(long = "name", value_name = "HOST")]
    pub(crate) names: Vec<String>,

    /// Replace the files if they are there
    #[arg(long)]
    pub(crate) force: bool,
}

// One line, for clap to wrap.
const HELP: &str = "\
The certificate is for this machine's names and addresses, localhost, and each --name. Browsers \
warn of it until they are told to trust it: compare the fingerprint first. A certificate that \
browsers trust at once needs a domain name and an authority such as Let's Encrypt.";
