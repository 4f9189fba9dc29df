//! The tools that the checks need, and how to find them.

use anyhow::{Result, bail};
use xshell::Shell;

use crate::tools::tool::{Accepted, Tool, cargo, component, debian, gstreamer, python};

mod install;
pub(crate) mod tool;

/// The tools without which `ci` fails. It can do without cargo-fuzz, whose step is then skipped.
const TOOLS: &[Tool] = &[
    component("fmt", "rustfmt"),
    component("clippy", "clippy"),
    debian("ffmpeg", "ffmpeg"),
    debian("unzip", "unzip"),
    debian("djpeg", "libjpeg-turbo-progs"),
    debian("curl", "curl"),
    debian("openssl", "openssl"),
    debian("node", "nodejs"),
    // It fetches axe-core.
    debian("npm", "npm"),
    debian("python3", "python3"),
    // Which makes a venv for what comes from PyPI.
    python("ensurepip", "python3-venv"),
    python("requests", "python3-requests"),
    python("yaml", "python3-yaml"),
    debian("fail2ban-regex", "fail2ban"),
    debian("strace", "strace"),
    debian("chromium", "chromium"),
    debian("chromedriver", "chromium-driver"),
    // An absolute path, because `/usr/sbin` is not on every user's PATH.
    debian("/usr/sbin/lighttpd", "lighttpd"),
    debian("/usr/lib/lighttpd/mod_openssl.so", "lighttpd-mod-openssl"),
    debian("/usr/sbin/nginx", "nginx"),
    debian("/usr/sbin/haproxy", "haproxy"),
    debian("/usr/bin/caddy", "caddy"),
    debian("/usr/sbin/apache2", "apache2"),
    debian("gst-launch-1.0", "gstreamer1.0-tools"),
    gstreamer("tcpserversink", "gstreamer1.0-plugins-base"),
    gstreamer("jpegenc", "gstreamer1.0-plugins-good"),
    // GStreamer's RTSP server, the counterpart of the sources `rtsp://`, and Debian's own Python,
    // which can use it.
    debian(
        "/usr/lib/python3/dist-packages/gi/__init__.py",
        "python3-gi",
    ),
    debian(
        "/usr/share/doc/gir1.2-gst-rtsp-server-1.0/copyright",
        "gir1.2-gst-rtsp-server-1.0",
    ),
    debian("faketime", "faketime"),
    // The engine of a cluster, and what builds its client.
    debian("etcd", "etcd-server"),
    debian("protoc", "protobuf-compiler"),
    debian("/usr/include/google/protobuf/any.proto", "libprotobuf-dev"),
    // With promtool.
    debian("prometheus", "prometheus"),
    cargo(
        "nextest",
        "cargo-nextest",
        (0, 9, 151),
        Accepted::From((0, 9, 100)),
    ),
    cargo("deny", "cargo-deny", (0, 20, 2), Accepted::ExactlyPinned),
    cargo(
        "public-api",
        "cargo-public-api",
        (0, 52, 0),
        Accepted::ExactlyPinned,
    ),
    Tool::Nightly,
];

/// Checks that all tools are installed. With `install`, installs those that are not.
pub(crate) fn ensure(sh: &Shell, install: bool) -> Result<()> {
    let missing = missing(sh);
    if missing.is_empty() {
        return Ok(());
    }
    for tool in &missing {
        println!("missing: {}", tool.describe());
    }
    if !install {
        bail!(
            "{} tool(s) missing, listed above; install them with `cargo xtask ci --install`",
            missing.len()
        );
    }
    install::all(sh, &missing)?;
    // Report a tool that is installed but not found (as without cargo's `bin` folder on the PATH)
    // before the first check.
    if let Some(tool) = self::missing(sh).first() {
        bail!(
            "{} was installed but not found; put cargo's `bin` folder first on the PATH",
            tool.describe()
        );
    }
    Ok(())
}

fn missing(sh: &Shell) -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| !tool.present(sh)).collect()
}
