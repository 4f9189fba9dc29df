//! The task of a node: it sends what is to be sent, and wakes up when something is due.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    cluster::{core::EndedTenure, shared::ClusterShared},
    engine::{Engine, error::EngineError},
    node::{Call, CallAnswer, Node, NodeAction},
    peers::PeerEngine,
};

/// Runs a node until the task is aborted.
pub(crate) async fn run(
    shared: Arc<ClusterShared>,
    engine: Arc<dyn Engine>,
    peers: Arc<dyn PeerEngine>,
) {
    let mut tasks = JoinSet::new();
    tasks.spawn(watch(Arc::clone(&shared), Arc::clone(&engine)));
    shared.with(Node::step);
    loop {
        let (outbox, ended, due) = {
            let mut core = shared.core();
            let outbox = std::mem::take(&mut core.outbox);
            (outbox, std::mem::take(&mut core.ended), core.node.due())
        };
        for action in outbox {
            let (shared, engine, peers) =
                (Arc::clone(&shared), Arc::clone(&engine), Arc::clone(&peers));
            tasks.spawn(carry_out(shared, engine, peers, action));
        }
        for tenure in ended {
            tasks.spawn(closing(Arc::clone(&shared), tenure));
        }
        let waking = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = shared.wake.notified() => {}
            () = waking => shared.with(Node::step),
            Some(_) = tasks.join_next() => {}
        }
    }
}

/// Waits until the connections of a tenure are closed. If they are not in time, the node gives the
/// claim back all the same.
async fn closing(shared: Arc<ClusterShared>, tenure: EndedTenure) {
    let EndedTenure {
        stream,
        epoch,
        closed,
    } = tenure;
    closed.await;
    let core = shared.core();
    core.unclosed.send_modify(|unclosed| *unclosed -= 1);
    drop(core);
    shared.with(|node, now| node.closed(&stream, epoch, now));
}

async fn carry_out(
    shared: Arc<ClusterShared>,
    engine: Arc<dyn Engine>,
    peers: Arc<dyn PeerEngine>,
    action: NodeAction,
) {
    let lease = shared.config.lease();
    match action {
        NodeAction::Call { op, call } => {
            if matches!(call, Call::Revoke(_)) {
                // The claims end with the lease. It would end by itself after this time.
                let mut unclosed = shared.core().unclosed.subscribe();
                let closed = unclosed.wait_for(|unclosed| *unclosed == 0);
                let _ = timeout(lease / 5, closed).await;
            }
            // Whatever the engine's implementation promises, nobody waits for longer than this.
            let called = timeout(lease * 3 / 5, execute(&*engine, call, lease)).await;
            let answer = called.unwrap_or(CallAnswer::Failed { answered: false });
            shared.with(|node, now| node.called(op, answer, now));
        }
        NodeAction::Ask { op, address } => {
            let asked = timeout(lease / 5, peers.reaches_engine(&address)).await;
            let reaches = asked.ok().flatten();
            shared.with(|node, now| node.answered(op, reaches, now));
        }
        NodeAction::Changed(_)
        | NodeAction::Claimed(_)
        | NodeAction::Renewed { .. }
        | NodeAction::Rewound { .. }
        | NodeAction::Lapsed => {}
    }
}

async fn execute(engine: &dyn Engine, call: Call, lease: Duration) -> CallAnswer {
    let answer = match &call {
        Call::Grant => engine.grant(lease).await.map(CallAnswer::Granted),
        Call::KeepAlive(lease) => engine.keep_alive(*lease).await.map(CallAnswer::KeptAlive),
        Call::Revoke(lease) => engine.revoke(*lease).await.map(|()| CallAnswer::Revoked),
        Call::Commit(transaction) => engine.commit(transaction).await.map(CallAnswer::Verdict),
    };
    answer.unwrap_or_else(|error| {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "the engine has failed a call"
        );
        CallAnswer::Failed {
            answered: error.is_answer(),
        }
    })
}

/// Reads all keys and watches them, again and again.
async fn watch(shared: Arc<ClusterShared>, engine: Arc<dyn Engine>) {
    let pause = shared.config.lease() / 10;
    loop {
        let started = Instant::now();
        let ended = watch_once(&shared, &*engine).await;
        if let Err(error) = ended {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the watch has ended"
            );
        }
        sleep_until(started + pause).await;
    }
}

async fn watch_once(shared: &ClusterShared, engine: &dyn Engine) -> Result<(), EngineError> {
    let image = engine.read().await?;
    let revision = image.revision;
    let seen = shared.orders.latest_epoch();
    shared.with(|node, now| node.read(image, seen, now));
    let mut watch = engine.watch(revision).await?;
    loop {
        let changes = watch.next().await?;
        shared.with(|node, now| node.changed(changes, now));
    }
}
