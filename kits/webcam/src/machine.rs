//! The emulated machine: what is in it, and what it says.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use kit::workspace::Workspace;
use mjpeg_testkit::jpeg;
use xshell::{Shell, cmd};

/// Builds the machine, runs it, and returns the lines that it says. Takes about ten minutes.
pub(crate) fn run(workspace: &Workspace) -> Result<Vec<String>> {
    let sh = &workspace.sh;
    let (kernel, driver) = kernel()?;
    let home = workspace.target("webcam");
    let _ = fs::remove_dir_all(&home);
    let root = home.join("root");
    for folder in [
        "bin", "images", "modules", "proc", "sys", "dev", "etc", "tmp",
    ] {
        fs::create_dir_all(root.join(folder))?;
    }
    let guest = workspace.root().join("kits/webcam/guest");
    let camera = (guest.join("camera.c"), root.join("camera"));
    let (source, program) = &camera;
    cmd!(sh, "cc -static -O2 -o {program} {source}").run()?;
    put(&guest.join("init"), &root.join("init"))?;
    put(Path::new("/bin/busybox"), &root.join("bin/busybox"))?;
    symlink("busybox", root.join("bin/sh"))?;
    let relay = workspace.target("release/mjpeg-server");
    add_program(sh, &root, &relay, "mjpeg-server")?;
    add_program(sh, &root, Path::new("/usr/bin/ustreamer"), "ustreamer")?;
    add_modules(sh, &root, &driver)?;
    for number in 0..30 {
        let image = jpeg::of_length(number, 100_000);
        fs::write(root.join(format!("images/{number:02}.jpg")), image)?;
    }
    let archive = home.join("initrd");
    let pack = "cd \"$0\" && find . | busybox cpio -o -H newc 2>/dev/null > \"$1\"";
    cmd!(sh, "sh -c {pack} {root} {archive}").run()?;
    boot(&format!("/boot/vmlinuz-{kernel}"), &archive)
}

/// The newest kernel for which v4l2loopback is there, and the module.
fn kernel() -> Result<(String, PathBuf)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/lib/modules").context(NEEDED)? {
        let kernel = entry?.file_name().to_string_lossy().into_owned();
        let folder = PathBuf::from(format!("/lib/modules/{kernel}/updates/dkms"));
        let modules = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut modules = modules.map(|module| module.path());
        let module = modules.find(|path| path.to_string_lossy().contains("v4l2loopback.ko"));
        if Path::new(&format!("/boot/vmlinuz-{kernel}")).exists() {
            found.extend(module.map(|module| (kernel, module)));
        }
    }
    found.into_iter().max().context(NEEDED)
}

/// Adds the driver, and the modules that it needs before it.
fn add_modules(sh: &Shell, root: &Path, driver: &Path) -> Result<()> {
    let kernel = driver.components().nth(3).context("below /lib/modules")?;
    let modules = Path::new("/lib/modules").join(kernel).join("kernel");
    let (mut order, mut wanted) = (Vec::new(), vec![driver.to_owned()]);
    while let Some(module) = wanted.pop() {
        let name = module.file_name().context("a file")?.to_string_lossy();
        order.retain(|known| *known != *name);
        order.insert(0, name.into_owned());
        put(&module, &root.join("modules").join(&order[0]))?;
        let needs = cmd!(sh, "modinfo -F depends {module}").quiet().read()?;
        for need in needs.split(',').filter(|need| !need.is_empty()) {
            let file = format!("{need}.ko");
            let path = cmd!(sh, "find {modules} -name {file}").quiet().read()?;
            let path = path.lines().next().map(PathBuf::from);
            wanted.push(path.with_context(|| format!("{file} is not there"))?);
        }
    }
    let options = format!("{}.options", order.last().context("the driver")?);
    fs::write(root.join("modules/order"), order.join("\n"))?;
    Ok(fs::write(root.join("modules").join(options), "devices=1")?)
}

/// Adds a program, and the libraries that it is linked with.
fn add_program(sh: &Shell, root: &Path, program: &Path, name: &str) -> Result<()> {
    ensure!(
        program.exists(),
        "{} is not there; {NEEDED}",
        program.display()
    );
    put(program, &root.join(name))?;
    let linked = cmd!(sh, "ldd {program}").quiet().read()?;
    let words = linked
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    for library in words.map(Path::new) {
        let below = library.strip_prefix("/")?;
        put(library, &root.join(below))?;
    }
    Ok(())
}

fn put(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().context("below the root")?;
    fs::create_dir_all(folder)?;
    fs::copy(from, to).with_context(|| format!("copying {}; {NEEDED}", from.display()))?;
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(0o755))?)
}

fn boot(kernel: &str, archive: &Path) -> Result<Vec<String>> {
    let mut machine = Command::new("qemu-system-x86_64")
        .args([
            "-accel",
            "tcg",
            "-cpu",
            "max",
            "-m",
            "1024",
            "-nographic",
            "-no-reboot",
        ])
        .args(["-nic", "none", "-kernel", kernel, "-initrd"])
        .arg(archive)
        .args(["-append", "console=ttyS0 quiet panic=-1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context(NEEDED)?;
    let output = machine.stdout.take().context("piped")?;
    let mut said = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line?.trim_end().to_owned();
        println!("{line}");
        said.push(line);
    }
    machine.wait()?;
    match said.iter().any(|line| line == "== done") {
        true => Ok(said),
        false => bail!("the machine ended before its work was done"),
    }
}

const NEEDED: &str = "this needs Debian's qemu-system-x86, linux-image-amd64, linux-headers-amd64, \
                      v4l2loopback-dkms, busybox-static and ustreamer";
