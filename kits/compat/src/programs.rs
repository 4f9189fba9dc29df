//! All viewers in all rows, and the table of what they saw.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use kit::flags::Programs;
use kit::record;
use kit::workspace::Workspace;
use xshell::cmd;

use crate::needs::{self, Machine, Present, Tool};
use crate::prepared::Prepared;
use crate::rows::{self, Row};
use crate::session;
use crate::setting::{Setting, Temporary};
use crate::table::{Cell, Table};
use crate::viewers::{self, Viewer};

pub(crate) fn run(options: &Programs) -> Result<()> {
    let workspace = Workspace::from_env()?;
    if options.install {
        needs::install(&workspace)?;
    }
    let rows = chosen(rows::ALL, |row| row.word, &options.row)?;
    let viewers = chosen(viewers::ALL, |viewer| viewer.name, &options.program)?;
    let program = workspace.release_build()?;
    let machine = Machine::look(&workspace);
    let folder = Temporary::new()?;
    let repair = options.repair.iter();
    let setting = Setting {
        program,
        machine,
        parsers: workspace.root().join("crates/mjpeg-codec/tests/consumers"),
        folder: folder.0.clone(),
        relay_arguments: repair
            .flat_map(|list| ["--repair".to_owned(), list.clone()])
            .collect(),
    };
    let tools: Vec<Tool> = viewers.iter().map(|viewer| viewer.tool).collect();
    let table = measure(
        &setting,
        &rows,
        &viewers,
        options.jobs.unwrap_or(DEFAULT_JOBS).max(1),
    )?;

    if options.keep {
        println!(
            "\nwhat each program saw and said is in {}",
            folder.0.display()
        );
        std::mem::forget(folder);
    }
    println!("\n{}", table.markdown());
    for note in table.notes() {
        println!("* {note}");
    }
    println!("\n{}", setting.machine.versions(&tools).join("\n"));
    let (faults, skipped, cells) = (table.faults(), table.skipped(), table.cells());
    println!("\n{cells} cells, {skipped} not run, {faults} at fault");
    if let Some(file) = &options.record {
        let text = result(&workspace, &setting, &table, &tools)?;
        record::write(file, "compat programs", &text)?;
        println!("recorded in {}", file.display());
    }
    ensure!(
        faults == 0,
        "{faults} viewer(s) did not see every picture whole; see the notes above"
    );
    Ok(())
}

fn measure(
    setting: &Setting,
    rows: &[&'static Row],
    viewers: &[&'static Viewer],
    jobs: usize,
) -> Result<Table> {
    let prepared: Result<Vec<_>> = rows.iter().map(|row| prepare(setting, row)).collect();
    let prepared = prepared?;
    let places: Vec<(usize, usize)> = (0..rows.len())
        .flat_map(|row| (0..viewers.len()).map(move |viewer| (row, viewer)))
        .collect();
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<Cell>>> = Mutex::new(vec![None; places.len()]);
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::SeqCst);
                    let Some(&(row, viewer)) = places.get(place) else {
                        break;
                    };
                    let (row, viewer) = (&prepared[row], viewers[viewer]);
                    let cell = cell(setting, row, viewer);
                    println!(
                        "   {:<10} {:<12} {}",
                        row.row.word,
                        viewer.name,
                        cell.short()
                    );
                    lock(&done)[place] = Some(cell);
                }
            });
        }
    });
    let cells: Option<Vec<Cell>> = lock(&done).drain(..).collect();
    let cells = cells.context("every cell was measured")?;
    let rows = rows.iter().zip(cells.chunks(viewers.len()));
    Ok(Table {
        corner: "what the camera sends",
        columns: viewers.iter().map(|viewer| viewer.name).collect(),
        rows: rows
            .map(|(row, cells)| (row.name, cells.to_vec()))
            .collect(),
    })
}

/// Makes the pictures of a row, and asks the relay whether it can serve the row at all.
fn prepare(setting: &Setting, row: &'static Row) -> Result<Prepared> {
    let mut prepared = Prepared::new(row)?;
    if row.asks_for_advance_headers() {
        let body = session::sample(setting, &prepared)?;
        let first_part = String::from_utf8_lossy(&body).to_ascii_lowercase();
        let head = first_part.split("\r\n\r\n").next().unwrap_or_default();
        if head.contains("content-length") {
            let why = "this relay does not know the query `advance_headers=1` yet";
            prepared.unavailable = Some(why.to_owned());
        }
    }
    Ok(prepared)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One viewer in one row, with a relay and a camera of its own.
fn cell(setting: &Setting, row: &Prepared, viewer: &Viewer) -> Cell {
    if let Some(why) = &row.unavailable {
        return Cell::Skipped {
            short: "skipped",
            why: why.clone(),
        };
    }
    if let Some(why) = row.row.not_for(viewer.name) {
        return Cell::Skipped {
            short: "-",
            why: why.to_owned(),
        };
    }
    if let Present::No { how } = setting.machine.has(viewer.tool) {
        return Cell::Skipped {
            short: "skipped",
            why: format!("not installed ({how})"),
        };
    }
    let measure = |attempt| match session::run(setting, row, viewer, attempt) {
        Ok(cell) => cell,
        Err(error) => Cell::Failed(format!("{error:#}")),
    };
    let first = measure(1);
    if !merely_missed(&first) {
        return first;
    }
    let mut second = measure(2);
    if let Cell::Measured { remark, .. } = &mut second {
        let note = first
            .note()
            .into_iter()
            .chain(remark.take())
            .collect::<Vec<_>>();
        *remark = Some(format!(
            "two tries, the first {}: {}",
            first.short(),
            note.join("; then ")
        ));
    }
    second
}

/// Whether pictures were missed and nothing else was wrong. On a busy machine viewer or relay stand
/// still for a moment, and the relay skips pictures, as it should. That is worth a second try,
/// which a note mentions. A corrupt picture is not.
fn merely_missed(cell: &Cell) -> bool {
    matches!(cell, Cell::Measured { good, of, notes, .. } if good < of && notes.is_empty())
}

/// The result as it stands in the docs.
fn result(
    workspace: &Workspace,
    setting: &Setting,
    table: &Table,
    tools: &[Tool],
) -> Result<String> {
    let sh = &workspace.sh;
    let date = cmd!(sh, "date --utc +%F").quiet().read()?;
    let notes = table.notes().into_iter().map(|note| format!("* {note}\n"));
    let versions = setting
        .machine
        .versions(tools)
        .into_iter()
        .map(|line| format!("* {line}\n"));
    Ok(format!(
        "Measured on {date} with `cargo xtask compat programs{}`.\n\n{}\n{}\nVersions:\n\n{}",
        setting
            .relay_arguments
            .iter()
            .map(|a| format!(" {a}"))
            .collect::<String>(),
        table.markdown(),
        notes.collect::<String>(),
        versions.collect::<String>(),
    ))
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
