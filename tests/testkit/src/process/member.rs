//! One `berthd` process.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{Error, Setup, binary};

/// How much of a log an error shows.
const LOG_LINES_SHOWN: usize = 20;

/// What a replica runs, unless a test says otherwise.
const PROGRAM: &str = "berthd";

/// A replica's process; killed and waited for when the value goes.
#[derive(Debug)]
pub struct Member {
    name: String,
    endpoint: String,
    data: PathBuf,
    log: PathBuf,
    peer: u16,
    program: String,
    variables: Vec<(String, String)>,
    arguments: Vec<String>,
    child: Child,
}

/// The three listeners of one replica.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    client: u16,
    peer: u16,
    /// The one that other replicas are told.
    told: u16,
    metrics: u16,
}

// === impl Ports ===

impl Ports {
    /// Three that are free now. All are held until the last is chosen, so that they differ.
    pub(super) fn free() -> Result<Self, Error> {
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listeners = [listen(), listen(), listen()];
        let mut ports = [0; 3];
        for (port, listener) in ports.iter_mut().zip(&listeners) {
            let address = match listener {
                Ok(listener) => listener.local_addr(),
                Err(_) => return Err(Error::NoPorts),
            };
            *port = address.map_err(|_| Error::NoPorts)?.port();
        }
        let [client, peer, metrics] = ports;
        Ok(Self {
            client,
            peer,
            told: peer,
            metrics,
        })
    }

    /// Others are told another port.
    pub(super) fn through(self, setup: &Setup) -> Self {
        let told = setup.peers.as_ref().map(|peers| peers.told(self.peer));
        Self {
            told: told.unwrap_or(self.peer),
            ..self
        }
    }
}

