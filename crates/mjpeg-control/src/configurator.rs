//! The seam to whoever keeps the configuration.

use async_trait::async_trait;
use mjpeg_manager::{StreamInfo, StreamName};
use serde_json::{Map, Value};

use crate::{code::ErrorCode, error::Error};

/// Keeps the configuration for the API: reads it, checks what is to change, applies it to the
/// running streams, and stores it.
///
/// Which keys there are, which of them the API may set, and where they are stored is its own
/// business. The API passes keys and values on as they came; a value with `***` in it is one that
/// was shown with its secret masked and comes back. What it returns must hold no secrets.
///
/// Changes may be called at the same time, and must not be lost then. Each runs in a task of its
/// own: a client that goes away does not cut it short.
#[async_trait]
pub trait Configurator: Send + Sync + 'static {
    /// Returns a stream as it is configured. `None` if there is none of this name.
    fn stream(&self, name: &str) -> Option<ConfiguredStream>;

    /// Returns the streams in the order in which people want to see them, such as that of a file.
    /// Those left out follow, by name. Default: none.
    fn order(&self) -> Vec<StreamName> {
        Vec::new()
    }

    /// Finds a stream by a further name. Default: none.
    fn alias(&self, name: &str) -> Option<StreamName> {
        let _ = name;
        None
    }

    /// Sets the keys of a stream. Returns when the change holds.
    ///
    /// # Errors
    ///
    /// Nothing has changed then. Above all:
    ///
    /// * [`AlreadyExists`](crate::ErrorCode::AlreadyExists): a new stream's name is taken.
    /// * [`NotFound`](crate::ErrorCode::NotFound): a stream to be merged is not there.
    /// * [`PreconditionFailed`](crate::ErrorCode::PreconditionFailed): the condition does not hold.
    /// * [`InvalidSpec`](crate::ErrorCode::InvalidSpec): a key or value is wrong or may not be set.
    /// * [`DefinedInFile`](crate::ErrorCode::DefinedInFile),
    ///   [`NotPersistent`](crate::ErrorCode::NotPersistent): it cannot be stored.
    /// * [`TooManyStreams`](crate::ErrorCode::TooManyStreams): the API may add no more.
    /// * What [`Manager`](mjpeg_manager::Manager) returns.
    async fn set(&self, change: StreamEdit) -> Result<EditedStream, Error>;

    /// Says what [`set`](Self::set) would make of a stream, or why it would be refused. Changes
    /// nothing, and waits for no camera: that one does not answer shows only when it is set.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set). Default: [`BadRequest`](crate::ErrorCode::BadRequest), as the change
    /// cannot be checked without being made.
    async fn check_edit(&self, change: StreamEdit) -> Result<EditedStream, Error> {
        let _ = change;
        let detail = "this relay cannot check a stream without setting it";
        Err(Error::new(ErrorCode::BadRequest, detail))
    }

    /// Describes the keys of a stream that the API may set, as a JSON Schema of an object. Default:
    /// none, and [`NotFound`](crate::ErrorCode::NotFound) is what the API answers.
    fn stream_schema(&self) -> Option<Value> {
        None
    }

    /// Lists the cameras of this machine that a stream may be given, as a JSON object. Default:
    /// none, and [`NotFound`](crate::ErrorCode::NotFound) is what the API answers.
    async fn devices(&self) -> Option<Value> {
        None
    }

    /// Says which node of a cluster reads the camera of a stream. Default: `None`, the relay is
    /// alone.
    fn owner(&self, name: &str) -> Option<CameraOwner> {
        let _ = name;
        None
    }

    /// Shows the cluster as this node knows it, as a JSON object. Default: none, and
    /// [`NotFound`](crate::ErrorCode::NotFound) is what the API answers.
    fn cluster(&self) -> Option<Value> {
        None
    }

    /// Changes which node reads which camera. Returns when that has happened.
    ///
    /// # Errors
    ///
    /// * [`NotFound`](crate::ErrorCode::NotFound): the relay is alone, which is the default, or
    ///   there is no such stream or node.
    /// * [`NotPossible`](crate::ErrorCode::NotPossible): the node may not read the camera, or a
    ///   node that is to be forgotten is up.
    /// * [`EngineUnreachable`](crate::ErrorCode::EngineUnreachable): the nodes cannot agree now.
    async fn change_cluster(&self, change: ClusterChange) -> Result<(), Error> {
        let _ = change;
        Err(Error::not_found())
    }

    /// Stops a stream and forgets it. Returns when that has happened.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set); nothing has changed then.
    async fn remove(&self, removal: StreamRemoval) -> Result<(), Error>;

    /// Reads the configuration again and applies it, or only says what that would change.
    ///
    /// # Errors
    ///
    /// [`InvalidSpec`](crate::ErrorCode::InvalidSpec) with what is wrong and where, or why it could
    /// not be applied. Nothing has changed then.
    async fn reload(&self, dry_run: bool) -> Result<Reloaded, Error>;

    /// Returns the whole configuration that is in effect, without secrets.
    ///
    /// # Errors
    ///
    /// If it cannot be shown.
    async fn shown(&self) -> Result<Value, Error>;
}

