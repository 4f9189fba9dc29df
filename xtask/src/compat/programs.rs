//! `cargo xtask compat programs`: real viewers' programs read the relay, and what they see is counted.

mod needs;
mod parsers;
mod rows;
mod session;
mod viewers;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use xshell::cmd;

use crate::compat::table::{Cell, Table};
use crate::compat::{record, relay};
use crate::flags::Programs;
use crate::util::Workspace;

use needs::{Machine, Present};
use rows::Row;
use session::Session;
use viewers::Viewer;

pub(crate) fn run(workspace: &Workspace, options: &Programs) -> Result<()> {
    if options.install {
        needs::install(workspace)?;
    }
    let rows = chosen(rows::ALL, |row| row.word, &options.row)?;
    let viewers = chosen(viewers::ALL, |viewer| viewer.name, &options.program)?;
    let program = relay::build(workspace)?;
    let machine = Machine::look(workspace);
    let folder = Temporary::new()?;
    let repair = options.repair.iter();
    let kit = Kit {
        program,
        machine,
        parsers: workspace.root().join("crates/mjpeg-codec/tests/consumers"),
        folder: folder.0.clone(),
        relay_arguments: repair
            .flat_map(|list| ["--repair".to_owned(), list.clone()])
            .collect(),
    };
    let table = measure(
        &kit,
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
    println!("\n{}", kit.machine.versions(&viewers).join("\n"));
    let (faults, skipped, cells) = (table.faults(), table.skipped(), table.cells());
    println!("\n{cells} cells, {skipped} not run, {faults} at fault");
    if let Some(file) = &options.record {
        let text = result(workspace, &kit, &table, &viewers)?;
        record::write(file, "programs", &text)?;
        println!("recorded in {}", file.display());
    }
    ensure!(
        faults == 0,
        "{faults} viewer(s) did not see every picture whole; see the notes above"
    );
    Ok(())
}

/// What every session needs to know.
struct Kit {
    program: PathBuf,
    machine: Machine,
    /// Where the scripts are that read as certain viewers do; the codec's tests have them.
    parsers: PathBuf,
    folder: PathBuf,
    relay_arguments: Vec<String>,
}

fn measure(
    kit: &Kit,
    rows: &[&'static Row],
    viewers: &[&'static Viewer],
    jobs: usize,
) -> Result<Table> {
    let prepared: Result<Vec<_>> = rows.iter().map(|row| row.prepare(kit)).collect();
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
                    let cell = cell(kit, row, viewer);
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One viewer in one row, with a relay and a camera of its own.
fn cell(kit: &Kit, row: &rows::Prepared, viewer: &Viewer) -> Cell {
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
    if let Present::No { how } = kit.machine.has(viewer.tool) {
        return Cell::Skipped {
            short: "skipped",
            why: format!("not installed ({how})"),
        };
    }
    let measure = |attempt| match Session::run(kit, row, viewer, attempt) {
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

/// Where viewer or relay stand still for a moment, on a machine that is busy with other things, pictures are skipped, as they should
/// be. That is worth a second try, of which a note tells. A corrupt picture is not.
fn merely_missed(cell: &Cell) -> bool {
    matches!(cell, Cell::Measured { good, of, notes, .. } if good < of && notes.is_empty())
}

/// The result as the docs have it.
fn result(workspace: &Workspace, kit: &Kit, table: &Table, viewers: &[&Viewer]) -> Result<String> {
    let sh = &workspace.sh;
    let date = cmd!(sh, "date --utc +%F").quiet().read()?;
    let notes = table.notes().into_iter().map(|note| format!("* {note}\n"));
    let versions = kit
        .machine
        .versions(viewers)
        .into_iter()
        .map(|line| format!("* {line}\n"));
    Ok(format!(
        "Measured on {date} with `cargo xtask compat programs{}`.\n\n{}\n{}\nVersions:\n\n{}",
        kit.relay_arguments
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

/// A folder that every user of the machine can reach, for one of the programs does not run as root. Removed when dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("mjpeg-compat-{}", std::process::id()));
        open_folder(&folder)?;
        Ok(Self(folder))
    }
}

/// Makes a folder that everybody may write into.
fn open_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777))?;
    Ok(())
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const DEFAULT_JOBS: usize = 4;
