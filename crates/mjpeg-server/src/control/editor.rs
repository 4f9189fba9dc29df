//! Carries out what the API asks for, in the task that has the relay.

use std::{collections::HashSet, future::ready, hash::RandomState, sync::Arc};

use futures_util::{
    FutureExt, StreamExt, TryFutureExt, future::BoxFuture, stream::FuturesUnordered,
};
use mjpeg_control::{
    Condition, EditMode, EditedStream, Error, ErrorCode, Reloaded, StreamEdit, StreamRemoval,
};
use mjpeg_manager::{StartMode, StreamName, StreamSpec};
use tokio::sync::{mpsc, watch};
use tracing::{error, info};

use super::{
    ControlRequest, ControlRequests, MOST_WAITING, change,
    failure::{failed_edit, failed_reload, failed_start},
    prepared::{
        PreparedEdit, Store, Storing, file_of_api, for_this_run, of_cluster, stored, unchanged,
    },
    store::StreamFile,
    view::ConfiguredView,
};
use crate::{
    background::in_background,
    config::edits::Author,
    relay::{Relay, change::RelayChange},
    reload::{Proposal, Reloader, difference::Configuration},
};

/// Takes the API's requests.
pub(crate) struct Editor {
    requests: mpsc::Receiver<ControlRequest>,
    view: watch::Sender<Arc<ConfiguredView>>,
    running: watch::Sender<Arc<Configuration>>,
    /// Makes versions of streams.
    hashing: RandomState,
    /// New streams whose cameras are being waited for. Nothing else waits for them.
    starting: FuturesUnordered<BoxFuture<'static, ControlRequest>>,
    /// Their names.
    begun: HashSet<StreamName>,
    /// Replacements of those: each of two that add the same stream is to find it, or add it.
    held: Vec<ControlRequest>,
}

impl Editor {
    /// Makes both ends for a relay that runs this.
    pub(crate) fn new(running: &Arc<Configuration>) -> (ControlRequests, Self) {
        let (sender, requests) = mpsc::channel(MOST_WAITING);
        let hashing = RandomState::new();
        let view = watch::Sender::new(Arc::new(ConfiguredView::new(running, &hashing)));
        let running = watch::Sender::new(Arc::clone(running));
        let asking = ControlRequests {
            requests: sender,
            view: view.subscribe(),
            running: running.subscribe(),
        };
        let editor = Self {
            requests,
            view,
            running,
            hashing,
            starting: FuturesUnordered::new(),
            begun: HashSet::new(),
            held: Vec::new(),
        };
        (asking, editor)
    }

