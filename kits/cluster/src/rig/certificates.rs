//! The certificates of a cluster: an authority, and one for each node.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// The authority of a cluster.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

/// Files of a node, as PEM.
#[derive(Clone, Debug)]
pub(crate) struct NodeCertificate {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) authority: PathBuf,
}

impl Authority {
    /// Makes an authority. All files go into this folder.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let mut params = CertificateParams::new([])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        fs::write(folder.join("authority.pem"), issuer.pem())?;
        Ok(Self {
            issuer,
            folder: folder.into(),
        })
    }

    /// Makes the certificate of a node at this address.
    pub(crate) fn node(&self, name: &str, ip: IpAddr) -> Result<NodeCertificate> {
        let key = KeyPair::generate()?;
        let params = CertificateParams::new([ip.to_string()])?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let files = NodeCertificate {
            certificate: self.folder.join(format!("{name}.pem")),
            key: self.folder.join(format!("{name}.key")),
            authority: self.folder.join("authority.pem"),
        };
        fs::write(&files.certificate, certificate.pem())?;
        fs::write(&files.key, key.serialize_pem())?;
        Ok(files)
    }
}
