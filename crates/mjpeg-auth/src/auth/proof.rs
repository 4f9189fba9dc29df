//! What shows in a recheck why somebody was admitted.

use bytes::Bytes;

use crate::hook::answers::QuestionTag;

/// The proof of a grant: which password was verified, and what the hook has allowed.
pub(super) struct Proof<'a> {
    pub(super) password: Option<&'a [u8]>,
    pub(super) question: Option<&'a QuestionTag>,
}

impl<'a> Proof<'a> {
    pub(super) fn new(password: Option<&'a [u8]>, question: Option<&'a QuestionTag>) -> Self {
        Self { password, question }
    }

    /// Reads what [`write`](Self::write) has written.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let (password, question) = match bytes.split_last_chunk() {
            Some((password, question)) => (password, Some(question)),
            None => (bytes, None),
        };
        Self {
            password: (!password.is_empty()).then_some(password),
            question: question.filter(|question| **question != NO_QUESTION),
        }
    }

    pub(super) fn write(&self) -> Bytes {
        let password = self.password.unwrap_or_default();
        let question = self.question.unwrap_or(&NO_QUESTION);
        [password, question].concat().into()
    }
}

/// No digest is that.
const NO_QUESTION: QuestionTag = [0; 32];
