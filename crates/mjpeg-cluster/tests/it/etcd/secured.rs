//! An etcd that asks for a login, and one that asks for certificates.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use etcd_client::{Client, ConnectOptions, Permission, PermissionType};
use mjpeg_cluster::{Engine, EngineError, Etcd, EtcdConfig, EtcdTls, NodeName};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};
use tracing::{Event, Level, Metadata, Subscriber, span};

use super::{Neighbours, PATIENCE, mine, process::Group, start_on};

/// Lets only users with a password in, one of which may do what a cluster needs. Returns the
/// client of the one who may do everything.
async fn lock(group: &Group) -> Client {
    let mut client = Client::connect(group.endpoints(), None).await.unwrap();
    let up = async {
        while client.get("x", None).await.is_err() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, up).await.expect("etcd is up");
    client.user_add("root", "root's", None).await.unwrap();
    client.role_add("root").await.unwrap();
    client.user_grant_role("root", "root").await.unwrap();
    client.role_add("relay").await.unwrap();
    let permission = Permission::new(PermissionType::Readwrite, "/mjpeg/plant/").with_prefix();
    client
        .role_grant_permission("relay", permission)
        .await
        .unwrap();
    client.user_add("relay", "right", None).await.unwrap();
    client.user_grant_role("relay", "relay").await.unwrap();
    client.auth_enable().await.unwrap();
    let root = ConnectOptions::new().with_user("root", "root's");
    Client::connect(group.endpoints(), Some(root))
        .await
        .unwrap()
}

fn config(group: &Group) -> EtcdConfig {
    let plant = NodeName::new("plant").unwrap();
    // Checking a password takes etcd long on a loaded machine.
    EtcdConfig::new(plant, group.endpoints()).with_call_timeout(Duration::from_secs(3))
}

#[tokio::test(flavor = "multi_thread")]
async fn node_logs_in_and_again_when_etcd_has_forgotten_it() {
    let Some(mut group) = Group::start(1) else {
        return;
    };
    lock(&group).await;
    let etcd = Etcd::connect(config(&group).with_login("relay", "right"))
        .await
        .unwrap();
    let a = start_on("a", etcd, &Neighbours::default());
    let tenure = mine(&a).await;
    // Its tokens end with it.
    group.kill(0);
    let away = async {
        while a.stats().engine_up {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, away).await.expect("it is away");
    group.restart(0);
    let back = async {
        while !a.stats().engine_up || a.stats().hold {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, back).await.expect("it is back");
    assert!(tenure.is_open(Instant::now()));
}

#[tokio::test]
async fn login_outlives_a_change_of_etcds_users() {
    let folder = TempDir::new().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, "the secret of the tokens").unwrap();
    // Such a token counts only for the users that there were when it was given.
    let tokens = format!(
        "--auth-token=jwt,sign-method=HS256,priv-key={}",
        key.display()
    );
    let Some(group) = Group::start_alone(&[tokens]) else {
        return;
    };
    let mut root = lock(&group).await;
    let etcd = Etcd::connect(config(&group).with_login("relay", "right"));
    let etcd = etcd.await.unwrap();
    etcd.read().await.unwrap();
    root.user_add("another", "secret", None).await.unwrap();
    let _ = etcd.read().await;
    etcd.read().await.expect("it has logged in again");
}

#[tokio::test]
async fn login_that_is_refused_says_so_and_is_logged_once() {
    let Some(group) = Group::start(1) else { return };
    lock(&group).await;
    let warnings = Warnings::default();
    let _logging = tracing::subscriber::set_default(warnings.clone());
    let nobody = Etcd::connect(config(&group)).await.unwrap();
    let refused = nobody.read().await.unwrap_err();
    assert!(matches!(refused, EngineError::Login(_)), "{refused:?}");
    assert_eq!(warnings.count(), 1);
    let config = config(&group).with_login("relay", "wr0ng");
    assert!(!format!("{config:?}").contains("wr0ng"), "{config:?}");
    assert!(!format!("{config:?}").contains("relay"), "{config:?}");
    let etcd = Etcd::connect(config).await.unwrap();
    for _ in 0..3 {
        let refused = etcd.read().await.unwrap_err();
        assert!(matches!(refused, EngineError::Login(_)), "{refused:?}");
        assert!(refused.is_answer());
        assert!(!format!("{refused:?}").contains("wr0ng"), "{refused:?}");
    }
    assert_eq!(warnings.count(), 2, "one for each");
}

#[tokio::test]
async fn login_that_was_refused_is_tried_again_a_second_later() {
    let Some(group) = Group::start(1) else { return };
    let mut root = lock(&group).await;
    let warnings = Warnings::default();
    let _logging = tracing::subscriber::set_default(warnings.clone());
    let etcd = Etcd::connect(config(&group).with_login("relay", "later"));
    let etcd = etcd.await.unwrap();
    etcd.read().await.unwrap_err();
    // It is not asked for each call: that takes etcd long.
    let again = format!("{:?}", etcd.read().await.unwrap_err());
    assert!(again.contains("a moment ago"), "{again}");
    root.user_change_password("relay", "later").await.unwrap();
    let works = async {
        while etcd.read().await.is_err() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, works).await.expect("it is right now");
    assert_eq!(warnings.count(), 1);
    // The next outage is logged as well.
    root.user_change_password("relay", "other").await.unwrap();
    etcd.read().await.unwrap_err();
    etcd.read().await.unwrap_err();
    assert_eq!(warnings.count(), 2);
}

#[tokio::test]
async fn user_without_rights_is_refused_and_the_engine_has_answered() {
    let Some(group) = Group::start(1) else { return };
    lock(&group).await;
    let other = EtcdConfig::new(NodeName::new("other").unwrap(), group.endpoints())
        .with_call_timeout(Duration::from_secs(3))
        .with_login("relay", "right");
    let refused = Etcd::connect(other).await.unwrap().read().await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, EngineError::Refused(_)), "{refused:?}");
    assert!(refused.is_answer());
}

