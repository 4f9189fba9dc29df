//! Certificates on both sides.

use std::sync::Arc;

use mjpeg_cluster::{
    LinkConfig, LinkFailure, LinkTls,
    mjpeg_codec::{Frame, Stamp},
    mjpeg_ingest::FrameOrder,
};
use mjpeg_testkit::jpeg;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::{
    node::{At, Node, STREAM, eventually},
    peer::{ask, client, ingest, next, refusal},
};

/// A cluster's authority.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap());
        Self(issuer.unwrap())
    }

    /// TLS with a certificate of this authority for this host, which trusts that authority.
    fn tls(&self, host: &str, trusted: &Self) -> LinkTls {
        let [certificate, key, authority] = self.pem(host, trusted);
        LinkTls::from_pem(certificate.as_bytes(), key.as_bytes(), authority.as_bytes()).unwrap()
    }

    /// The same as texts: a certificate, its key, and the authority.
    fn pem(&self, host: &str, trusted: &Self) -> [String; 3] {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        [certificate.pem(), key.serialize_pem(), trusted.0.pem()]
    }
}

async fn owner(tls: LinkTls) -> Node {
    Node::start_with(1, At::Here, LinkConfig::default(), Some(Arc::new(tls))).await
}

#[tokio::test]
async fn members_of_the_cluster_read_from_one_another() {
    let authority = Authority::new();
    let owner = owner(authority.tls("127.0.0.1", &authority)).await;
    let member = client().with_connector(Arc::new(authority.tls("relay-2", &authority)));
    let peer = owner.peers.to_string();
    assert!(member.engine(&peer).await.unwrap());
    let order = FrameOrder::new();
    let connection = member.pull(&peer, STREAM, &order).await.unwrap();
    eventually("it is there", || owner.link.stats().edges == 1).await;
    drop(connection);
    owner.is_left().await;
}

#[tokio::test]
async fn nobody_else_gets_anything() {
    let (authority, foreign) = (Authority::new(), Authority::new());
    let owner = owner(authority.tls("127.0.0.1", &authority)).await;
    let plain = refusal(&client(), owner.peers).await;
    assert!(!matches!(plain, LinkFailure::Refused { .. }), "{plain}");
    let plain = ask(owner.peers, "GET", "/cluster/v1/engine", &[]).await;
    plain.expect_err("no answer without TLS");
    // Its certificate is of another authority, though it trusts this one.
    let stranger = client().with_connector(Arc::new(foreign.tls("relay-2", &authority)));
    let refused = refusal(&stranger, owner.peers).await;
    assert!(
        matches!(refused, LinkFailure::Read(_) | LinkFailure::Tls { .. }),
        "{refused}"
    );
    stranger.engine(&owner.peers.to_string()).await.unwrap_err();
    let stats = owner.link.stats();
    assert_eq!((stats.edges, owner.service.stats().viewers), (0, 0));
}

#[tokio::test]
async fn node_is_read_only_if_it_is_who_it_is_to_be() {
    let (authority, foreign) = (Authority::new(), Authority::new());
    let member = client().with_connector(Arc::new(authority.tls("relay-2", &authority)));
    let stranger = owner(foreign.tls("127.0.0.1", &authority)).await;
    let refused = refusal(&member, stranger.peers).await;
    assert!(matches!(refused, LinkFailure::Tls { .. }), "{refused}");
    let other = owner(authority.tls("relay-3", &authority)).await;
    let refused = refusal(&member, other.peers).await;
    assert!(matches!(refused, LinkFailure::Tls { .. }), "{refused}");
}

#[tokio::test]
async fn certificates_are_replaced_for_new_connections_and_old_ones_go_on() {
    let (authority, renewed) = (Authority::new(), Authority::new());
    let of_owner = authority.tls("127.0.0.1", &authority);
    let of_member = authority.tls("relay-2", &authority);
    let owner = owner(of_owner.clone()).await;
    let member = client().with_connector(Arc::new(of_member.clone()));
    let mut edge = ingest(member.clone(), owner.peers, FrameOrder::new());
    let publish = |number| {
        let now = std::time::Instant::now();
        let stamp = Stamp::new(std::time::SystemTime::now(), now);
        let frame = Frame::parse(jpeg::numbered(number)).unwrap();
        owner.producer.publish(frame, stamp);
    };
    publish(1);
    let first = next(&mut edge).await.unwrap();
    let replace = |tls: &LinkTls, host| {
        let [certificate, key, authority] = renewed.pem(host, &renewed);
        let (certificate, key) = (certificate.as_bytes(), key.as_bytes());
        assert!(tls.replace(certificate, key, b"no authority").is_err());
        tls.replace(certificate, key, authority.as_bytes()).unwrap();
    };
    replace(&of_owner, "127.0.0.1");
    publish(2);
    assert!(next(&mut edge).await.unwrap() > first, "it goes on");
    // Who has the old ones does not get in any more.
    let refused = refusal(&member, owner.peers).await;
    assert!(matches!(refused, LinkFailure::Tls { .. }), "{refused}");
    replace(&of_member, "relay-2");
    assert!(member.engine(&owner.peers.to_string()).await.unwrap());
    assert_eq!(owner.link.stats().edges, 1, "the first is still there");
}