/// A stream as it is configured, without secrets.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ConfiguredStream {
    /// Its keys and their values, secrets as `***`.
    pub keys: Map<String, Value>,
    /// Who has set it.
    pub origin: StreamOrigin,
    /// Changes with each change of the stream: its `ETag`. Printable ASCII without quotes.
    pub version: String,
    /// What is odd about it, for people.
    pub warnings: Vec<String>,
}

impl ConfiguredStream {
    /// Describes a stream, with no warnings.
    pub fn new(keys: Map<String, Value>, origin: StreamOrigin, version: impl Into<String>) -> Self {
        Self {
            keys,
            origin,
            version: version.into(),
            warnings: Vec::new(),
        }
    }
}

/// Who reads the camera of a stream in a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CameraOwner {
    /// The name of the node; `None` if no node does at present.
    pub node: Option<String>,
    /// Whether it is this relay.
    pub is_here: bool,
    /// A number that grows each time that another node takes the camera. 0 if none has it.
    pub epoch: u64,
    /// Another node that means something else by a stream of this name, so that one of them may not
    /// read it.
    pub conflict: Option<String>,
}

impl CameraOwner {
    /// Names the node that reads the camera, and since which epoch.
    pub fn new(node: Option<String>, is_here: bool, epoch: u64) -> Self {
        Self {
            node,
            is_here,
            epoch,
            conflict: None,
        }
    }

    /// Names a node that means something else by the stream.
    pub fn with_conflict(mut self, node: Option<String>) -> Self {
        self.conflict = node;
        self
    }
}

/// What is to change about a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClusterChange {
    /// Another node is to read a camera.
    #[non_exhaustive]
    Move {
        /// The stream.
        stream: StreamName,
        /// The node. The text of a client, which may be anything.
        node: String,
    },
    /// A node hands all cameras over, and takes none until it is undrained.
    #[non_exhaustive]
    Drain {
        /// The node, else the one that is asked. The text of a client, which may be anything.
        node: Option<String>,
    },
    /// A node takes cameras again.
    #[non_exhaustive]
    Undrain {
        /// The node, else the one that is asked. The text of a client, which may be anything.
        node: Option<String>,
    },
    /// A node that is down does not come back.
    #[non_exhaustive]
    Forget {
        /// The node. The text of a client, which may be anything.
        node: String,
    },
}

/// A stream whose keys were set.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EditedStream {
    /// How it is configured now.
    pub stream: ConfiguredStream,
    /// Whether it was not there before.
    pub is_new: bool,
    /// How it runs right after the change. `None`: the API asks the manager, and answers that there
    /// is no such stream if another client has removed it meanwhile.
    pub info: Option<StreamInfo>,
}

