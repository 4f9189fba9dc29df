//! Users who are known by the certificate of their client.

use std::{path::Path, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    },
};

use super::{Controlled, INCLUDE};
use crate::cert::{Directory, make};

/// The status of an answer to somebody with this certificate.
async fn status(relay: &Controlled, server: &Directory, client: Option<&Path>) -> String {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(server.join("cert.pem")).unwrap();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        None => config.with_no_client_auth(),
        Some(folder) => {
            let own = CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
            let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
            config.with_client_auth_cert(vec![own], key).unwrap()
        }
    };
    let stream = TcpStream::connect(relay.addr()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await.unwrap();
    let request = "GET /api/v1/config HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = vec![0; 12];
    stream.read_exact(&mut head).await.unwrap();
    String::from_utf8_lossy(&head[9..]).into_owned()
}

#[tokio::test]
async fn certificate_of_a_user_is_as_good_as_a_password() {
    let [server, ann, eve] = ["mtls", "mtls-ann", "mtls-eve"].map(Directory::new);
    let printed = [&server, &ann, &eve].map(|folder| make(folder, &[]));
    let fingerprint = printed[1]
        .split_whitespace()
        .find(|word| word.matches(':').count() == 31)
        .expect("a fingerprint");
    let text = format!(
        "{INCLUDE}[[listen]]\naddress = \"127.0.0.1:0\"\nserve = [\"page\", \"control\"]\n\
         tls = {{ certificate = {:?}, key = {:?}, client_certificates = true }}\n\
         [[users]]\nname = \"ann\"\ncertificate = \"{fingerprint}\"\nmay = [\"control\"]\n",
        server.join("cert.pem"),
        server.join("key.pem"),
    );
    let relay = Controlled::of(&text);
    assert_eq!(status(&relay, &server, Some(ann.path())).await, "200");
    assert_eq!(status(&relay, &server, Some(eve.path())).await, "401");
    assert_eq!(status(&relay, &server, None).await, "401");
}
