//! `mjpeg-server cert`: a certificate that this machine signs itself.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    net::{Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf, absolute},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, bail};
use base64::{Engine, prelude::BASE64_STANDARD as STANDARD};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};

use crate::{cli::cert::Cert, machine, tls::certificate::fingerprint};

/// A certificate that was made.
#[derive(Debug)]
pub(crate) struct MadeCertificate {
    certificate: PathBuf,
    key: PathBuf,
    names: Vec<String>,
    fingerprint: String,
    until: String,
}

/// Makes a certificate and its key, and writes them to files.
pub(crate) fn make(args: &Cert) -> Result<MadeCertificate> {
    let out = absolute(&args.out).context("cannot find the current directory")?;
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let (certificate, key) = (out.join("cert.pem"), out.join("key.pem"));
    for path in [&certificate, &key] {
        if !args.force && path.symlink_metadata().is_ok() {
            bail!("{} is there already; --force replaces it", path.display());
        }
    }
    let names = names(&args.names);
    let pair = KeyPair::generate().context("cannot make a key")?;
    let params = params(&names)?;
    let signed = params.self_signed(&pair).context("cannot sign")?;
    // The key first: a relay that watches the files must not take the new certificate for one
    // without a key.
    write(
        &key,
        &pem("PRIVATE KEY", &pair.serialize_der()),
        0o600,
        args.force,
    )?;
    write(
        &certificate,
        &pem("CERTIFICATE", signed.der()),
        0o644,
        args.force,
    )?;
    Ok(MadeCertificate {
        certificate,
        key,
        names,
        fingerprint: fingerprint(signed.der()),
        until: params.not_after.date().to_string(),
    })
}

/// What the certificate is for; each name once.
fn names(wanted: &[String]) -> Vec<String> {
    let machine = machine::names().into_iter();
    let addresses = machine::addresses().into_iter().map(|ip| ip.to_string());
    let local = [
        "localhost".into(),
        Ipv4Addr::LOCALHOST.to_string(),
        Ipv6Addr::LOCALHOST.to_string(),
    ];
    let mut names: Vec<String> = Vec::new();
    for name in (wanted.iter().cloned())
        .chain(machine)
        .chain(addresses)
        .chain(local)
    {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn params(names: &[String]) -> Result<CertificateParams> {
    for name in names {
        let is_good = |b: u8| b.is_ascii_alphanumeric() || b"-._:*".contains(&b);
        if name.is_empty() || name.len() > 253 || !name.bytes().all(is_good) {
            bail!("{name:?} is no name or address of a machine (international names: as xn--…)");
        }
    }
    let mut params = CertificateParams::new(names).context("a name is not usable")?;
    // At most 64 characters fit in here, and clients look at the other names.
    let first = names.iter().find(|name| name.len() <= 64);
    let first = first.map_or("mjpeg-server", String::as_str);
    params.distinguished_name.push(DnType::CommonName, first);
    let now = SystemTime::now();
    // Cameras' and displays' clocks are not exact.
    params.not_before = (now - DAY).into();
    params.not_after = (now + VALID_DAYS * DAY).into();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

/// Wraps bytes as RFC 7468 says.
fn pem(label: &str, bytes: &[u8]) -> String {
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in bytes.chunks(PEM_LINE_BYTES) {
        STANDARD.encode_string(line, &mut pem);
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

/// Writes a file with this mode, whole or not at all.
fn write(path: &Path, text: &str, mode: u32, replaces: bool) -> Result<()> {
    let written = if replaces {
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".new-{}", std::process::id()));
        let beside = PathBuf::from(beside);
        let written = create(&beside, text, mode).and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    } else {
        create(path, text, mode)
    };
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn create(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

impl fmt::Display for MadeCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            certificate,
            key,
            names,
            fingerprint,
            until,
        } = self;
        let (certificate, key) = (certificate.display(), key.display());
        writeln!(f, "Certificate:  {certificate}")?;
        writeln!(
            f,
            "Key:          {key} (only you may read it; the relay must)"
        )?;
        writeln!(f, "For:          {}", names.join(", "))?;
        writeln!(f, "Valid until:  {until}")?;
        writeln!(f, "SHA-256:      {fingerprint}")?;
        writeln!(f, "\nFor the configuration file:\n")?;
        writeln!(f, "[[listen]]\naddress = \"[::]:8443\"")?;
        let (certificate, key) = (certificate.to_string(), key.to_string());
        writeln!(
            f,
            "tls = {{ certificate = {certificate:?}, key = {key:?} }}"
        )?;
        write!(
            f,
            "\nBrowsers warn of it once: compare the fingerprint there before you trust it."
        )
    }
}

/// 64 characters of base64.
const PEM_LINE_BYTES: usize = 48;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The longest that Apple's systems accept.
const VALID_DAYS: u32 = 825;
