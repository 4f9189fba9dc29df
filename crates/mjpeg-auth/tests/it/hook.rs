//! Somebody else who decides what the settings leave open.

mod asked;
mod remembered;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use mjpeg_auth::{Auth, AuthHook, HookAnswer, HookQuestion};
use mjpeg_http::{Access, Action, Gate, Grant, Inquiry, Peer};
use tokio::sync::Semaphore;

use crate::basic;

/// Answers as it is told, and remembers what it was asked.
struct TestHook {
    asked: Mutex<Vec<HookQuestion>>,
    /// What comes next; when there is nothing left, the last one again.
    answers: Mutex<VecDeque<HookAnswer>>,
    /// How many answers may be given.
    release: Semaphore,
}

impl TestHook {
    /// Answers at once.
    fn set(auth: &Auth, answers: impl IntoIterator<Item = HookAnswer>) -> Arc<Self> {
        let hook = Self::set_held(auth, answers);
        hook.release.add_permits(1_000_000);
        hook
    }

    /// Answers when it is released.
    fn set_held(auth: &Auth, answers: impl IntoIterator<Item = HookAnswer>) -> Arc<Self> {
        let hook = Arc::new(Self {
            asked: Mutex::default(),
            answers: Mutex::new(answers.into_iter().collect()),
            release: Semaphore::new(0),
        });
        auth.set_hook(Some(Arc::clone(&hook) as _));
        hook
    }

    fn answer(&self, answer: HookAnswer) {
        *self.answers.lock().unwrap() = [answer].into();
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn last(&self) -> HookQuestion {
        self.asked
            .lock()
            .unwrap()
            .last()
            .expect("it was asked")
            .clone()
    }
}

#[async_trait]
impl AuthHook for TestHook {
    async fn ask(&self, question: &HookQuestion) -> HookAnswer {
        self.asked.lock().unwrap().push(question.clone());
        self.release.acquire().await.unwrap().forget();
        let mut answers = self.answers.lock().unwrap();
        match answers.len() {
            1 => answers[0],
            _ => answers.pop_front().expect("an answer"),
        }
    }
}

/// A request for a stream with this `Authorization`, from 192.0.2.1.
fn inquiry(stream: &str, authorization: &str) -> Inquiry {
    let mut inquiry = Inquiry::new(Action::Stream);
    inquiry.stream = Some(stream.into());
    inquiry.peer = Some(peer("192.0.2.1:1000"));
    if !authorization.is_empty() {
        let value = authorization.parse().unwrap();
        inquiry.headers.insert("authorization", value);
    }
    inquiry
}

fn peer(addr: &str) -> Peer {
    Peer::from(addr.parse::<SocketAddr>().unwrap())
}

fn login(name: &str, password: &str) -> String {
    basic(name, password)["Authorization: ".len()..]
        .trim()
        .to_owned()
}

async fn allowed(auth: &Auth, inquiry: &Inquiry) -> Option<Grant> {
    match auth.decide(inquiry).await {
        Access::Allow(grant) => Some(grant),
        _ => None,
    }
}

async fn status(auth: &Auth, inquiry: &Inquiry) -> u16 {
    match auth.decide(inquiry).await {
        Access::Allow(_) => 200,
        Access::Deny(response) => response.status().as_u16(),
        _ => 503,
    }
}
