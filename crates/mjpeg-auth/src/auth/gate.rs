//! [`Auth`] as the gate of streams and pages.

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use mjpeg_http::{Access, Gate, Grant, Inquiry};

use crate::{
    auth::{
        Auth,
        refusal::refusal,
        who::{Means, Who},
    },
    config::rights::Right,
    rules::Rules,
};

#[async_trait]
impl Gate for Auth {
    async fn decide(&self, inquiry: &Inquiry) -> Access {
        let links = self.0.links.as_ref();
        if let Some(grant) = links.and_then(|links| links.grant(inquiry, SystemTime::now())) {
            return Access::Allow(grant);
        }
        // The same to the end: what was verified by old ones must not be proven for new ones.
        let rules = self.rules();
        let who = match self.identify_by(&rules, inquiry).await {
            Ok(who) => who,
            Err(error) => return Access::deny(error.response(inquiry)),
        };
        if !permits(&rules, &who, inquiry) {
            return Access::deny(refusal(&rules, &who, inquiry));
        }
        let mut grant = Grant::default();
        grant.identity = who.name().map(Arc::from);
        if who.means() == Means::Password
            && let Some(name) = who.name()
            && let Some(proof) = self.0.passwords.proof(&rules, name)
        {
            grant.proof = Some(Bytes::copy_from_slice(proof.as_ref()));
        }
        // A session's end is of no matter to somebody who would be admitted without it.
        if !permits(&rules, &Who::STRANGER, inquiry) {
            grant.until = who.ends_at().map(|until| until.into_std());
        }
        Access::Allow(grant)
    }
}

/// Whether somebody may do what an inquiry is about. The page is for everybody, unless nobody could
/// see anything there: it is where one logs in.
fn permits(rules: &Rules, who: &Who, inquiry: &Inquiry) -> bool {
    match Right::for_action(inquiry.action) {
        Some(right) => rules.may(who.name(), right, inquiry.stream.as_deref()),
        None => rules.is_of_use(),
    }
}
