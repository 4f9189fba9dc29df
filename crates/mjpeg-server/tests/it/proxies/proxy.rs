//! Real reverse proxies, run with the snippets of the documentation.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use crate::{
    folder::Folder,
    sources::{Killed, free_addr},
};

pub(super) const PAGE: &str = include_str!("../../../../../docs/proxies.md");
/// The name of the host in the snippets.
pub(super) const HOST: &str = "cams.example.org";

/// A kind of proxy.
pub(crate) struct Proxy {
    /// The language of its snippet.
    pub(crate) name: &'static str,
    /// The program, and what else has to be installed.
    pub(crate) files: &'static [&'static str],
    pub(crate) arguments: &'static [&'static str],
    /// What the snippet says, and what stands there in a test.
    pub(crate) replaced: &'static [(&'static str, &'static str)],
    /// What has to be around the snippet.
    pub(crate) around: &'static str,
    /// What keeps the prefix in the requests, if that is another line and not one less.
    pub(crate) keeps_prefix: Option<(&'static str, &'static str)>,
}

pub(crate) const NGINX: Proxy = Proxy {
    name: "nginx",
    files: &["/usr/sbin/nginx"],
    arguments: &["-p", "FOLDER", "-e", "FOLDER/log", "-c"],
    replaced: &[
        ("listen 80;", "listen PLAIN;"),
        ("listen 443 ", "listen TLS "),
        CERTIFICATE,
        RELAY,
    ],
    around: "daemon off; master_process off; pid FOLDER/pid;
        events {}
        http {
            access_log off;
            client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy;
            fastcgi_temp_path FOLDER/fcgi; uwsgi_temp_path FOLDER/uwsgi;
            scgi_temp_path FOLDER/scgi;
            SNIPPET
        }",
    keeps_prefix: None,
};

pub(crate) const HAPROXY: Proxy = Proxy {
    name: "haproxy",
    files: &["/usr/sbin/haproxy"],
    arguments: &["-db", "-f"],
    replaced: &[
        ("bind :80\n", "bind PLAIN\n"),
        ("bind :443 ", "bind TLS "),
        CERTIFICATE,
        RELAY,
    ],
    around: "global\n    maxconn 100\n\nSNIPPET",
    keeps_prefix: None,
};

pub(crate) const CADDY: Proxy = Proxy {
    name: "caddy",
    files: &["/usr/bin/caddy"],
    arguments: &["run", "--adapter", "caddyfile", "--config"],
    replaced: &[("cams.example.org {\n", "(cams) {\n"), RELAY],
    around: "{
            admin off
            auto_https off
            storage file_system FOLDER
        }
        SNIPPET
        http://:PLAIN_PORT {
            bind 127.0.0.1
            import cams
        }
        https://:TLS_PORT {
            bind 127.0.0.1
            tls FOLDER/cams.pem FOLDER/cams.pem
            import cams
        }",
    keeps_prefix: None,
};