/// The replica at this place of the list. One alone is `--dev`.
pub(super) fn spawn(
    at: usize,
    ports: &[Ports],
    folder: &Path,
    setup: &Setup,
) -> Result<Member, Error> {
    let endpoint = |ports: &Ports| {
        let scheme = match setup.administrator {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://127.0.0.1:{}", ports.client)
    };
    let name = format!("berth-{}", at + 1);
    let own = ports[at];
    let arguments = match (&setup.made, ports.len()) {
        (Some(_), _) => Vec::new(),
        (None, 1) => vec!["--dev".to_owned()],
        (None, _) => bootstrap(ports, endpoint),
    };
    let data = setup.made.clone().unwrap_or_else(|| folder.join(&name));
    let place = Place {
        endpoint: endpoint(&own),
        ports: own,
        log: folder.join(format!("{name}.log")),
        name,
        data,
    };
    begin(place, arguments, setup)
}

/// A new member, as learner first, beside one that runs.
pub(super) fn join(
    at: usize,
    beside: &Member,
    folder: &Path,
    setup: &Setup,
) -> Result<Member, Error> {
    let own = Ports::free()?.through(setup);
    let (name, endpoint) = (
        format!("berth-{}", at + 1),
        format!("http://127.0.0.1:{}", own.client),
    );
    let peer = format!("http://127.0.0.1:{}", beside.peer);
    let arguments = vec!["--join".to_owned(), peer];
    let place = Place {
        endpoint,
        ports: own,
        log: folder.join(format!("{name}.log")),
        data: folder.join(&name),
        name,
    };
    begin(place, arguments, setup)
}

/// Who a replica is, and where it listens and writes.
struct Place {
    name: String,
    ports: Ports,
    endpoint: String,
    data: PathBuf,
    log: PathBuf,
}

fn begin(place: Place, mut arguments: Vec<String>, setup: &Setup) -> Result<Member, Error> {
    let Place {
        name,
        ports: own,
        endpoint,
        data,
        log,
    } = place;
    arguments.extend(setup.flags.iter().cloned());
    if let Some(from) = &setup.data {
        copy(from, &data).map_err(|source| Error::File {
            path: from.clone(),
            source,
        })?;
    }
    for (flag, value) in [
        ("--name", name.clone()),
        ("--data-dir", data.to_string_lossy().into_owned()),
        ("--listen-client", format!("127.0.0.1:{}", own.client)),
        ("--listen-peer", format!("127.0.0.1:{}", own.peer)),
        ("--listen-metrics", format!("127.0.0.1:{}", own.metrics)),
        ("--advertise-peer", format!("http://127.0.0.1:{}", own.told)),
    ] {
        arguments.extend([flag.to_owned(), value]);
    }
    let program = setup.program.clone().unwrap_or_else(|| PROGRAM.into());
    let child = run((&program, &setup.variables), &name, &arguments, &log)?;
    Ok(Member {
        name,
        endpoint,
        data,
        log,
        peer: own.told,
        program,
        variables: setup.variables.clone(),
        arguments,
        child,
    })
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

fn bootstrap(ports: &[Ports], endpoint: impl Fn(&Ports) -> String) -> Vec<String> {
    let mut arguments = vec!["--bootstrap".to_owned()];
    for (at, ports) in ports.iter().enumerate() {
        let (name, client) = (at + 1, endpoint(ports));
        let peer = ports.told;
        arguments.push("--member".to_owned());
        arguments.push(format!(
            "name=berth-{name},client={client},peer=http://127.0.0.1:{peer}"
        ));
    }
    arguments
}

fn run(
    (program, variables): (&str, &[(String, String)]),
    name: &str,
    arguments: &[String],
    log: &Path,
) -> Result<Child, Error> {
    let file = File::options().create(true).append(true).open(log);
    let file = file.map_err(|source| Error::File {
        path: log.to_owned(),
        source,
    })?;
    let both = file.try_clone().map_err(|source| Error::File {
        path: log.to_owned(),
        source,
    })?;
    let started = Command::new(binary(program)?)
        .args(arguments)
        .envs(variables.iter().cloned())
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(both)
        .spawn();
    started.map_err(|source| Error::Process {
        name: name.to_owned(),
        source,
    })
}

// === impl Member ===

impl Member {
    /// "berth-1"
    pub fn name(&self) -> &str {
        &self.name
    }

    /// "http://127.0.0.1:40123"
    pub fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    /// The process' id.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) -> Result<(), Error> {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.map(|_| ()).map_err(|source| Error::Process {
            name: self.name.clone(),
            source,
        })
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// SIGTERM, and waits until it is gone, as a service manager does.
    pub fn stop(&mut self) -> Result<(), Error> {
        let failed = |source| Error::Process {
            name: self.name.clone(),
            source,
        };
        let id = rustix::process::Pid::from_child(&self.child);
        let asked = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        asked.map_err(|error| failed(error.into()))?;
        self.child.wait().map(drop).map_err(failed)
    }

    /// Waits until it has ended by itself; the end of what it said.
    pub fn wait_for_end(&mut self) -> Result<String, Error> {
        let ended = self.child.wait();
        ended.map_err(|source| Error::Process {
            name: self.name.clone(),
            source,
        })?;
        Ok(self.log_tail())
    }

    /// From its next start on, this flag has that value; none = it is not said.
    pub fn set_flag(&mut self, name: &str, value: Option<&str>) {
        if let Some(at) = self.arguments.iter().position(|known| known == name) {
            self.arguments.drain(at..(at + 2).min(self.arguments.len()));
        }
        if let Some(value) = value {
            self.arguments.extend([name.to_owned(), value.to_owned()]);
        }
    }

    /// Starts it again on its data, with its ports. It must be dead.
    pub fn restart(&mut self) -> Result<(), Error> {
        let program = self.program.clone();
        self.restart_as(&program)
    }

    /// The same with another program: `berthd-next` is the server as a later release would be.
    pub fn restart_as(&mut self, program: &str) -> Result<(), Error> {
        // A cluster is begun once; from then on a member goes on with what it has.
        let mut arguments = Vec::new();
        let mut skip_value = false;
        for argument in &self.arguments {
            match argument.as_str() {
                _ if skip_value => skip_value = false,
                "--bootstrap" => {}
                "--member" | "--join" => skip_value = true,
                _ => arguments.push(argument.clone()),
            }
        }
        self.child = run(
            (program, &self.variables),
            &self.name,
            &arguments,
            &self.log,
        )?;
        Ok(())
    }

    /// Its exit status, if it has ended.
    pub(super) fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok()?;
        status.map(|status| status.to_string())
    }

    /// Whether it has said that it listens: then its ports are its own.
    pub(super) fn has_bound(&self) -> bool {
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        said.contains("listening") || self.arguments.iter().any(|word| word == "--log-filter")
    }

    /// The end of what it said.
    pub fn log_tail(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("{error}");
        }
    }
}