    /// Waits for the next request.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<ControlRequest> {
        tokio::select! {
            request = self.requests.recv() => request,
            Some(started) = self.starting.next() => Some(started),
        }
    }

    /// Tells the API what is in effect, after each reload.
    pub(crate) fn tell(&self, running: &Arc<Configuration>) {
        let view = ConfiguredView::new(running, &self.hashing);
        self.view.send_replace(Arc::new(view));
        self.running.send_replace(Arc::clone(running));
    }

    /// Carries out a request, and answers it.
    ///
    /// # Cancel safety
    ///
    /// As [`Relay::change`].
    pub(crate) async fn answer(
        &mut self,
        request: ControlRequest,
        reloader: &mut Reloader,
        relay: &mut Relay,
    ) {
        // Whoever asked may be gone, which changes nothing.
        if let ControlRequest::Started(change, ..) = &request {
            self.release(&change.name);
        }
        match request {
            ControlRequest::Set(change, reply)
                if change.mode == EditMode::Replace && self.begun.contains(&change.name) =>
            {
                self.held.push(ControlRequest::Set(change, reply));
            }
            ControlRequest::Set(change, reply) => {
                match self.begin(&change, reloader, relay).await {
                    Ok(Some(_)) if self.begun.contains(&change.name) => {
                        let _ = reply.send(Err(taken(&change.name)));
                    }
                    Ok(Some(start)) => {
                        self.begun.insert(change.name.clone());
                        self.starting.push(Box::pin(async {
                            let started = start.await;
                            ControlRequest::Started(change, reply, started)
                        }));
                    }
                    Ok(None) => {
                        let _ = reply.send(self.set(change, false, reloader, relay).await);
                    }
                    Err(error) => {
                        let _ = reply.send(Err(error));
                    }
                }
            }
            ControlRequest::Check(change, reply) => {
                let _ = reply.send(self.check_edit(&change, reloader).await);
            }
            ControlRequest::Started(_, reply, Err(error)) => {
                let _ = reply.send(Err(error));
            }
            ControlRequest::Started(change, reply, Ok(())) => {
                let _ = reply.send(self.set_started(change, reloader, relay).await);
            }
            ControlRequest::Remove(removal, reply) => {
                let _ = reply.send(self.remove(removal, reloader, relay).await);
            }
            ControlRequest::Reload(true, reply) => {
                let (_, proposal) = reloader.propose().await;
                let reloaded = proposal.map(|proposal| {
                    let mut reloaded = Reloaded::new(proposal.difference.lines().collect());
                    reloaded.warnings = proposal.warnings;
                    reloaded
                });
                let _ = reply.send(reloaded.map_err(|error| failed_reload(&error)));
            }
            ControlRequest::Reload(false, reply) => {
                let reloaded = reloader.reload(relay).await;
                self.tell(reloader.running());
                let reloaded =
                    reloaded.map(|difference| Reloaded::new(difference.lines().collect()));
                let _ = reply.send(reloaded.map_err(|error| failed_reload(&error)));
            }
        }
    }

    /// Sets a stream that has been started for it.
    async fn set_started(
        &self,
        change: StreamEdit,
        reloader: &mut Reloader,
        relay: &mut Relay,
    ) -> Result<EditedStream, Error> {
        let name = change.name.clone();
        let set = self.set(change, true, reloader, relay).await;
        // Something else may have taken the name meanwhile.
        if set.is_err() && !reloader.running().written.own.contains_key(&name) {
            relay.stop(&name).await;
        }
        set
    }

    /// Lets those have their turn who have waited for the start of a stream.
    fn release(&mut self, name: &StreamName) {
        self.begun.remove(name);
        for request in std::mem::take(&mut self.held) {
            match &request {
                ControlRequest::Set(change, _) if change.name == *name => {
                    self.starting.push(ready(request).boxed());
                }
                _ => self.held.push(request),
            }
        }
    }

    /// Starts a new stream whose camera must be there, if the change adds one. Returns the start,
    /// which may take its time.
    async fn begin(
        &self,
        change: &StreamEdit,
        reloader: &Reloader,
        relay: &Relay,
    ) -> Result<Option<BoxFuture<'static, Result<(), Error>>>, Error> {
        let running = Arc::clone(reloader.running());
        let is_new = !running.written.own.contains_key(&change.name);
        if !is_new || change.mode == EditMode::Merge || !change::is_required(&change.keys) {
            return Ok(None);
        }
        let edit = self.prepare(change, reloader, Storing::Checked).await?;
        let proposal = reloader.propose_edited(edit.edits).await;
        let plan = proposal
            .map_err(|error| failed_edit(&error))?
            .configuration
            .plan;
        let planned = plan.streams.iter();
        let mut planned = planned.filter(|planned| *planned.spec.name() == change.name);
        // One that is read on demand is not connected at the start.
        let planned = planned.find(|planned| planned.spec.linger().is_none());
        Ok(planned.map(|planned| {
            let spec = planned.spec.clone().with_mode(StartMode::Require);
            let start = relay.begin(
                spec,
                planned.http.clone(),
                &plan.auth,
                planned.sharing.as_ref(),
            );
            start.map_err(|error| failed_start(&error)).boxed()
        }))
    }

    /// Sets a stream. If it was started already, only the rest is done.
    async fn set(
        &self,
        change: StreamEdit,
        is_started: bool,
        reloader: &mut Reloader,
        relay: &mut Relay,
    ) -> Result<EditedStream, Error> {
        let running = Arc::clone(reloader.running());
        let name = change.name.clone();
        let is_new = !running.written.own.contains_key(&name);
        let mut edit = self.prepare(&change, reloader, Storing::Prepared).await?;
        edit.started = is_started.then(|| name.clone());
        self.carry_out(edit, reloader, relay).await?;
        let stream = self.view.borrow().streams.get(name.as_str()).cloned();
        let stream = stream.ok_or_else(|| no_stream(&name))?;
        // Now: the next change may remove it.
        let info = relay.manager().get(name.as_str()).ok();
        Ok(EditedStream::new(stream, is_new).with_info(info))
    }

    /// Says what a change would make of the stream.
    async fn check_edit(
        &self,
        change: &StreamEdit,
        reloader: &Reloader,
    ) -> Result<EditedStream, Error> {
        let running = Arc::clone(reloader.running());
        let name = &change.name;
        let edit = self.prepare(change, reloader, Storing::Checked).await?;
        let proposal = reloader.propose_edited(edit.edits).await;
        let proposal = proposal.map_err(|error| failed_edit(&error))?;
        let mut view = ConfiguredView::new(&proposal.configuration, &self.hashing);
        let stream = view.streams.remove(name.as_str());
        let mut stream = stream.ok_or_else(|| no_stream(name))?;
        let before = reloader.propose_edited(unchanged(&running)).await;
        let known = before.map(|before| before.warnings).unwrap_or_default();
        let warnings = proposal.warnings.into_iter();
        stream.warnings = warnings.filter(|it| !known.contains(it)).collect();
        let is_new = !running.written.own.contains_key(name);
        Ok(EditedStream::new(stream, is_new))
    }

    /// Checks a change, and prepares what it writes.
    async fn prepare(
        &self,
        change: &StreamEdit,
        reloader: &Reloader,
        storing: Storing,
    ) -> Result<PreparedEdit, Error> {
        let (name, running) = (&change.name, reloader.running());
        let there = running.written.own.get(name);
        let is_new = there.is_none();
        self.check(name, &change.condition)?;
        match change.mode {
            EditMode::Create if !is_new => {
                return Err(taken(name));
            }
            EditMode::Merge if is_new => return Err(no_stream(name)),
            _ => {}
        }
        if is_new {
            check_number(running)?;
        }
        let is_of_cluster = there.is_some_and(|there| there.author == Author::Cluster);
        if change.cluster && there.is_some() && !is_of_cluster {
            return Err(change::defined_elsewhere(
                name,
                there.map(|there| &there.author),
            ));
        }
        let is_for_cluster = change.persist && (change.cluster || is_of_cluster);
        let references = running.settings.cluster.as_ref();
        let references = references.map(|cluster| &*cluster.keys.references);
        let references = references.filter(|_| is_for_cluster);
        let keys = change::keys(change, there, &running.settings.control, references)?;
        if is_for_cluster {
            return of_cluster(running, name, Some(keys));
        }
        match change.persist {
            true => stored(reloader, name, there, keys, storing).await,
            false => Ok(for_this_run(running, name, there, Some(keys))),
        }
    }

    async fn remove(
        &self,
        removal: StreamRemoval,
        reloader: &mut Reloader,
        relay: &mut Relay,
    ) -> Result<(), Error> {
        let running = Arc::clone(reloader.running());
        let name = removal.name;
        let there = running.written.own.get(&name);
        self.check(&name, &removal.condition)?;
        let there = there.ok_or_else(|| no_stream(&name))?;
        let of_run = running.written.run.iter().find(|run| run.name == name);
        let is_only_of_run = of_run.is_some_and(|run| run.replaces.is_none());
        let edit = match removal.persist && !is_only_of_run {
            true if there.author == Author::Cluster => of_cluster(&running, &name, None)?,
            true => {
                let path = file_of_api(&running, &name, Some(there))?;
                let file = StreamFile::existing(path.clone(), name.clone());
                // Before the viewers pay for it.
                let file = in_background(move || file.usable()).await?;
                let mut edits = unchanged(&running);
                edits.files.remove(&path);
                edits.run.retain(|run| run.name != name);
                PreparedEdit {
                    edits,
                    store: Store::Remove(file),
                    started: None,
                }
            }
            false => for_this_run(&running, &name, Some(there), None),
        };
        self.carry_out(edit, reloader, relay).await
    }

    fn check(&self, name: &StreamName, condition: &Condition) -> Result<(), Error> {
        let view = self.view.borrow();
        let version = view.streams.get(name.as_str());
        let version = version.map(|stream| &*stream.version);
        match condition.holds(version) {
            true => Ok(()),
            false => Err(Error::new(
                ErrorCode::PreconditionFailed,
                "the stream is not as the request expects: it was changed since it was read",
            )),
        }
    }

    /// Makes a change, and stores it once it holds.
    async fn carry_out(
        &self,
        edit: PreparedEdit,
        reloader: &mut Reloader,
        relay: &mut Relay,
    ) -> Result<(), Error> {
        let PreparedEdit {
            edits,
            store,
            started,
        } = edit;
        let before = unchanged(reloader.running());
        let proposal = reloader.propose_edited(edits).await;
        let proposal = proposal.map_err(|error| failed_edit(&error))?;
        if let Store::Cluster(name, Some(_)) = &store {
            check_used(name, &proposal)?;
        }
        let is_started = |spec: &StreamSpec| Some(spec.name()) == started.as_ref();
        let adjust = |change: &mut RelayChange| change.added.retain(|(spec, _)| !is_started(spec));
        let applied = reloader.apply(relay, proposal, adjust).await;
        let difference = applied.map_err(|error| failed_edit(&error))?;
        let stored = match store {
            Store::Cluster(name, document) => relay.share_document(&name, document).await,
            store => in_background(move || store.commit()).await,
        };
        if let Err(error) = stored {
            // What does not last must not seem to.
            if let Ok(proposal) = reloader.propose_edited(before).await {
                let undone = reloader.apply(relay, proposal, |_| {}).await;
                if undone.is_err() {
                    error!("a change that could not be stored holds until the next reload");
                }
            }
            self.tell(reloader.running());
            let detail = format!("the stream could not be stored: {error}");
            return Err(Error::new(ErrorCode::NotPersistent, detail));
        }
        for change in difference.lines() {
            info!(change, "changed through the API");
        }
        self.tell(reloader.running());
        Ok(())
    }
}

