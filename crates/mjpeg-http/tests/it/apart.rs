//! Tests that need a process of their own: with network addresses other than loopback, or with
//! memory and file descriptors that no other test uses.
//!
//! Such a test starts itself again. A network namespace is isolated from every other network, and
//! vanishes with the process.

use std::{
    env,
    process::{Command, Stdio},
};

/// Whether this process has such a network, with these addresses. If not, the named test has been
/// run in a process that does, or a message says why it cannot be run here.
pub(crate) fn has_addresses(test: &str, addresses: &[&str]) -> bool {
    if is_apart() {
        ip(&["link", "set", "lo", "up"]);
        for address in addresses {
            ip(&["addr", "add", address, "dev", "lo"]);
        }
        return true;
    }
    for extra in [&[][..], &["--map-root-user"]] {
        let mut probe = unshare(extra);
        probe.args(["ip", "addr", "add", "2001:db8::1/128", "dev", "lo"]);
        probe.stdout(Stdio::null()).stderr(Stdio::null());
        if probe.status().is_ok_and(|status| status.success()) {
            run(unshare(extra), test);
            return false;
        }
    }
    println!("skipped: no network namespaces with IPv6 here (`unshare` and `ip` are needed)");
    false
}

/// Whether this process runs only the named test and may open this many files. If not, the test has
/// been run in a process that does, or a message says why it cannot be run here.
pub(crate) fn has_files(test: &str, files: u64) -> bool {
    if is_apart() {
        return true;
    }
    let most = Command::new("sh").args(["-c", "ulimit -H -n"]).output();
    let most = String::from_utf8(most.unwrap().stdout).unwrap();
    // Not a number if it is unlimited.
    if most.trim().parse().is_ok_and(|most: u64| most < files) {
        println!("skipped: {files} open files are needed (`ulimit -H -n`)");
        return false;
    }
    let mut shell = Command::new("sh");
    let raised = format!("ulimit -S -n {files} && exec \"$0\" \"$@\"");
    shell.args(["-c", &raised]);
    run(shell, test);
    false
}

fn is_apart() -> bool {
    env::var_os(APART).is_some()
}

/// Runs a test of this binary with this command.
fn run(mut command: Command, test: &str) {
    command.arg(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]);
    let output = command.env(APART, "1").output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert!(out.contains("1 passed"), "not run: {out}");
}

fn unshare(extra: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(extra).args(["--net", "--"]);
    command
}

fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status().unwrap();
    assert!(status.success(), "ip {arguments:?}");
}

const APART: &str = "MJPEG_HTTP_TEST_APART";