impl EditedStream {
    /// Describes a stream whose keys were set, without saying how it runs.
    pub fn new(stream: ConfiguredStream, is_new: bool) -> Self {
        Self {
            stream,
            is_new,
            info: None,
        }
    }

    /// Says how it runs right after the change.
    pub fn with_info(mut self, info: Option<StreamInfo>) -> Self {
        self.info = info;
        self
    }
}

/// Who has set a stream, which decides whether the API may change it for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamOrigin {
    /// A file written by people.
    File,
    /// A file written by this API.
    Api,
    /// This API, for this run only.
    Run,
    /// The command line.
    CommandLine,
    /// The API of a node, for all nodes of the cluster.
    Cluster,
}

impl StreamOrigin {
    /// Returns its word: `file`, `api`, `run`, `command_line` or `cluster`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Api => "api",
            Self::Run => "run",
            Self::CommandLine => "command_line",
            Self::Cluster => "cluster",
        }
    }
}

/// What is to become of a stream.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StreamEdit {
    /// The stream.
    pub name: StreamName,
    /// What the keys are to those that are there.
    pub mode: EditMode,
    /// Keys and values, `name` not among them. With [`EditMode::Merge`], `null` removes a key.
    pub keys: Map<String, Value>,
    /// What must hold, at the moment of the change.
    pub condition: Condition,
    /// Whether to store it. Else it holds for this run, up to a reload that touches the stream.
    pub persist: bool,
    /// Whether to store a new stream for all nodes of the cluster. One that is there is stored
    /// where it is.
    pub cluster: bool,
}

impl StreamEdit {
    /// Describes a change without a condition, which is to be stored.
    pub fn new(name: StreamName, mode: EditMode, keys: Map<String, Value>) -> Self {
        Self {
            name,
            mode,
            keys,
            condition: Condition::default(),
            persist: true,
            cluster: false,
        }
    }
}

/// What new keys are to those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditMode {
    /// A new stream. Unless its keys say otherwise, the camera is required: the call waits for it,
    /// and fails without it. That is for this call, and not to be stored as a key.
    Create,
    /// All keys of a stream that is there, whose camera is not waited for; else as
    /// [`Create`](Self::Create).
    Replace,
    /// Some keys of a stream that is there (RFC 7396). Its camera is not waited for.
    Merge,
}

/// That a stream is to be stopped and forgotten.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StreamRemoval {
    /// The stream.
    pub name: StreamName,
    /// What must hold, at the moment of the change.
    pub condition: Condition,
    /// Whether to remove it from where it is stored. Else it is gone for this run, up to a reload
    /// that touches it.
    pub persist: bool,
}

impl StreamRemoval {
    /// Describes a removal without a condition, for good.
    pub fn new(name: StreamName) -> Self {
        Self {
            name,
            condition: Condition::default(),
            persist: true,
        }
    }
}

/// What must hold for a change to be made: `If-Match` and `If-None-Match`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// Nothing.
    #[default]
    None,
    /// The stream is there.
    Exists,
    /// The stream is not there.
    Absent,
    /// The stream is there, and one of these is its version.
    Version(Vec<String>),
}

impl Condition {
    /// Returns whether it holds for a stream of this version; `None` for one that is not there.
    pub fn holds(&self, version: Option<&str>) -> bool {
        match self {
            Self::None => true,
            Self::Exists => version.is_some(),
            Self::Absent => version.is_none(),
            Self::Version(wanted) => {
                version.is_some_and(|version| wanted.iter().any(|wanted| wanted == version))
            }
        }
    }
}

/// What a reload has changed, or would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// The changes, a line each, for people. Empty if nothing differs.
    pub changes: Vec<String>,
    /// What is odd about the configuration, for people.
    pub warnings: Vec<String>,
}

impl Reloaded {
    /// Lists the changes, with no warnings.
    pub fn new(changes: Vec<String>) -> Self {
        Self {
            changes,
            warnings: Vec::new(),
        }
    }
}
