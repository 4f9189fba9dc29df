//! The hook of the configuration: a URL that is asked who may view, push or replay a stream.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};
use mjpeg_auth::{Auth, AuthHook, HOOK_RECHECK_INTERVAL, HookAnswer, HookQuestion};
use mjpeg_manager::HttpOutlet;
use serde_json::json;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::{
    config::settings::HookSettings,
    outbound::{
        outage::{OutageEnd, RequestOutage},
        post::{OutboundError, post},
    },
};

/// Asks a URL.
struct UrlHook {
    settings: HookSettings,
    outage: Mutex<RequestOutage>,
}

/// Sets who is asked, if anybody.
pub(crate) fn set_hook(auth: &Auth, settings: Option<HookSettings>) {
    auth.set_hook(settings.map(|settings| Arc::new(UrlHook::new(settings)) as _));
}

impl UrlHook {
    fn new(settings: HookSettings) -> Self {
        Self {
            settings,
            outage: Mutex::default(),
        }
    }

    fn note_answer(&self) {
        let ended = self.outage().succeed(Instant::now());
        if let Some(OutageEnd { failures, lasted }) = ended {
            let outage_seconds = lasted.as_secs();
            info!(failures, outage_seconds, "the auth hook answers again");
        }
    }

    fn note_failure(&self, error: OutboundError) {
        let is_told = self.outage().fail(Instant::now());
        if is_told {
            let error = error.chain();
            warn!(
                error,
                "the auth hook does not answer; what it has to allow is denied"
            );
        }
    }

    /// Nothing that is done under the lock can panic.
    fn outage(&self) -> MutexGuard<'_, RequestOutage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AuthHook for UrlHook {
    async fn ask(&self, question: &HookQuestion) -> HookAnswer {
        let body = json!({
            "user": question.user.as_deref(),
            "token": question.token.as_deref(),
            "address": question.address,
            "stream": &*question.stream,
            "action": question.right.name(),
        });
        let HookSettings { ask, limit } = &self.settings;
        let body = body.to_string().into();
        let status = match post(ask, HeaderMap::new(), body, *limit).await {
            Ok(status) => status,
            Err(error) => {
                self.note_failure(error);
                return HookAnswer::Unreachable;
            }
        };
        let answer = answer(status);
        match answer {
            HookAnswer::Failed => self.note_failure(OutboundError::Status(status)),
            _ => self.note_answer(),
        }
        answer
    }
}

/// What a status means. Only a client error says no: a server that has failed, or one that leads
/// elsewhere, has not decided.
fn answer(status: StatusCode) -> HookAnswer {
    let is_undecided = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    match status {
        status if status.is_success() => HookAnswer::Allow,
        status if is_undecided.contains(&status) => HookAnswer::Failed,
        status if status.is_client_error() => HookAnswer::Deny,
        _ => HookAnswer::Failed,
    }
}

/// Asks again about all who watch, for as long as there is a hook.
pub(crate) async fn recheck_viewers(auth: Auth, http: HttpOutlet) {
    loop {
        sleep(HOOK_RECHECK_INTERVAL).await;
        if !auth.has_hook() {
            continue;
        }
        // One stream after the other: the hook is asked a few questions at a time anyway.
        for name in http.names() {
            if let Some(service) = http.service(name.as_str()) {
                service.recheck().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, AtomicUsize, Ordering},
        time::Duration,
    };

    use http::Request;
    use http_body_util::BodyExt;
    use mjpeg_auth::{AuthConfig, Rights};
    use mjpeg_manager::{Manager, ManagerConfig, StreamSpec};

    use super::*;
    use crate::background::OwnedTask;

    /// Allows everything, for a while.
    #[derive(Default)]
    struct Fickle {
        denies: AtomicBool,
        asked: AtomicUsize,
    }

    #[async_trait]
    impl AuthHook for Fickle {
        async fn ask(&self, _: &HookQuestion) -> HookAnswer {
            self.asked.fetch_add(1, Ordering::Relaxed);
            match self.denies.load(Ordering::Relaxed) {
                true => HookAnswer::Deny,
                false => HookAnswer::Allow,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn viewer_whom_the_hook_allows_no_longer_ends_within_a_minute() {
        let auth = Auth::new(AuthConfig::default().with_anonymous(Rights::NONE)).unwrap();
        let hook = Arc::new(Fickle::default());
        auth.set_hook(Some(Arc::clone(&hook) as _));
        let http = HttpOutlet::default().with_gate(Arc::new(auth.clone()));
        let manager = Manager::with_outlets(ManagerConfig::default(), [http.factory()]);
        let spec = StreamSpec::fed("door".parse().unwrap());
        let _publisher = manager.start_fed(spec).await.unwrap();
        let _rechecking = OwnedTask::start(recheck_viewers(auth, http.clone()));
        let service = http.service("door").unwrap();
        let answer = service.stream(Request::new(())).await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut body = answer.into_body();
        // It goes on for as long as it is allowed.
        let watching = async { while body.frame().await.is_some() {} };
        let watched = tokio::time::timeout(Duration::from_secs(600), watching).await;
        assert!(watched.is_err(), "it goes on");
        // Asked about once a minute, not more.
        let asked = hook.asked.load(Ordering::Relaxed);
        assert!((10..=13).contains(&asked), "{asked}");
        hook.denies.store(true, Ordering::Relaxed);
        let since = Instant::now();
        while body.frame().await.is_some() {}
        assert!(since.elapsed() <= Duration::from_secs(60));
    }

    #[test]
    fn only_a_client_error_says_no() {
        for (status, expected) in [
            (200, HookAnswer::Allow),
            (204, HookAnswer::Allow),
            (401, HookAnswer::Deny),
            (403, HookAnswer::Deny),
            (404, HookAnswer::Deny),
            (101, HookAnswer::Failed),
            (302, HookAnswer::Failed),
            (408, HookAnswer::Failed),
            (429, HookAnswer::Failed),
            (500, HookAnswer::Failed),
            (503, HookAnswer::Failed),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(answer(status), expected, "{status}");
        }
    }
}
