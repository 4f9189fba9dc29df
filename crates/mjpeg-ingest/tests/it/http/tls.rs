//! Encrypted cameras, and the certificates that are accepted.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use mjpeg_ingest::Source;
use mjpeg_testkit::{Camera, FakeHttpCamera, Script, Step};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

use super::{answer, ingest, next_number, part, picture, send, stream_head, until_offline};

/// A certificate with its key, and the certificate to trust for it.
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    pub(crate) ca_pem: String,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn issued(authority: &Authority, params: CertificateParams) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    Identity {
        certificate: certificate.der().clone(),
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        ca_pem: authority.pem(),
    }
}

fn named(name: &str) -> CertificateParams {
    CertificateParams::new([name.to_owned()]).unwrap()
}

/// A certificate as `openssl req -x509` and many cameras make it: its own authority, with a name
/// that does not match.
pub(crate) fn self_signed() -> Identity {
    let own = {
        let mut params = named("camera");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    Identity {
        certificate: own.der().clone(),
        key: PrivateKeyDer::try_from(own.key().serialize_der()).unwrap(),
        ca_pem: own.pem(),
    }
}

/// Puts TLS in front of a camera until dropped.
pub(crate) struct Encrypted {
    pub(crate) addr: SocketAddr,
    _task: JoinSet<()>,
}

impl Encrypted {
    pub(crate) async fn start(identity: &Identity, behind: SocketAddr) -> Self {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![identity.certificate.clone()], identity.key.clone_key())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                open.spawn(async move {
                    // A client that refuses the certificate hangs up.
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        let mut behind = TcpStream::connect(behind).await.unwrap();
                        let _ = copy_bidirectional(&mut stream, &mut behind).await;
                    }
                });
            }
        });
        Self { addr, _task: task }
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.addr)
    }
}

fn streaming() -> FakeHttpCamera {
    FakeHttpCamera::start(|_| vec![stream_head(), send(part(1)), Step::Stall])
}

async fn refusal(source: Source) -> String {
    until_offline(&mut ingest(source)).await.1
}

#[tokio::test]
async fn certificate_of_nobody_known_is_refused_with_what_to_do() {
    let camera = streaming();
    for identity in [self_signed(), issued(&authority(), named("127.0.0.1"))] {
        let encrypted = Encrypted::start(&identity, camera.addr()).await;
        let error = refusal(encrypted.url("/").parse().unwrap()).await;
        assert!(
            error.contains("the camera's certificate ")
                && error.contains("#ca=")
                && error.contains("#insecure"),
            "{error}"
        );
    }
    assert!(
        camera.requests().is_empty(),
        "nothing is said to a stranger"
    );
}

#[tokio::test]
async fn camera_is_believed_by_its_authority_by_itself_or_without_a_look() {
    let camera = streaming();
    for identity in [self_signed(), issued(&authority(), named("127.0.0.1"))] {
        let encrypted = Encrypted::start(&identity, camera.addr()).await;
        let url = encrypted.url("/");
        let pem = identity.ca_pem.clone();
        let file = std::env::temp_dir().join(format!(
            "mjpeg-ingest-{}-{}.pem",
            std::process::id(),
            encrypted.addr.port()
        ));
        std::fs::write(&file, &pem).unwrap();
        for source in [
            Source::http(
                mjpeg_ingest::HttpCamera::new(&url)
                    .unwrap()
                    .with_ca_pem(pem),
            ),
            format!("{url}#ca={}", file.display()).parse().unwrap(),
            format!("{url}#insecure").parse().unwrap(),
        ] {
            assert_eq!(next_number(&mut ingest(source)).await, 1);
        }
        std::fs::remove_file(&file).unwrap();
        let error = refusal(format!("{url}#ca={}", file.display()).parse().unwrap()).await;
        assert!(
            error.starts_with(&format!("cannot open {}: ", file.display())),
            "{error}"
        );
    }
}

