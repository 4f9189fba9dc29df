//! Writes what was found as a configuration of ours.

mod carried;
mod comments;
mod gateways;

use std::collections::BTreeMap;

use mjpeg_auth::hash_password;
use mjpeg_manager::mjpeg_ingest::escaped;

use self::{
    carried::CarriedCamera,
    comments::{MOST_NOTES, bullets, comment, quoted},
    gateways::WrittenPorts,
};
use super::{
    checked,
    found::{FoundCamera, Inventory, ViewerLogin},
    marks::Marks,
    names::FreeNames,
    secrets::{MOST_SOURCE_BYTES, Secrets, TOO_LONG, WrittenSource},
};
use crate::config::report::counted;

/// A configuration, and what is in it.
pub(super) struct Migration {
    pub(super) text: String,
    /// The same with the values of secrets.
    pub(super) plain: String,
    pub(super) carried: usize,
    /// How many of them are relayed only if something holds.
    pub(super) conditional: usize,
    /// What could not be carried over, and why.
    pub(super) lost: Vec<(String, String)>,
}

/// Writes a configuration. What cannot be written is told in it.
pub(super) fn written(found: &Inventory, marks: &Marks) -> Migration {
    let mut secrets = Secrets::new(marks);
    let mut names = FreeNames::default();
    let mut lost: Vec<(String, String)> = found.lost.clone();
    let mut carried: Vec<Option<CarriedCamera<'_>>> = Vec::new();
    for camera in &found.cameras {
        carried.push(match carry(camera, &mut names, &mut secrets) {
            Ok(camera) => Some(camera),
            Err(why) => {
                lost.push((camera.place.clone(), why));
                None
            }
        });
    }
    let users = Users::of(&carried);
    let gateways = WrittenPorts::new(found, &carried);
    let lost: Vec<_> = lost
        .iter()
        .map(|(camera, why)| (marks.shown(camera), marks.shown(why)))
        .collect();
    let mut migration = Migration {
        text: String::new(),
        plain: String::new(),
        carried: carried.iter().flatten().count(),
        conditional: 0,
        lost,
    };
    let conditions = carried.iter().flatten();
    let conditions = conditions.filter(|carried| carried.camera.condition.is_some());
    migration.conditional = conditions.count();
    migration.text = head(found, &migration, &secrets);
    let (text, plain) = (&mut migration.text, &mut migration.plain);
    for out in [&mut *text, &mut *plain] {
        gateways.write(out);
    }
    for (at, carried) in carried.iter().enumerate() {
        let Some(carried) = carried else { continue };
        let listen = gateways.own_port(at);
        for (out, is_plain) in [(&mut *text, false), (&mut *plain, true)] {
            carried.write(out, is_plain, listen.as_deref(), &users);
        }
    }
    for out in [text, plain] {
        users.write(out);
    }
    foot(found, &mut migration, marks);
    migration
}

/// Makes what is written of a camera.
fn carry<'f>(
    camera: &'f FoundCamera,
    names: &mut FreeNames,
    secrets: &mut Secrets<'_>,
) -> Result<CarriedCamera<'f>, String> {
    let before = secrets.named.len();
    let name = names.take(&camera.name);
    let source = write_source(camera, &name, secrets);
    let source = source.inspect_err(|_| {
        secrets.forget(before);
        names.give_back(&name);
    })?;
    let mut notes = camera.notes.clone();
    let mut fallback = Vec::new();
    for other in camera.fallback.iter().take(MOST_FALLBACKS) {
        let before = secrets.named.len();
        let written = secrets.write(other, &name);
        let checked = written.and_then(|written| {
            checked::source(&written.plain)?;
            Ok(written)
        });
        match checked {
            Ok(written) => fallback.push(written),
            Err(why) => {
                secrets.forget(before);
                notes.push(format!("another source of it is left out: {why}"));
            }
        }
    }
    Ok(CarriedCamera {
        camera,
        name,
        source,
        fallback,
        notes,
    })
}

fn write_source(
    camera: &FoundCamera,
    name: &str,
    secrets: &mut Secrets<'_>,
) -> Result<WrittenSource, String> {
    let written = secrets.write(&camera.source, name)?;
    if written.plain.len() > MOST_SOURCE_BYTES {
        return Err(TOO_LONG.into());
    }
    checked::source(&written.plain)?;
    Ok(written)
}

impl CarriedCamera<'_> {
    fn write(&self, out: &mut String, is_plain: bool, listen: Option<&str>, users: &Users) {
        let of = |source: &WrittenSource| match is_plain {
            true => quoted(&source.plain),
            false => quoted(&source.text),
        };
        out.push('\n');
        comment(out, "# ", &self.camera.place);
        if let Some(condition) = &self.camera.condition {
            comment(out, "# ", &format!("It is relayed {condition}."));
        }
        bullets(out, &self.notes);
        *out += "[[streams]]\n";
        *out += &format!("name = {}\n", quoted(&self.name));
        *out += &format!("source = {}\n", of(&self.source));
        if !self.fallback.is_empty() {
            let fallback: Vec<String> = self.fallback.iter().map(of).collect();
            *out += &format!("fallback = [{}]\n", fallback.join(", "));
        }
        if let Some(listen) = listen {
            *out += &format!("listen = {listen}\n");
        }
        for (key, value) in &self.camera.keys {
            *out += &format!("{key} = {value}\n");
        }
        if let Some(login) = &self.camera.login {
            match users.name_of(login) {
                Some(user) => *out += &format!("view = [{}]\n", quoted(user)),
                // Nobody, rather than everybody.
                None => {
                    comment(out, "# ", NO_USER);
                    *out += "view = []\n";
                }
            }
        }
    }
}

