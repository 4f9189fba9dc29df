//! What TLS and HTTP/2 cost per delivered frame; see the module.

use std::process::ExitCode;

fn main() -> ExitCode {
    benches::tls_cost::main()
}
