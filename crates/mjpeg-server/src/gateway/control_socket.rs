//! The Unix socket at which the user of the program controls it, without a password.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use super::config::{GatewayAddress, GatewayConfig, ServeSet};

/// Where the socket is: in the folder that systemd made for the service, or else in that of the
/// user's session. `None` where there is neither.
pub(crate) fn path() -> Option<PathBuf> {
    let folder = |variable: &str| env::var_os(variable).filter(|folder| !folder.is_empty());
    // systemd may name several, separated by colons.
    let first = |folders: &OsStr| Some(PathBuf::from(folders.to_str()?.split(':').next()?));
    let of_service = folder("RUNTIME_DIRECTORY").and_then(|folders| first(&folders));
    let of_session = || Some(Path::new(&folder("XDG_RUNTIME_DIR")?).join(PROGRAM));
    let folder = of_service.or_else(of_session)?;
    folder.is_absolute().then(|| folder.join(FILE))
}

/// The gateway of the socket. Makes its folder.
pub(crate) fn gateway(path: PathBuf) -> GatewayConfig {
    if let Some(folder) = path.parent() {
        // Binding the socket says what is wrong.
        let _ = std::fs::create_dir_all(folder);
    }
    let mode = Some(MODE);
    let mut serve = ServeSet::default();
    (serve.streams, serve.control, serve.metrics) = (false, true, true);
    GatewayConfig::new("control", GatewayAddress::Unix { path, mode })
        .with_serve(serve)
        .without_users()
}

const PROGRAM: &str = "mjpeg-server";
const FILE: &str = "control.sock";

/// For the user and the group of the program.
const MODE: u32 = 0o660;
