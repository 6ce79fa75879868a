//! Promise: however the demo is ended, it leaves no process, and Ctrl-C leaves no directory either.
//!
//! Every program that the demo starts inherits its working directory, so that is how they are found.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

/// The build that the demo may have to do first is in it.
const PATIENCE: Duration = Duration::from_secs(900);
const END_WITHIN: Duration = Duration::from_secs(30);

/// The demo under way, in a directory of its own.
struct Demo {
    folder: PathBuf,
    child: Child,
}

impl Demo {
    /// Starts it and waits until it has printed a line that contains `words`.
    fn until(name: &str, words: &str) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_xtask"));
        Self::of(program, fresh_folder(name), words, || {})
    }

    /// The same; `begun` runs as soon as it does.
    fn of(program: &Path, folder: PathBuf, words: &str, begun: impl FnOnce()) -> Self {
        let mut command = Command::new(program);
        command
            .arg("demo")
            .current_dir(&folder)
            .env("TMPDIR", &folder)
            .stdout(Stdio::piped());
        let child = command.spawn().expect("xtask starts");
        begun();
        let mut demo = Self { folder, child };
        let output = demo.child.stdout.take().expect("a pipe");
        let (sender, lines) = std::sync::mpsc::channel();
        // Reads to the end, so that the demo never waits for us.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Nobody listens any more once the words were seen.
                drop(sender.send(line));
            }
        });
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(words) => return demo,
                Ok(_) => {}
                Err(_) => break,
            }
        }
        panic!("the demo never said {words:?}")
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("an id");
        rustix::process::kill_process(Pid::from_raw(id).expect("not zero"), signal)
            .expect("it runs");
    }

    /// Waits for its end; the exit code.
    fn end(&mut self) -> Option<i32> {
        eventually("the end of the demo", || {
            self.child.try_wait().expect("our child")
        })?
        .code()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Whatever the assertions said, the machine is left clean.
        for id in processes_in(&self.folder) {
            rustix::process::kill_process(id, Signal::KILL)
                .unwrap_or_else(|error| eprintln!("{id:?}: {error}"));
        }
        self.child
            .wait()
            .map_or_else(|error| eprintln!("{error}"), drop);
        fs::remove_dir_all(&self.folder).unwrap_or_else(|error| eprintln!("{error}"));
    }
}

fn fresh_folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a directory");
    folder.canonicalize().expect("it is there")
}

/// Processes whose working directory is this one.
fn processes_in(folder: &Path) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").expect("procfs").flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_string_lossy().parse::<i32>().ok());
    let inside =
        ids.filter(|id| fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|cwd| cwd == folder));
    inside.filter_map(Pid::from_raw).collect()
}

fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = condition() {
            return Some(found);
        }
        assert!(begun.elapsed() < END_WITHIN, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn left_in(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .expect("it is there")
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

fn interrupted_leaves_nothing(name: &str, words: &str, signal: Signal) {
    let mut demo = Demo::until(name, words);
    assert!(
        processes_in(&demo.folder).len() > 3,
        "three replicas and the demo itself run"
    );
    demo.signal(signal);
    assert_eq!(demo.end(), Some(130));
    assert_eq!(processes_in(&demo.folder), []);
    assert_eq!(left_in(&demo.folder), Vec::<PathBuf>::new());
}

/// Promise: Ctrl-C while pods come and go leaves nothing.
#[test]
fn an_interrupt_leaves_nothing() {
    interrupted_leaves_nothing("early", "three replicas run", Signal::INT);
}

/// Promise: Ctrl-C while there is no leader, and calls hang, leaves nothing; a `kill` is taken the same way.
#[test]
fn an_interrupt_without_a_leader_leaves_nothing() {
    interrupted_leaves_nothing("headless", "kill -9 of", Signal::TERM);
}

/// Promise: even `kill -9` of the demo leaves no server behind (its directory it cannot remove).
#[test]
fn a_killed_demo_leaves_no_server() {
    let mut demo = Demo::until("killed", "three replicas run");
    demo.signal(Signal::KILL);
    assert_eq!(demo.end(), None);
    eventually("the end of the servers", || {
        processes_in(&demo.folder).is_empty().then_some(())
    });
}

/// Promise: servers start although cargo has put another program into xtask's file meanwhile, as a build beside the demo does.
#[test]
fn a_replaced_program_starts_its_servers() {
    let folder = fresh_folder("replaced");
    let program = folder.join("xtask");
    fs::copy(env!("CARGO_BIN_EXE_xtask"), &program).expect("a copy");
    let mut demo = Demo::of(&program, folder, "three replicas run", || {
        fs::remove_file(&program).expect("it is there");
    });
    demo.signal(Signal::INT);
    assert_eq!(demo.end(), Some(130));
}

/// Promise (negative control): a process and a file that are left behind are seen.
#[test]
fn what_is_left_is_seen() {
    let folder = fresh_folder("control");
    fs::write(folder.join("data"), "x").expect("a file");
    let mut left = Command::new("sleep")
        .arg("600")
        .current_dir(&folder)
        .spawn()
        .expect("sleep starts");
    let seen = eventually("sleep to be seen", || {
        processes_in(&folder).first().copied()
    });
    assert_eq!(
        seen.map(|id| id.as_raw_nonzero().get().unsigned_abs()),
        Some(left.id())
    );
    assert_eq!(left_in(&folder).len(), 1);
    left.kill().expect("ours");
    left.wait().expect("ours");
    fs::remove_dir_all(&folder).expect("ours");
}
