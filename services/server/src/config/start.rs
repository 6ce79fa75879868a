//! How the data directory is to be taken, and who the replica is.

use super::{Error, Flags, Options, listeners, refuse};
use berth_domain::id::{Endpoint, MemberId, NodeName};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// How the directory is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// One replica: begins an empty directory, goes on with a known one.
    Dev,
    /// Begins a new cluster in an empty directory; refused on a known one.
    Bootstrap {
        /// The cluster's identity, the same on all members.
        cluster_id: String,
        /// All members, this one included.
        members: Vec<Member>,
        /// This one's number.
        id: MemberId,
    },
    /// Goes on with a known directory; refused on an empty or damaged one.
    Recover {
        /// Those that are listed: where the others are, until the ledger says it.
        members: Vec<Member>,
        /// Whose directory it must be, if that was said.
        cluster_id: Option<String>,
    },
    /// Joins a running cluster as a new member, as learner first.
    Join {
        /// Peer endpoints to ask, in this order.
        endpoints: Vec<Endpoint>,
        /// Sets the directory aside first and takes its member's place.
        set_aside: bool,
        /// Wants no vote until an administrator gives it one.
        stays_learner: bool,
    },
}

/// A replica of a static list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub id: MemberId,
    /// Its name.
    pub name: NodeName,
    /// Where clients reach it.
    pub client: Endpoint,
    /// Where replicas reach it.
    pub peer: Endpoint,
}

/// More voters make each write slower and no cluster safer.
const MEMBERS_MAX: usize = 7;
const CLUSTER_ID_BYTES_MAX: usize = 63;
const DEV_NAME: &str = "dev";
const DEV_DATA_DIRECTORY: &str = "berth-data";
const HOST_NAME_FILE: &str = "/proc/sys/kernel/hostname";

pub(super) fn name(options: &Options, flags: &Flags) -> Result<NodeName, Error> {
    let text = match &options.name {
        Some(name) => name.clone(),
        None if flags.dev => DEV_NAME.into(),
        None => fs::read_to_string(HOST_NAME_FILE).map_err(|error| {
            refuse(
                "name",
                format!("missing, and the host's name cannot be read: {error}"),
            )
        })?,
    };
    NodeName::new(text.trim()).map_err(|error| refuse("name", error.to_string()))
}

pub(super) fn data_directory(options: &Options, flags: &Flags) -> Result<PathBuf, Error> {
    match &options.data_dir {
        Some(path) if path.as_os_str().is_empty() => Err(refuse("data_dir", "is empty")),
        Some(path) => Ok(path.clone()),
        None if flags.dev => Ok(DEV_DATA_DIRECTORY.into()),
        None => Err(refuse(
            "data_dir",
            "missing: say --data-dir DIRECTORY, or --dev for ./berth-data",
        )),
    }
}

pub(super) fn start(options: &Options, flags: &Flags) -> Result<Start, Error> {
    let members = members(options)?;
    if flags.dev && !members.is_empty() {
        return Err(refuse(
            "members",
            "--dev is one replica: leave the members out, or use --bootstrap",
        ));
    }
    if flags.learner && flags.join.is_none() && !flags.rejoin {
        return Err(refuse(
            "learner",
            "goes with --join or --rejoin: a member that is there is made a voter by `berthctl member promote`",
        ));
    }
    match (flags.dev, flags.bootstrap, &flags.join, flags.rejoin) {
        (true, ..) => Ok(Start::Dev),
        (_, true, ..) => bootstrap(options, flags, members),
        (_, _, Some(text), set_aside) => Ok(Start::Join {
            endpoints: vec![listeners::endpoint("join", text, scheme(text))?],
            set_aside,
            stays_learner: flags.learner,
        }),
        (_, _, None, true) => rejoin(&name(options, flags)?, members, flags.learner),
        _ => Ok(Start::Recover {
            cluster_id: match options.cluster_id {
                Some(_) => Some(cluster_id(options, &members)?),
                None => None,
            },
            members,
        }),
    }
}

fn bootstrap(options: &Options, flags: &Flags, members: Vec<Member>) -> Result<Start, Error> {
    let name = name(options, flags)?;
    if members.is_empty() {
        return Err(refuse(
            "members",
            "missing: --bootstrap needs all members of the new cluster, this one included",
        ));
    }
    let Some(me) = members.iter().find(|member| member.name == name) else {
        return Err(refuse(
            "members",
            format!("none is named {name}: set `name` to one of them"),
        ));
    };
    Ok(Start::Bootstrap {
        cluster_id: cluster_id(options, &members)?,
        id: me.id,
        members,
    })
}

fn rejoin(name: &NodeName, members: Vec<Member>, stays_learner: bool) -> Result<Start, Error> {
    let others = members.into_iter().filter(|member| member.name != *name);
    let endpoints: Vec<Endpoint> = others.map(|member| member.peer).collect();
    if endpoints.is_empty() {
        return Err(refuse(
            "join",
            "missing: --rejoin asks another replica; say --join PEER_ENDPOINT or list the members",
        ));
    }
    let set_aside = true;
    Ok(Start::Join {
        endpoints,
        set_aside,
        stays_learner,
    })
}

fn members(options: &Options) -> Result<Vec<Member>, Error> {
    if options.members.len() > MEMBERS_MAX {
        let count = options.members.len();
        return Err(refuse(
            "members",
            format!("{count} are too many: at most {MEMBERS_MAX}"),
        ));
    }
    let (mut ids, mut names, mut peers) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut members = Vec::new();
    for (place, said) in (1..).zip(&options.members) {
        let member = Member {
            id: MemberId(said.id.unwrap_or(place)),
            name: NodeName::new(&said.name)
                .map_err(|error| refuse("members", error.to_string()))?,
            client: listeners::endpoint("members", &said.client, scheme(&said.client))?,
            peer: listeners::endpoint("members", &said.peer, scheme(&said.peer))?,
        };
        if member.id.0 == 0 {
            return Err(refuse("members", "id 0 is not allowed: the least is 1"));
        }
        let fresh = ids.insert(member.id) && names.insert(member.name.clone());
        if !(fresh && peers.insert(member.peer.clone())) {
            let name = &member.name;
            return Err(refuse(
                "members",
                format!("{name} has the id, name or peer endpoint of another"),
            ));
        }
        members.push(member);
    }
    Ok(members)
}

fn scheme(text: &str) -> &'static str {
    if text.starts_with("https") {
        "https"
    } else {
        "http"
    }
}

/// What the administrator says, else a digest of the list, so that replicas begun apart agree.
fn cluster_id(options: &Options, members: &[Member]) -> Result<String, Error> {
    if let Some(said) = &options.cluster_id {
        let plain = said
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if said.is_empty() || said.len() > CLUSTER_ID_BYTES_MAX || !plain {
            let reason = format!(
                "{said:?} is not 1 to {CLUSTER_ID_BYTES_MAX} letters, digits, '-', '_' or '.'"
            );
            return Err(refuse("cluster_id", reason));
        }
        return Ok(said.clone());
    }
    let mut digest = blake3::Hasher::new();
    for member in members {
        digest.update(format!("{}\n{}\n{}\n", member.id, member.name, member.peer).as_bytes());
    }
    Ok(digest.finalize().to_hex()[..32].into())
}
