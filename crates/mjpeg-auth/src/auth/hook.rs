//! What the settings leave open, and who decides that.

use std::sync::Arc;

use mjpeg_http::{Access, Grant, Inquiry};

use crate::{
    auth::{Auth, proof::Proof, refusal::refusal, who::Who},
    config::rights::Right,
    hook::{AuthHook, HookAnswer, HookQuestion, queries::HookPurpose},
    passwords::origin,
    rules::Rules,
};

impl Auth {
    /// Sets who decides about what the settings do not allow already; `None` for nobody, as it is
    /// at first. All clones see it. What the one before answered is forgotten.
    ///
    /// While there is a hook:
    ///
    /// * it is asked who may view, push or replay a named stream, wherever neither strangers nor
    ///   the user who asks may do that by the settings, and no link opens it. It takes nothing
    ///   away;
    /// * credentials in `Authorization` that the settings do not know are its matter: they are no
    ///   error where strangers are admitted, and a name that no user has costs no verification of
    ///   a password. A wrong password of a user is an error, as ever;
    /// * viewers should be [rechecked](mjpeg_http::StreamService::recheck) every
    ///   [`HOOK_RECHECK_INTERVAL`](crate::HOOK_RECHECK_INTERVAL). Those whom it no longer allows
    ///   end within a minute or so; an outage of the hook ends none.
    pub fn set_hook(&self, hook: Option<Arc<dyn AuthHook>>) {
        self.0.hook.set(hook);
    }

    /// Whether there is a hook.
    pub fn has_hook(&self) -> bool {
        self.0.hook.is_set()
    }

    /// Decides about what somebody may not do by the settings.
    pub(super) async fn decide_by_hook(
        &self,
        rules: &Rules,
        who: &Who,
        inquiry: &Inquiry,
    ) -> Access {
        let denied = || Access::deny(refusal(rules, who, inquiry));
        let Some(question) = question(who, inquiry).filter(|_| self.has_hook()) else {
            return denied();
        };
        let tag = self.0.hook.tag(&question);
        let proof = inquiry.proof.as_deref();
        let was_allowed = proof.is_some_and(|proof| Proof::read(proof).question == Some(&tag));
        let purpose = match was_allowed {
            true => HookPurpose::Recheck,
            false => HookPurpose::Request(inquiry.peer.and_then(|peer| origin::home(&peer))),
        };
        match self.0.hook.ask(&question, purpose).await {
            HookAnswer::Allow => {
                let mut grant = Grant::default();
                grant.identity = question.user.filter(|user| !user.is_empty());
                grant.until = who.ends_at().map(|until| until.into_std());
                let password = self.password_proof(rules, who);
                let password = password.as_ref().map(AsRef::as_ref);
                grant.proof = Some(Proof::new(password, Some(&tag)).write());
                Access::Allow(grant)
            }
            HookAnswer::Failed | HookAnswer::Unreachable if was_allowed => Access::Undecided,
            HookAnswer::Deny | HookAnswer::Failed | HookAnswer::Unreachable => denied(),
        }
    }
}

/// What a hook is asked; `None` if it is not its matter.
fn question(who: &Who, inquiry: &Inquiry) -> Option<HookQuestion> {
    let right = Right::for_action(inquiry.action)?;
    if !matches!(right, Right::View | Right::Push | Right::Replay) {
        return None;
    }
    let address = inquiry.peer.and_then(|peer| peer.addr());
    let (user, token) = match who.unknown() {
        Some(login) => (login.user.clone(), Some(Arc::clone(&login.token))),
        None => (who.name().map(Into::into), None),
    };
    Some(HookQuestion {
        user,
        token,
        address: address.map(|address| address.ip().to_canonical()),
        stream: inquiry.stream.clone()?,
        right,
    })
}