#[tokio::test]
async fn another_authority_another_name_and_an_old_certificate_are_refused() {
    let (camera, ours) = (streaming(), authority());
    let believed_by = |encrypted: &Encrypted, pem: String| {
        Source::http(
            mjpeg_ingest::HttpCamera::new(&encrypted.url("/"))
                .unwrap()
                .with_ca_pem(pem),
        )
    };
    let good = issued(&ours, named("127.0.0.1"));
    let encrypted = Encrypted::start(&good, camera.addr()).await;
    for other in [authority().pem(), self_signed().ca_pem] {
        let error = refusal(believed_by(&encrypted, other)).await;
        assert!(
            error.contains("vouched for by nobody who is trusted"),
            "{error}"
        );
    }
    let error = refusal(believed_by(&encrypted, "no certificate".into())).await;
    assert!(
        error.starts_with("the certificates to trust (ca) cannot be read: "),
        "{error}"
    );
    let other_name = issued(&ours, named("camera.example"));
    let encrypted = Encrypted::start(&other_name, camera.addr()).await;
    let error = refusal(believed_by(&encrypted, ours.pem())).await;
    assert!(error.contains("certificate is for another name"), "{error}");
    let mut old = named("127.0.0.1");
    old.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let encrypted = Encrypted::start(&issued(&ours, old), camera.addr()).await;
    let error = refusal(believed_by(&encrypted, ours.pem())).await;
    assert!(error.contains("certificate has expired"), "{error}");
    assert!(camera.requests().is_empty());
}

#[tokio::test]
async fn polled_pictures_and_logins_work_encrypted_too() {
    let identity = self_signed();
    let camera = FakeHttpCamera::start(|asked| match asked.header("authorization") {
        Some("Basic bWU6cHc=") => vec![picture(3)],
        _ => vec![answer(
            "401 No",
            "WWW-Authenticate: Basic realm=\"x\"\r\n",
            b"",
        )],
    });
    let encrypted = Encrypted::start(&identity, camera.addr()).await;
    let url = encrypted
        .url("/#fps=50&insecure")
        .replacen("//", "//me:pw@", 1);
    let mut ingest = ingest(url.parse().unwrap());
    for _ in 0..3 {
        assert_eq!(next_number(&mut ingest).await, 3);
    }
    assert_eq!(camera.camera().connections(), 1);
}

#[tokio::test]
async fn redirects_lead_into_encryption_and_never_out_of_it() {
    let identity = self_signed();
    let behind = FakeHttpCamera::start(|asked| match asked.path() {
        "/out" => vec![answer(
            "302 Found",
            "Location: http://127.0.0.1:1/x\r\n",
            b"",
        )],
        _ => vec![stream_head(), send(part(1)), Step::Stall],
    });
    let encrypted = Encrypted::start(&identity, behind.addr()).await;
    let there = encrypted.url("/in");
    let plain = FakeHttpCamera::start(move |_| {
        vec![answer("301 Moved", &format!("Location: {there}\r\n"), b"")]
    });
    let pinned = |url: &str| {
        Source::http(
            mjpeg_ingest::HttpCamera::new(url)
                .unwrap()
                .with_ca_pem(identity.ca_pem.clone()),
        )
    };
    assert_eq!(next_number(&mut ingest(pinned(&plain.url("/")))).await, 1);
    let error = refusal(pinned(&encrypted.url("/out"))).await;
    assert!(
        error.starts_with(
            "the camera redirects from https to http://127.0.0.1:1, which is not encrypted"
        ),
        "{error}"
    );
}

#[tokio::test]
async fn camera_that_is_not_encrypted_is_no_certificate_trouble() {
    let camera = Camera::start(Script::new(vec![send("HTTP/1.1 400 Bad Request\r\n\r\n")])).await;
    let url = format!("https://{}/#insecure", camera.addr());
    let error = refusal(url.parse().unwrap()).await;
    assert!(
        error.starts_with("no encrypted connection to the camera: "),
        "{error}"
    );
}

#[tokio::test]
async fn old_encryption_is_named_with_what_to_do() {
    // Alerts of a server that knows only TLS 1.1, or only RSA key exchange; and the hello of one
    // that answers with TLS 1.1 at once.
    let mut hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    hello.extend_from_slice(&[7; 32]);
    hello.extend_from_slice(&[0, 0, 0x2F, 0]);
    for (bytes, told) in [
        (vec![0x15, 3, 1, 0, 2, 2, 70], "only TLS 1.1 or older"),
        (hello, "only TLS 1.1 or older"),
        (
            vec![0x15, 3, 3, 0, 2, 2, 40],
            "only RSA key exchange or CBC",
        ),
        (
            vec![0x15, 3, 3, 0, 2, 2, 71],
            "only RSA key exchange or CBC",
        ),
    ] {
        let camera = Camera::start(Script::new(vec![send(bytes), Step::Stall])).await;
        let url = format!("https://{}/#insecure", camera.addr());
        let error = refusal(url.parse().unwrap()).await;
        assert!(
            error.contains(told) && error.contains("firmware") && error.contains("stunnel"),
            "{error}"
        );
    }
}
