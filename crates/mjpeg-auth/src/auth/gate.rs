//! [`Auth`] as the gate of streams and pages.

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use mjpeg_http::{Access, Gate, Grant, Inquiry};

use crate::{
    auth::{Auth, refusal::refusal, who::Who},
    config::rights::Right,
    policy::Policy,
};

#[async_trait]
impl Gate for Auth {
    async fn decide(&self, inquiry: &Inquiry) -> Access {
        let links = self.0.links.as_ref();
        if let Some(grant) = links.and_then(|links| links.grant(inquiry, SystemTime::now())) {
            return Access::Allow(grant);
        }
        let who = match self.identify(inquiry).await {
            Ok(who) => who,
            Err(error) => return Access::deny(error.response(inquiry)),
        };
        let policy = self.policy();
        if !permits(&policy, &who, inquiry) {
            return Access::deny(refusal(&policy, &who, inquiry));
        }
        let mut grant = Grant::default();
        grant.identity = who.name().map(Arc::from);
        // A session's end is of no matter to somebody who would be admitted without it.
        if !permits(&policy, &Who::STRANGER, inquiry) {
            grant.until = who.ends_at().map(|until| until.into_std());
        }
        Access::Allow(grant)
    }
}

/// Whether somebody may do what an inquiry is about. The page is for everybody, unless nobody could
/// see anything there: it is where one logs in.
fn permits(policy: &Policy, who: &Who, inquiry: &Inquiry) -> bool {
    match Right::for_action(inquiry.action) {
        Some(right) => policy.may(who.name(), right, inquiry.stream.as_deref()),
        None => policy.is_of_use(),
    }
}