/// Counts what is logged as a warning.
#[derive(Clone, Default)]
struct Warnings(Arc<AtomicUsize>);

impl Warnings {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN && metadata.target().starts_with("mjpeg_cluster")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// An authority, and what it has signed.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap());
        Self(issuer.unwrap())
    }

    /// A certificate and its key.
    fn signs(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_shown_and_asked_for() {
    let (authority, foreign) = (Authority::new(), Authority::new());
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (certificate, key) = authority.signs("127.0.0.1");
    let args = [
        format!("--cert-file={}", file("cert", &certificate)),
        format!("--key-file={}", file("key", &key)),
        format!("--trusted-ca-file={}", file("ca", &authority.pem())),
        "--client-cert-auth".to_owned(),
    ];
    let Some(group) = Group::start_secured(&args) else {
        return;
    };
    let with = |ca: &Authority, identity| {
        let ca = ca.pem();
        config(&group).with_tls(EtcdTls { ca, identity })
    };
    let member = with(&authority, Some(authority.signs("relay-1")));
    let etcd = Etcd::connect(member).await.unwrap();
    let a = start_on("a", etcd, &Neighbours::default());
    mine(&a).await;
    // It trusts another authority than etcd's.
    let mistaken = with(&foreign, Some(authority.signs("relay-1")));
    let refused = Etcd::connect(mistaken).await.unwrap().read().await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, EngineError::Tls(_)), "{refused:?}");
    assert!(
        format!("{refused:?}").contains("invalid peer certificate"),
        "{refused:?}"
    );
    // It has no certificate, or one of another authority.
    for identity in [None, Some(foreign.signs("relay-1"))] {
        let stranger = Etcd::connect(with(&authority, identity)).await.unwrap();
        let refused = stranger.read().await.unwrap_err();
        assert!(!refused.is_answer(), "{refused:?}");
        println!("a stranger is told: {refused:?}");
    }
}
