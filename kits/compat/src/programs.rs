//! Runs all viewers in all rows, and prints the table of what they saw.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use kit::flags::Programs;
use kit::folder::Temporary;
use kit::record;
use kit::workspace::Workspace;
use xshell::cmd;

use crate::needs::{self, Machine, Tool};
use crate::rows::{self, Prepared, Row};
use crate::session;
use crate::setting::{Setting, open_folder};
use crate::table::{Cell, Outcome, Table};
use crate::viewers::{self, Viewer};

pub(crate) fn run(options: &Programs) -> Result<()> {
    let workspace = Workspace::from_env()?;
    if options.install {
        needs::install(&workspace)?;
    }
    let rows = chosen(rows::ALL, |row| row.word, &options.row)?;
    let viewers = chosen(viewers::ALL, |viewer| viewer.name, &options.program)?;
    let folder = Temporary::new(&format!("mjpeg-compat-{}", std::process::id()))?;
    open_folder(folder.path())?;
    let repair = options.repair.iter();
    let setting = Setting {
        program: workspace.release_build()?,
        machine: Machine::look(&workspace),
        parsers: workspace.root().join("crates/mjpeg-codec/tests/consumers"),
        folder: folder.path().to_owned(),
        relay_arguments: repair
            .flat_map(|list| ["--repair".to_owned(), list.clone()])
            .collect(),
    };
    let jobs = options.jobs.unwrap_or(DEFAULT_JOBS).max(1);
    let table = measure(&setting, &rows, &viewers, jobs)?;

    if options.keep {
        let path = folder.path().display();
        println!("\nwhat each program saw and wrote is in {path}");
        std::mem::forget(folder);
    }
    let tools: Vec<Tool> = viewers.iter().map(|viewer| viewer.tool).collect();
    let versions = setting.machine.versions(&tools);
    println!("\n{}\n{}", table.markdown(), bullets(&table.notes()));
    println!("{}", versions.join("\n"));
    let faults = [Outcome::Missed, Outcome::Wrong];
    let faults = table.outcomes().filter(|it| faults.contains(it)).count();
    let skipped = table.outcomes().filter(|it| *it == Outcome::Skipped);
    let (cells, skipped) = (table.outcomes().count(), skipped.count());
    println!("\n{cells} cells, {skipped} not run, {faults} at fault");
    if let Some(file) = &options.record {
        let sh = &workspace.sh;
        let date = cmd!(sh, "date --utc +%F").quiet().read()?;
        let arguments = setting.relay_arguments.iter();
        let text = format!(
            "Measured on {date} with `cargo xtask compat programs{}`.\n\n{}\n{}\nVersions:\n\n{}",
            arguments.map(|word| format!(" {word}")).collect::<String>(),
            table.markdown(),
            bullets(&table.notes()),
            bullets(&versions),
        );
        record::write(file, "compat programs", &text)?;
        println!("recorded in {}", file.display());
    }
    ensure!(
        faults == 0,
        "{faults} viewer(s) did not see every picture whole; see the notes above"
    );
    Ok(())
}

fn bullets(lines: &[String]) -> String {
    lines.iter().map(|line| format!("* {line}\n")).collect()
}

fn measure(
    setting: &Setting,
    rows: &[&'static Row],
    viewers: &[&'static Viewer],
    jobs: usize,
) -> Result<Table> {
    let prepared: Result<Vec<_>> = rows.iter().map(|row| prepare(setting, row)).collect();
    let prepared = prepared?;
    let places = prepared.iter();
    let places: Vec<(&Prepared, &Viewer)> = places
        .flat_map(|row| viewers.iter().map(move |viewer| (row, *viewer)))
        .collect();
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<Cell>>> = Mutex::new(vec![None; places.len()]);
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::SeqCst);
            let Some(&(row, viewer)) = places.get(place) else {
                break;
            };
            let cell = cell(setting, row, viewer);
            let (word, name) = (row.row.word, viewer.name);
            println!("   {word:<10} {name:<12} {}", cell.short);
            lock(&done)[place] = Some(cell);
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    let cells: Option<Vec<Cell>> = lock(&done).drain(..).collect();
    let cells = cells.context("a cell was not measured")?;
    let rows = rows.iter().zip(cells.chunks(viewers.len()));
    Ok(Table {
        columns: viewers.iter().map(|viewer| viewer.name).collect(),
        rows: rows
            .map(|(row, cells)| (row.name, cells.to_vec()))
            .collect(),
    })
}

/// Makes the pictures of a row, and checks whether the relay can serve the row at all.
fn prepare(setting: &Setting, row: &'static Row) -> Result<Prepared> {
    let mut prepared = Prepared::new(row)?;
    if row.advance_headers {
        let body = session::sample(setting, &prepared)?;
        let first_part = String::from_utf8_lossy(&body).to_ascii_lowercase();
        let head = first_part.split("\r\n\r\n").next().unwrap_or_default();
        if head.contains("content-length") {
            let why = "this relay does not know the query `advance_headers=1` yet";
            prepared.unavailable = Some(why);
        }
    }
    Ok(prepared)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Measures one viewer in one row.
///
/// If it only missed pictures, it gets a second try, which a note mentions. On a busy machine, the
/// viewer or the relay may pause for a moment, and the relay then skips pictures, as it should.
fn cell(setting: &Setting, row: &Prepared, viewer: &Viewer) -> Cell {
    let cell = |outcome, short: &str, note: String| Cell {
        outcome,
        short: short.to_owned(),
        note: Some(note),
    };
    if let Some(why) = row.unavailable {
        return cell(Outcome::Skipped, "skipped", why.to_owned());
    }
    if let Some(why) = row.row.not_for(viewer.name) {
        return cell(Outcome::Skipped, "-", why.to_owned());
    }
    if !setting.machine.has(viewer.tool) {
        let why = format!("not installed ({})", viewer.tool.how());
        return cell(Outcome::Skipped, "skipped", why);
    }
    let measure = |attempt| {
        let measured = session::run(setting, row, viewer, attempt);
        measured.unwrap_or_else(|error| cell(Outcome::Wrong, "failed", format!("{error:#}")))
    };
    let first = measure(1);
    if first.outcome != Outcome::Missed {
        return first;
    }
    let second = measure(2);
    let notes: Vec<String> = first.note.into_iter().chain(second.note).collect();
    let (first, notes) = (first.short, notes.join("; then "));
    Cell {
        note: Some(format!("two tries, the first {first}: {notes}")),
        ..second
    }
}

fn chosen<T>(
    all: &'static [T],
    name: impl Fn(&T) -> &'static str,
    wanted: &[String],
) -> Result<Vec<&'static T>> {
    for word in wanted {
        if !all.iter().any(|one| name(one) == word) {
            let known: Vec<_> = all.iter().map(&name).collect();
            bail!("{word:?} is none of: {}", known.join(", "));
        }
    }
    let takes = |one: &&T| wanted.is_empty() || wanted.iter().any(|word| name(one) == word);
    Ok(all.iter().filter(takes).collect())
}

const DEFAULT_JOBS: usize = 4;
