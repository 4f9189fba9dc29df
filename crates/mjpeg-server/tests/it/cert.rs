//! `mjpeg-server cert`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::process::run;

/// A directory that no other test has, and that is not there yet. Removed when dropped.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mjpeg-cert-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Makes a certificate there, and returns what is printed.
pub(crate) fn make(directory: &Directory, more: &[&str]) -> String {
    let out = directory.path().to_str().unwrap();
    let (code, stdout, stderr) = run(&[&["cert", "--out", out], more].concat());
    assert_eq!(code, Some(0), "{stderr}");
    stdout
}

/// What openssl says about a certificate.
fn openssl(certificate: &Path, args: &[&str]) -> String {
    let mut command = Command::new("openssl");
    command.args(["x509", "-noout", "-in"]).arg(certificate);
    let output = command.args(args).output();
    let output = output.expect("openssl runs (cargo xtask ci --install installs it)");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn certificate_is_for_the_names_that_were_given_and_its_fingerprint_is_printed() {
    let directory = Directory::new("names");
    let names = ["--name", "cam.example.org", "--name", "192.0.2.7"];
    let printed = make(&directory, &names);
    let (certificate, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    let fingerprint = openssl(&certificate, &["-fingerprint", "-sha256"]);
    let (_, fingerprint) = fingerprint.trim().split_once('=').unwrap();
    assert!(printed.contains(fingerprint), "{printed}");
    for path in [&certificate, &key] {
        assert!(printed.contains(path.to_str().unwrap()), "{printed}");
    }
    let secret = fs::read_to_string(&key).unwrap();
    let secret = secret.lines().nth(1).unwrap();
    assert!(!printed.contains(secret), "{printed}");
    for (kind, name) in [
        ("-checkhost", "cam.example.org"),
        ("-checkip", "192.0.2.7"),
        ("-checkhost", "localhost"),
        ("-checkip", "127.0.0.1"),
        ("-checkip", "::1"),
    ] {
        let said = openssl(&certificate, &[kind, name]);
        assert!(said.contains("does match certificate"), "{said}");
    }
    let said = openssl(&certificate, &["-checkhost", "example.org"]);
    assert!(said.contains("does NOT match"), "{said}");
}

#[cfg(unix)]
#[test]
fn key_is_readable_by_its_owner_only_and_nothing_is_replaced_unasked() {
    use std::os::unix::fs::PermissionsExt;

    let directory = Directory::new("mode");
    make(&directory, &[]);
    let read = || ["cert.pem", "key.pem"].map(|name| fs::read(directory.join(name)).unwrap());
    let mode = || {
        fs::metadata(directory.join("key.pem"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    let first = read();
    assert_eq!(mode(), 0o600);
    let out = directory.path().to_str().unwrap();
    let (code, stdout, stderr) = run(&["cert", "--out", out]);
    assert_eq!((code, &*stdout), (Some(1), ""));
    assert!(
        stderr.contains("cert.pem is there already; --force replaces it"),
        "{stderr}"
    );
    assert_eq!(read(), first);
    // Only the key is left of an earlier one: it may be the key of another certificate.
    fs::remove_file(directory.join("cert.pem")).unwrap();
    let (code, _, stderr) = run(&["cert", "--out", out]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("key.pem is there already"), "{stderr}");
    assert!(!directory.join("cert.pem").exists());

    make(&directory, &["--force"]);
    let second = read();
    assert!(
        first
            .iter()
            .zip(&second)
            .all(|(first, second)| first != second)
    );
    assert_eq!(mode(), 0o600);
    let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn names_that_no_machine_can_have_are_refused() {
    let directory = Directory::new("refused");
    let out = directory.path().to_str().unwrap();
    for name in ["", "a b", "http://cam/", "tür.example", "x\u{1b}[2J"] {
        let (code, _, stderr) = run(&["cert", "--out", out, "--name", name]);
        assert_eq!(code, Some(1), "{name:?}: {stderr}");
        assert!(stderr.contains("is no name or address"), "{stderr:?}");
        assert!(!stderr.contains('\u{1b}'), "{stderr:?}");
        assert!(!directory.join("key.pem").exists());
    }
}
