//! [`Auth`] as the gate of streams and pages.

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use mjpeg_http::{Access, Gate, Grant, Inquiry};
use ring::hmac::Tag;

use crate::{
    auth::{
        Auth,
        proof::Proof,
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
        if !self.permits(&rules, &who, inquiry) {
            return self.decide_by_hook(&rules, &who, inquiry).await;
        }
        let mut grant = Grant::default();
        grant.identity = who.name().map(Arc::from);
        if let Some(proof) = self.password_proof(&rules, &who) {
            grant.proof = Some(Proof::new(Some(proof.as_ref()), None).write());
        }
        // The end of a session or token is of no matter to somebody who would be admitted without
        // it.
        if !self.permits(&rules, &Who::STRANGER, inquiry) {
            grant.until = who.ends_at().map(|until| until.into_std());
        }
        Access::Allow(grant)
    }
}

impl Auth {
    /// Whether somebody may do what an inquiry is about, by the settings. The page is for
    /// everybody, unless nobody could see anything there: it is where one logs in.
    fn permits(&self, rules: &Rules, who: &Who, inquiry: &Inquiry) -> bool {
        match Right::for_action(inquiry.action) {
            Some(right) => rules.may(who, right, inquiry.stream.as_deref()),
            None => rules.is_of_use() || self.has_hook(),
        }
    }

    /// Proves later which password was verified; `None` if it was none.
    pub(super) fn password_proof(&self, rules: &Rules, who: &Who) -> Option<Tag> {
        let name = who.name().filter(|_| who.means() == Means::Password)?;
        self.0.passwords.proof(rules, name)
    }
}
