//! Signed links: where their key is kept, and what the API asks for.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use async_trait::async_trait;
use futures_util::future::join_all;
use mjpeg_auth::{LinkError, Links as Signer};
use mjpeg_control::{Error, ErrorCode, IssuedLink, LinkIssuer, LinkRequest, LinkUse};
use mjpeg_manager::{HttpOutlet, StreamName};
use tracing::warn;

use crate::background::in_background;

/// Opens the links. They outlast the relay if it has users, for whom alone they matter; else a
/// relay that is only tried out would leave files behind.
pub(crate) fn open(state_dir: Option<&Path>, has_users: bool) -> Signer {
    if has_users && let Some(folder) = state_dir.map(Path::to_owned).or_else(default_folder) {
        // If it cannot be made, opening its files says so.
        let _ = make(&folder);
        match Signer::open(&folder) {
            Ok(signer) => return signer,
            Err(error) => warn!(
                folder = %folder.display(),
                %error,
                "signed links are forgotten when the relay ends: they cannot be kept"
            ),
        }
    }
    Signer::new(Signer::new_key())
}

/// Makes a folder that only this user can read.
pub(crate) fn make(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

pub(crate) fn default_folder() -> Option<PathBuf> {
    let set = |variable| env::var_os(variable).filter(|value| !value.is_empty());
    if let Some(folders) = set("STATE_DIRECTORY") {
        // systemd may name several, separated by colons.
        return Some(PathBuf::from(folders.to_str()?.split(':').next()?));
    }
    let of_system = PathBuf::from("/var/lib").join(PROGRAM);
    if of_system.is_dir() {
        return Some(of_system);
    }
    let of_user = set("XDG_STATE_HOME").map(PathBuf::from);
    let of_home = || Some(PathBuf::from(set("HOME")?).join(".local/state"));
    Some(of_user.or_else(of_home)?.join(PROGRAM))
}

/// Makes links for the API.
pub(crate) struct LinkService {
    pub(crate) signer: Signer,
    /// Whose viewers may have come by a link.
    pub(crate) http: HttpOutlet,
}

#[async_trait]
impl LinkIssuer for LinkService {
    async fn create(&self, wanted: LinkRequest) -> Result<IssuedLink, Error> {
        let action = match wanted.action {
            LinkUse::Stream => mjpeg_auth::LinkAction::Stream,
            LinkUse::Snapshot => mjpeg_auth::LinkAction::Snapshot,
            _ => {
                let detail = "links are for stream or snapshot";
                return Err(Error::new(ErrorCode::InvalidSpec, detail));
            }
        };
        let expires = SystemTime::now() + wanted.valid;
        let mut spec = mjpeg_auth::LinkSpec::new(wanted.stream.as_str(), action, expires);
        if let Some(fps) = wanted.fps {
            spec = spec.with_max_fps(fps);
        }
        let signer = self.signer.clone();
        let signed = in_background(move || signer.create(spec)).await;
        let signed = signed.map_err(refusal)?;
        let mut link = IssuedLink::new(signed.id(), wanted.stream, wanted.action, expires);
        link.fps = wanted.fps;
        let path = match wanted.action {
            LinkUse::Snapshot => "snapshot",
            _ => "stream",
        };
        link.url = Some(format!("{}/{path}?{}", link.stream, signed.query()));
        Ok(link)
    }

    async fn list(&self) -> Result<Vec<IssuedLink>, Error> {
        let links = self.signer.list_valid().into_iter();
        Ok(links.filter_map(|link| listed(&link)).collect())
    }

    async fn revoke(&self, id: &str) -> Result<(), Error> {
        let (signer, of_link) = (self.signer.clone(), id.to_owned());
        let revoked = in_background(move || signer.revoke(&of_link)).await;
        if !revoked.map_err(refusal)? {
            let detail = "there is no such link";
            return Err(Error::new(ErrorCode::NotFound, detail));
        }
        let names = self.http.names().into_iter();
        let services = names.filter_map(|name| self.http.service(name.as_str()));
        join_all(services.map(async |service| service.recheck().await)).await;
        Ok(())
    }
}

fn listed(link: &mjpeg_auth::Link) -> Option<IssuedLink> {
    let action = match link.action() {
        mjpeg_auth::LinkAction::Stream => LinkUse::Stream,
        mjpeg_auth::LinkAction::Snapshot => LinkUse::Snapshot,
        _ => return None,
    };
    let stream: StreamName = link.stream().parse().ok()?;
    let mut listed = IssuedLink::new(link.id(), stream, action, link.expires());
    listed.fps = link.max_fps();
    Some(listed)
}

fn refusal(error: LinkError) -> Error {
    let code = match &error {
        LinkError::Expiry | LinkError::MaxFps => ErrorCode::InvalidSpec,
        LinkError::Io { .. } | LinkError::Untrusted { .. } => ErrorCode::NotPersistent,
        _ => ErrorCode::Busy,
    };
    Error::new(code, error.to_string())
}

const PROGRAM: &str = "mjpeg-server";
