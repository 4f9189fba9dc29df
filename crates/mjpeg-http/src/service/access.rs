//! Whether a stream's gate admits a request.

use bytes::Bytes;
use http::{Response, request::Parts};
use tokio::time::timeout;

use crate::{
    gate::{Access, Action, Grant, Inquiry, SharedGate},
    response::{body::ResponseBody, head, referrer, short},
    service::shared::{Caller, ServiceShared},
};

/// Why a gate does not admit a request.
pub(crate) enum GateRefusal {
    Denied(Box<Response<Bytes>>),
    /// It did not decide, or not in time.
    Undecided,
}

impl ServiceShared {
    /// What the gate is asked about a request.
    pub(crate) fn inquiry(&self, request: &Parts, action: Action, caller: &Caller) -> Inquiry {
        Inquiry {
            stream: self.name.clone(),
            method: request.method.clone(),
            uri: request.uri.clone(),
            headers: request.headers.clone(),
            peer: caller.peer,
            listener: caller.listener.clone().unwrap_or_else(|| "".into()),
            tls: caller.tls.clone(),
            ..Inquiry::new(action)
        }
    }

    /// Asks the gate. `None` if it did not decide, or not in time. Without a gate, everything is
    /// allowed.
    pub(crate) async fn ask_gate(&self, inquiry: &Inquiry) -> Option<Access> {
        let Some(SharedGate(gate)) = &self.gate else {
            return Some(Access::Allow(Grant::default()));
        };
        let limit = self.config().gate_timeout();
        match timeout(limit, gate.decide(inquiry)).await {
            Ok(Access::Undecided) => None,
            Ok(decided) => Some(decided),
            Err(_) => {
                self.counters.gate_timeouts.add_one();
                None
            }
        }
    }

    /// Whether whoever sent a request, which was admitted, may also control the stream.
    pub(crate) async fn may_control(&self, admitted: &Inquiry) -> bool {
        let mut inquiry = admitted.clone();
        inquiry.action = Action::Control;
        matches!(self.ask_gate(&inquiry).await, Some(Access::Allow(_)))
    }

    /// Asks the gate about a request that it has not decided about before.
    pub(crate) async fn granted(&self, inquiry: &Inquiry) -> Result<Grant, GateRefusal> {
        let refusal = match self.ask_gate(inquiry).await {
            Some(Access::Allow(grant)) => return Ok(grant),
            Some(Access::Deny(response)) => GateRefusal::Denied(response),
            Some(Access::Undecided) | None => GateRefusal::Undecided,
        };
        self.counters.denied.add_one();
        Err(refusal)
    }

    /// Does the same. Returns the response that refuses the request, as it is: it must not differ
    /// from what is answered for a stream that does not exist.
    pub(crate) async fn admit(
        &self,
        inquiry: &Inquiry,
    ) -> Result<Grant, Box<Response<ResponseBody>>> {
        let refused = self.granted(inquiry).await;
        refused.map_err(|refusal| match refusal {
            GateRefusal::Denied(response) => Box::new(response.map(ResponseBody::whole)),
            GateRefusal::Undecided => Box::new(short::undecided()),
        })
    }

    /// Redirects to the stream's root, at this relative URL, whoever may know that there is one.
    pub(crate) async fn redirect(
        &self,
        request: &Parts,
        location: &str,
        caller: &Caller,
    ) -> Response<ResponseBody> {
        let inquiry = self.inquiry(request, Action::Find, caller);
        let mut response = match self.admit(&inquiry).await {
            Ok(_) => {
                let config = self.config();
                head::share(short::moved(location), config.cors(), &request.headers)
            }
            Err(refusal) => *refusal,
        };
        if referrer::is_secret(&request.uri) {
            referrer::hide(&mut response);
        }
        response
    }
}