/// The users that may watch what others may not. Passwords are hashes.
struct Users(Vec<(ViewerLogin, String, String)>);

impl Users {
    fn of(carried: &[Option<CarriedCamera<'_>>]) -> Self {
        let mut users: Vec<(ViewerLogin, String, String)> = Vec::new();
        let logins = carried
            .iter()
            .flatten()
            .filter_map(|one| one.camera.login.as_ref());
        for login in logins {
            let Some(password) = &login.password else {
                continue;
            };
            if users.iter().any(|(known, ..)| known == login) || users.len() >= MOST_USERS {
                continue;
            }
            let name = user_name(&login.user);
            let same = users
                .iter()
                .filter(|(known, ..)| known.user == login.user)
                .count();
            let name = match same {
                0 => name,
                more => format!("{name}-{}", more + 1),
            };
            let hash = hash_password(password).to_string();
            users.push((login.clone(), name, hash));
        }
        Self(users)
    }

    fn name_of(&self, login: &ViewerLogin) -> Option<&str> {
        let user = self.0.iter().find(|(known, ..)| known == login);
        user.map(|(_, name, _)| name.as_str())
    }

    fn write(&self, out: &mut String) {
        for (login, name, hash) in &self.0 {
            out.push('\n');
            if *name != login.user {
                comment(
                    out,
                    "# ",
                    &format!("The user {} has another name here.", login.user),
                );
            }
            comment(out, "# ", "The password is the old one; this is its hash.");
            *out += &format!("[[users]]\nname = {}\n", quoted(name));
            *out += &format!("password_hash = {}\n", quoted(hash));
        }
    }
}

/// A name that a user of ours can have.
fn user_name(name: &str) -> String {
    let is_plain = |c: &char| *c != ':' && escaped(&c.to_string()).chars().eq([*c]);
    let name: String = name.chars().filter(is_plain).take(48).collect();
    match name.is_empty() {
        true => "viewer".into(),
        false => name,
    }
}

fn head(found: &Inventory, migration: &Migration, secrets: &Secrets<'_>) -> String {
    let mut out = String::new();
    let from = format!(
        "Made by `mjpeg-server migrate` from {}.",
        found.file_names()
    );
    comment(&mut out, "# ", &from);
    let count = match (migration.carried, migration.lost.len()) {
        (carried, 0) => format!("{} carried over.", counted(carried, "camera")),
        (carried, lost) => format!(
            "{} carried over; {lost} not: see the end.",
            counted(carried, "camera")
        ),
    };
    comment(&mut out, "# ", &count);
    let variables = variables(secrets);
    if !variables.is_empty() {
        out += "#\n";
        comment(
            &mut out,
            "# ",
            "Passwords are not in this file. Set these environment variables to those of the old \
             one, also for `mjpeg-server check`; or write ${file:PATH} or, in a service of systemd, \
             ${credential:NAME} in their place:",
        );
        for (name, what) in variables {
            comment(&mut out, "#   ", &format!("{name}: {what}"));
        }
    }
    out
}

fn variables(secrets: &Secrets<'_>) -> BTreeMap<String, String> {
    let mut all: BTreeMap<_, _> = secrets.named.iter().cloned().collect();
    for name in secrets.variables.iter().cloned() {
        let what = "as the other program has it".to_owned();
        all.entry(name).or_insert(what);
    }
    all
}

/// Writes what was not carried over.
fn foot(found: &Inventory, migration: &mut Migration, marks: &Marks) {
    let out = &mut migration.text;
    if !migration.lost.is_empty() {
        out.push('\n');
        comment(out, "# ", "These cameras are not carried over:");
        for (camera, why) in &migration.lost {
            comment(out, "# * ", &format!("{camera}: {why}"));
        }
    }
    if !found.notes.is_empty() {
        out.push('\n');
        comment(out, "# ", "Nor are these settings:");
        let notes: Vec<String> = found.notes.iter().map(|note| marks.shown(note)).collect();
        for note in notes.iter().take(MOST_NOTES) {
            comment(out, "# * ", note);
        }
        if let Some(more) = notes.len().checked_sub(MOST_NOTES).filter(|more| *more > 0) {
            comment(out, "# * ", &format!("and {more} more"));
        }
    }
}

const NO_USER: &str = "The password of its viewers is not in the old file, so nobody may watch. Add \
     a [[users]] with the hash that `mjpeg-server hash-password` makes, and its name here:";

const MOST_FALLBACKS: usize = 16;

/// The most users: making a hash takes a while.
const MOST_USERS: usize = 32;