/// Refuses a stream of the cluster that this node itself could not use.
fn check_used(name: &StreamName, proposal: &Proposal) -> Result<(), Error> {
    if proposal.configuration.written.own.contains_key(name) {
        return Ok(());
    }
    let begin = format!("the cluster's stream {name} ");
    let mut warnings = proposal.warnings.iter();
    let why = warnings.find(|warning| warning.contains(&begin));
    let why = why.map_or("the stream cannot be used", |why| why.as_str());
    Err(Error::new(ErrorCode::InvalidSpec, why))
}

fn taken(name: &StreamName) -> Error {
    Error::new(
        ErrorCode::AlreadyExists,
        format!("the name {name} is taken"),
    )
}

/// Whether the API may add one more stream.
fn check_number(running: &Configuration) -> Result<(), Error> {
    let own = running.written.own.values();
    let kept = own.filter(|own| matches!(own.author, Author::Api(_) | Author::Cluster));
    let of_run = running.written.run.iter();
    let of_run = of_run.filter(|run| run.keys.is_some() && run.replaces.is_none());
    let most = running.settings.control.max_streams;
    if kept.count() + of_run.count() < most as usize {
        return Ok(());
    }
    let detail = format!("the API has added {most} streams, as many as it may");
    let hint = "remove some, or raise max_streams of [control]";
    Err(Error::new(ErrorCode::TooManyStreams, detail).with_hint(hint))
}

fn no_stream(name: &StreamName) -> Error {
    Error::new(ErrorCode::NotFound, format!("no stream is named {name}"))
}
