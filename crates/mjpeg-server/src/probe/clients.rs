//! A client of a camera, and what it sees.

use std::{pin::pin, time::Duration};

use mjpeg_manager::{
    ProbeEvidence, ProbeFailure,
    mjpeg_codec::{
        DiscardReason, Frame, MissingEoi, SplitterConfig,
        verify::{Verdict, Verifier},
    },
    mjpeg_ingest::{Captured, Error, Event, FailureReason, Ingest, IngestConfig, Source},
};
use tokio::{task::yield_now, time::Instant};

/// The first client of a camera.
pub(super) struct FirstClient {
    ingest: Ingest,
    pub(super) evidence: ProbeEvidence,
    pub(super) first_picture: Option<Instant>,
    /// It has ended, or is not to connect again.
    pub(super) is_over: bool,
    failures: u32,
    /// How many bytes of pictures may still be checked.
    check_bytes: usize,
}

impl FirstClient {
    pub(super) fn new(source: &Source) -> Self {
        Self {
            ingest: Ingest::new(source.clone(), config()),
            evidence: ProbeEvidence::new(source),
            first_picture: None,
            is_over: false,
            failures: 0,
            check_bytes: CHECK_BYTES,
        }
    }

    /// Waits for the next event and takes it into account.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a picture that is being checked then counts as not checked.
    pub(super) async fn step(&mut self) {
        let Some(event) = self.ingest.next().await else {
            self.is_over = true;
            return;
        };
        match event {
            Event::Online { peer } => {
                let known = self.evidence.peer.replace(peer);
                self.evidence.reconnects += u64::from(known.is_some());
            }
            Event::Frame(captured) => self.take(captured).await,
            Event::Discarded { reason, bytes } => self.evidence.tally.discarded(reason, bytes),
            Event::Offline { error, .. } => self.offline(&error),
            _ => {}
        }
    }

    fn offline(&mut self, error: &Error) {
        self.failures += 1;
        match (self.first_picture, error.reason()) {
            (Some(_), FailureReason::Closed) => self.evidence.closes += 1,
            // That pictures come rarely is judged by their times.
            (Some(_), FailureReason::StallLimit) => self.is_over = true,
            _ => {
                let failure = ProbeFailure::of(error);
                let may_retry = ["status", "closed", "no_picture", "no_pictures"];
                let may_retry = may_retry.contains(&failure.code);
                self.is_over = !may_retry || self.failures >= MOST_FAILURES;
                self.evidence.failure = Some(failure);
            }
        }
    }

    /// Takes a picture.
    async fn take(&mut self, captured: Captured) {
        let frame = captured.frame;
        // Without EOI, it may have been cut off.
        if !frame.has_eoi() && matches!(verified(&frame).await, Verdict::Damaged(_)) {
            let bytes = frame.bytes().len() as u64;
            self.evidence
                .tally
                .discarded(DiscardReason::Truncated, bytes);
            return;
        }
        self.first_picture.get_or_insert_with(Instant::now);
        self.failures = 0;
        self.evidence.failure = None;
        let tally = &mut self.evidence.tally;
        tally.frame(&frame, captured.stamp.monotonic(), captured.in_burst);
        let rest = self.check_bytes.checked_sub(frame.bytes().len());
        if let Some(rest) = rest.filter(|_| tally.frames() <= CHECKED) {
            self.check_bytes = rest;
            let verdict = verified(&frame).await;
            self.evidence.tally.checked(verdict);
        }
    }

    /// Goes on until this time, or its end.
    pub(super) async fn run_until(&mut self, end: Instant, enough: impl Fn(&Self) -> bool) {
        while !self.is_over && !enough(self) {
            if tokio::time::timeout_at(end, self.step()).await.is_err() {
                return;
            }
        }
    }
}

/// A second client of a camera.
pub(super) struct OtherClient {
    ingest: Ingest,
    pub(super) pictures: u64,
    /// Why it was refused.
    pub(super) refusal: Option<String>,
}

impl OtherClient {
    /// Makes one from a source of its own, so that its answers are not mixed with the first's.
    pub(super) fn new(source: Source) -> Self {
        Self {
            ingest: Ingest::new(source, config()),
            pictures: 0,
            refusal: None,
        }
    }

    /// Goes on until it is refused, which it is once.
    pub(super) async fn run(&mut self) {
        while self.refusal.is_none() {
            match self.ingest.next().await {
                Some(Event::Frame(_)) => self.pictures += 1,
                Some(Event::Offline { error, .. }) => {
                    self.refusal = Some(error.chain().to_string());
                }
                Some(_) => {}
                None => break,
            }
        }
    }
}

/// Runs both until this time. The first is not to connect again.
pub(super) async fn both(first: &mut FirstClient, other: &mut OtherClient, end: Instant) -> u64 {
    let (frames, closes) = (first.evidence.tally.frames(), first.evidence.closes);
    let mut others = pin!(other.run());
    let mut is_refused = false;
    loop {
        tokio::select! {
            () = first.step(), if !first.is_over => {
                first.is_over |= first.evidence.closes > closes;
            }
            () = &mut others, if !is_refused => is_refused = true,
            () = tokio::time::sleep_until(end) => break,
        }
    }
    first.evidence.tally.frames() - frames
}

/// Checks a picture, in slices.
async fn verified(frame: &Frame) -> Verdict {
    let mut verifier = Verifier::new(frame);
    loop {
        if let Some(verdict) = verifier.step(SLICE_NANOS) {
            return verdict;
        }
        yield_now().await;
    }
}

fn config() -> IngestConfig {
    // The relay accepts pictures without EOI, too.
    let splitter = SplitterConfig::default().with_missing_eoi(MissingEoi::Accept);
    IngestConfig::default()
        .with_answer_timeout(ANSWER)
        .with_splitter(splitter)
}

/// How long the camera may take to answer.
const ANSWER: Duration = Duration::from_secs(11);

/// How often a camera is tried that answers, but without pictures.
const MOST_FAILURES: u32 = 3;

/// How many pictures are checked inside, and how many bytes of them at most.
const CHECKED: u64 = 8;
const CHECK_BYTES: usize = 4 << 20;

/// How long a check may keep the thread at a time.
const SLICE_NANOS: usize = 500_000;