pub(super) const LIGHTTPD: Proxy = Proxy {
    name: "lighttpd",
    files: &["/usr/sbin/lighttpd", "/usr/lib/lighttpd/mod_openssl.so"],
    arguments: &["-D", "-f"],
    replaced: &[
        ("\":443\"", "\"TLS\""),
        CERTIFICATE,
        ("\"port\" => 8080", "\"port\" => RELAY_PORT"),
    ],
    around: "server.document-root = \"FOLDER\"
        server.errorlog = \"FOLDER/log\"
        server.upload-dirs = (\"FOLDER\")
        server.bind = \"127.0.0.1\"
        server.port = PLAIN_PORT
        SNIPPET",
    keeps_prefix: None,
};

pub(super) const APACHE: Proxy = Proxy {
    name: "apache",
    files: &["/usr/sbin/apache2"],
    // One process, which is the one that is killed.
    arguments: &["-X", "-f"],
    replaced: &[RELAY],
    around: "ServerRoot FOLDER
        DefaultRuntimeDir FOLDER
        PidFile FOLDER/pid
        ErrorLog FOLDER/log
        ServerName cams.example.org
        User nobody
        LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
        LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
        LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
        LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
        LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
        LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
        LoadModule http2_module /usr/lib/apache2/modules/mod_http2.so
        Listen PLAIN
        Listen TLS
        <VirtualHost PLAIN>
            SNIPPET
        </VirtualHost>
        <VirtualHost TLS>
            Protocols h2 http/1.1
            SSLEngine on
            SSLCertificateFile FOLDER/cams.pem
            SNIPPET
        </VirtualHost>",
    keeps_prefix: Some(("RELAY/ flush", "RELAY/cameras/ flush")),
};

pub(super) const ALL: [&Proxy; 5] = [&NGINX, &HAPROXY, &CADDY, &LIGHTTPD, &APACHE];

const CERTIFICATE: (&str, &str) = ("/etc/ssl/private/cams.pem", "FOLDER/cams.pem");
const RELAY: (&str, &str) = ("127.0.0.1:8080", "RELAY");
const REMOVES_PREFIX: &str = "# removes the prefix";

impl Proxy {
    /// Says so if it is not.
    pub(crate) fn is_installed(&self) -> bool {
        let missing = self.files.iter().find(|file| !Path::new(file).exists());
        if let Some(file) = missing {
            let name = self.name;
            eprintln!("SKIPPED {name}: no {file} (cargo xtask ci --install installs it)");
        }
        missing.is_none()
    }

    /// Starts it in front of a relay, and waits until it listens.
    pub(super) fn start(&self, relay: SocketAddr, keeps_prefix: bool) -> Running {
        let mut snippet = self.replaced(snippet(self.name));
        if let Some((printed, kept)) = self.keeps_prefix.filter(|_| keeps_prefix) {
            assert!(snippet.contains(printed), "{printed:?} in {snippet}");
            snippet = snippet.replace(printed, kept);
        } else if keeps_prefix {
            let marked = |line: &&str| line.ends_with(REMOVES_PREFIX);
            assert_eq!(snippet.lines().filter(marked).count(), 1, "{snippet}");
            let kept = snippet.lines().filter(|line| !marked(line));
            snippet = kept.collect::<Vec<_>>().join("\n");
        }
        let (port, relay) = (relay.port().to_string(), relay.to_string());
        self.run(&snippet, &[("RELAY_PORT", port), ("RELAY", relay)])
    }

    /// A snippet as it stands in a test.
    pub(crate) fn replaced(&self, mut snippet: String) -> String {
        for (printed, tested) in self.replaced {
            assert!(snippet.contains(printed), "{printed:?} in {snippet}");
            snippet = snippet.replace(printed, tested);
        }
        snippet
    }

    /// Starts it with this snippet, in which these names stand for something, and waits until it
    /// listens.
    pub(crate) fn run(&self, snippet: &str, names: &[(&str, String)]) -> Running {
        let (folder, plain, tls) = (Folder::new(), free_addr(), free_addr());
        let path = folder.path().to_str().unwrap();
        let placed = |text: &str| {
            let text = text
                .replace("SNIPPET", snippet)
                .replace("FOLDER", path)
                .replace("PLAIN_PORT", &plain.port().to_string())
                .replace("TLS_PORT", &tls.port().to_string());
            let text = names
                .iter()
                .fold(text, |text, (name, value)| text.replace(name, value));
            text.replace("PLAIN", &plain.to_string())
                .replace("TLS", &tls.to_string())
        };
        let text = placed(self.around) + "\n";
        let ports = [plain, tls].into_iter();
        let ports = ports.filter(|addr| text.contains(&addr.port().to_string()));
        certificate(&folder);
        let file = folder.write("proxy.conf", &text);
        let log = fs::File::create(folder.path().join("output")).unwrap();
        let mut command = Command::new(self.files[0]);
        command
            .args(self.arguments.iter().map(|argument| placed(argument)))
            .arg(file)
            .env("HOME", path)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let mut process = Killed(command.spawn().unwrap());
        for addr in ports {
            until(self.name, || {
                let output = || fs::read_to_string(folder.path().join("output")).unwrap();
                let ended = process.0.try_wait().unwrap();
                assert!(ended.is_none(), "{}: {}", self.name, output());
                TcpStream::connect(addr).is_ok()
            });
        }
        Running {
            plain,
            tls,
            _process: process,
            folder,
        }
    }
}

/// Waits for this, up to 20 s.
#[allow(clippy::disallowed_methods, reason = "these threads run no tasks")]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let mut tries = 0;
    while !is_so() {
        assert!(tries < 1000, "still waiting for {what}");
        tries += 1;
        sleep(Duration::from_millis(20));
    }
}

/// The first block of code of the page in this language.
pub(super) fn snippet(language: &str) -> String {
    let opening = format!("\n```{language}\n");
    let (_, rest) = PAGE.split_once(&opening).expect("a snippet");
    let (snippet, _) = rest.split_once("```\n").expect("its end");
    snippet.to_owned()
}

/// Makes a certificate, with its key in the same file.
fn certificate(folder: &Folder) {
    let file = folder.path().join("cams.pem");
    let mut command = Command::new("openssl");
    command
        .args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"])
        .args(["-pkeyopt", "ec_paramgen_curve:P-256"])
        .args(["-subj", &format!("/CN={HOST}")])
        .args(["-addext", &format!("subjectAltName=DNS:{HOST}")])
        // A client that trusts it takes it for the server's own.
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-out")
        .arg(&file)
        .args(["-keyout", "-"]);
    let output = command.output().expect("openssl runs");
    assert!(output.status.success(), "{output:?}");
    let mut both = fs::read(&file).unwrap();
    both.extend(output.stdout);
    fs::write(&file, both).unwrap();
}

/// A proxy that listens. Killed when dropped.
pub(crate) struct Running {
    pub(crate) plain: SocketAddr,
    pub(super) tls: SocketAddr,
    _process: Killed,
    folder: Folder,
}

impl Running {
    /// Its certificate.
    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.path().join("cams.pem")
    }
}
