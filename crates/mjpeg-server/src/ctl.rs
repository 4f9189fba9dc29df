//! `mjpeg-server ctl`: the command line of the API.

mod client;
mod cluster;
mod connect;
mod credentials;
mod download;
mod events;
mod failure;
mod fields;
mod file_name;
mod keys;
mod links;
mod listing;
mod on_request;
mod problem;
mod recordings;
mod relay;
mod screen;
mod sse;
mod streams;
mod table;
mod target;
mod tls;
mod viewers;

use std::process::ExitCode;

use tokio::runtime::Builder;

use self::{
    client::ApiClient,
    failure::CtlFailure,
    screen::{Screen, complain, notice, plain_json},
    streams::StreamAction,
};
use crate::cli::{
    cluster::ClusterArgs,
    ctl::{Ctl, CtlCommand, CtlConnection, links::LinksCommand},
};

/// Does what the arguments say, and returns the exit code that `--help` explains.
pub(crate) fn run(args: &Ctl) -> ExitCode {
    within(args.json, &args.connection, async |session| {
        session.run(&args.command).await
    })
}

/// Does what is said of the cluster, and returns the exit code that `ctl --help` explains.
pub(crate) fn run_cluster(args: &ClusterArgs) -> ExitCode {
    within(args.json, &args.connection, async |session| {
        session.cluster(&args.command).await
    })
}

/// Does something with a relay.
fn within(
    is_json: bool,
    connection: &CtlConnection,
    work: impl AsyncFnOnce(&mut CtlSession) -> u8,
) -> ExitCode {
    let screen = Screen::new(is_json);
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            notice(&format!("error: cannot start the async runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        match ApiClient::new(connection) {
            Ok(client) => work(&mut CtlSession { client, screen }).await,
            Err(failure) => told(&screen, &failure),
        }
    });
    // Does not wait for name look-ups, which may hang in the system's resolver.
    runtime.shutdown_background();
    code.into()
}

/// Says what went wrong, and returns its exit code.
fn told(screen: &Screen, failure: &CtlFailure) -> u8 {
    match failure {
        // The reader has gone, and knows.
        CtlFailure::Output(_) if failure.exit_code() == 0 => {}
        CtlFailure::Refused(problem) if screen.is_json && problem.json.is_some() => {
            let json = problem.json.as_ref().map(|json| format!("{json:#}"));
            complain(&plain_json(&json.unwrap_or_default()));
        }
        failure => complain(&failure.to_string()),
    }
    failure.exit_code()
}

struct CtlSession {
    client: ApiClient,
    screen: Screen,
}

impl CtlSession {
    fn warn_if_overheard(&self) {
        if self.client.is_overheard() {
            notice("warning: who you are goes over the network as plain text; https:// hides it");
        }
    }

    async fn run(&mut self, command: &CtlCommand) -> u8 {
        self.warn_if_overheard();
        if let Some(code) = self.each(command).await {
            return code;
        }
        match self.one(command).await {
            Ok(()) => 0,
            Err(failure) => explained(&mut self.client, &self.screen, failure).await,
        }
    }

    /// What takes several names, and goes on after one that failed.
    async fn each(&mut self, command: &CtlCommand) -> Option<u8> {
        // `None` is to disconnect a viewer.
        let (action, targets) = match command {
            CtlCommand::Remove { streams, storage } => {
                (Some(StreamAction::Remove(storage)), &streams.names)
            }
            CtlCommand::Pause(streams) => (Some(StreamAction::Pause), &streams.names),
            CtlCommand::Resume(streams) => (Some(StreamAction::Resume), &streams.names),
            CtlCommand::Retry(streams) => (Some(StreamAction::Retry), &streams.names),
            CtlCommand::Kick { ids } => (None, ids),
            _ => return None,
        };
        let (client, screen) = (&mut self.client, &self.screen);
        let mut first = 0;
        for target in targets {
            let done = match action {
                Some(action) => streams::act(client, screen, action, target).await,
                None => viewers::kick(client, screen, target).await,
            };
            let Err(mut failure) = done else { continue };
            if let CtlFailure::Refused(problem) = &mut failure
                && targets.len() > 1
            {
                problem.subject = Some(target.clone());
            }
            let is_over = matches!(failure, CtlFailure::Unreachable { .. });
            let code = explained(client, screen, failure).await;
            first = if first == 0 { code } else { first };
            if is_over {
                break;
            }
        }
        Some(first)
    }

    async fn one(&mut self, command: &CtlCommand) -> Result<(), CtlFailure> {
        let (client, screen) = (&mut self.client, &self.screen);
        match command {
            CtlCommand::List { names } => listing::list(client, screen, *names).await,
            CtlCommand::Show(stream) => listing::show(client, screen, &stream.name).await,
            CtlCommand::Add(args) => streams::add(client, screen, args).await,
            CtlCommand::Probe(stream) => streams::probe(client, screen, &stream.name).await,
            CtlCommand::Set(args) => streams::set(client, screen, args).await,
            CtlCommand::Viewers { name } => viewers::list(client, screen, name.as_deref()).await,
            CtlCommand::Events { follow: true, name } => {
                events::follow(client, screen, name.as_deref()).await
            }
            CtlCommand::Events { name, .. } => events::past(client, screen, name.as_deref()).await,
            CtlCommand::Reload { dry_run } => relay::reload(client, screen, *dry_run).await,
            CtlCommand::Links(args) => match &args.command {
                None | Some(LinksCommand::List) => links::list(client, screen).await,
                Some(LinksCommand::Create(args)) => links::create(client, screen, args).await,
                Some(LinksCommand::Revoke { id }) => links::revoke(client, screen, id).await,
            },
            CtlCommand::Timelapse(args) => {
                recordings::timelapse(client, screen, args.command.as_ref()).await
            }
            CtlCommand::Clip(args) => recordings::clip(client, screen, args.command.as_ref()).await,
            CtlCommand::Info => relay::info(client, screen).await,
            CtlCommand::Remove { .. }
            | CtlCommand::Pause(_)
            | CtlCommand::Resume(_)
            | CtlCommand::Retry(_)
            | CtlCommand::Kick { .. } => Ok(()),
        }
    }
}

/// Says what went wrong, and what the relay cannot know of it.
async fn explained(client: &mut ApiClient, screen: &Screen, mut failure: CtlFailure) -> u8 {
    client.advise(&mut failure).await;
    told(screen, &failure)
}
