//! How the data directory is taken: begun, joined, or gone on with. Nothing is served before this is done.

use super::Error;
use crate::config::{Certificates, Config, Member, Start};
use crate::peer::join::{self, Joined};
use crate::peer::{Address, Myself, Remembered, Told};
use crate::planted::{self, Planted};
use berth_domain::id::{Endpoint, MemberId, NodeName};
use berth_domain::version::APPLIES;
use berth_proto::peer::v1::{JoinRequest, PeerMember};
use berth_raft::log_store::LogStore;
use berth_raft::start::Start as RaftStart;
use berth_store::directory::{Directory, Found, Options};
use std::collections::BTreeMap;
use std::path::Path;
use tracing::{info, warn};
use uuid::Uuid;

/// A directory that is ours, and what to do with it.
pub struct Begun {
    /// Locked.
    pub directory: Directory,
    /// Bootstrap, join or recover.
    pub start: RaftStart,
    /// Who is a member as far as is known before the ledger says it.
    pub members: Vec<Address>,
    /// Who was one when this replica was here last.
    pub told: Told,
    /// Where those listen for clients.
    pub client_endpoints: BTreeMap<MemberId, Endpoint>,
    /// Who this replica is.
    pub myself: Myself,
}

/// What this replica tells others of where it listens.
#[derive(Clone, Debug)]
pub struct Advertised {
    /// To clients.
    pub client: Endpoint,
    /// To replicas.
    pub peer: Endpoint,
}

/// `--dev` has one member, and this is its number.
const DEV_MEMBER: u64 = 1;
/// How the names of its clusters begin: another cluster's replica alone would wait for the others for ever.
const DEV_CLUSTER: &str = "dev-";
const MIB: u64 = 1024 * 1024;

/// Takes the directory as the configuration says.
pub async fn begin(
    config: &Config,
    advertised: &Advertised,
    certificates: Option<&Certificates>,
) -> Result<Begun, Error> {
    let path = &config.data_directory;
    let options = options(config);
    match &config.start {
        Start::Dev => dev(path, options),
        Start::Bootstrap {
            cluster_id,
            members,
            id,
        } => bootstrap(path, options, cluster_id, *id, members),
        Start::Recover {
            members,
            cluster_id,
        } => {
            let directory = Directory::open(path, options)?;
            let other = others_id(&directory, members, &config.name);
            directory.expect(cluster_id.as_deref(), other)?;
            check_cluster(&directory, path, members, config, certificates).await?;
            Ok(begun(directory, RaftStart::Recover, listed(members)))
        }
        Start::Join {
            endpoints,
            set_aside,
            stays_learner,
        } => {
            let joining = Joining {
                config,
                advertised,
                certificates,
                endpoints,
                stays_learner: *stays_learner,
            };
            joining.join(options, *set_aside).await
        }
    }
}

fn options(config: &Config) -> Options {
    let database = planted::database();
    if planted::has(Planted::NoWatermark) {
        return Options {
            ballast_bytes: 0,
            watermark_bytes: 0,
            database,
        };
    }
    Options {
        ballast_bytes: config.ballast_mib.saturating_mul(MIB),
        watermark_bytes: config.disk_low_mib.saturating_mul(MIB),
        database,
    }
}

fn dev(path: &Path, options: Options) -> Result<Begun, Error> {
    if let Found::Store(identity) = Directory::inspect(path)? {
        if !identity.cluster_id.starts_with(DEV_CLUSTER) {
            return Err(Error::Store(berth_store::Error::Stranger {
                path: path.into(),
                what: "cluster",
                found: identity.cluster_id,
                expected: "one that --dev began".into(),
            }));
        }
        let directory = Directory::open(path, options)?;
        return Ok(begun(directory, RaftStart::Recover, Others::default()));
    }
    let cluster_id = format!("{DEV_CLUSTER}{}", Uuid::new_v4());
    let directory = Directory::create(path, &cluster_id, DEV_MEMBER, options)?;
    let members = vec![DEV_MEMBER];
    Ok(begun(
        directory,
        RaftStart::Bootstrap { members },
        Others::default(),
    ))
}

/// If the directory is one that the list gives to a replica of another name: our own id by the list, which it is not.
/// A replica that has rejoined has an id of its own, which is in no list.
fn others_id(directory: &Directory, members: &[Member], name: &NodeName) -> Option<u64> {
    let id = MemberId(directory.identity().member_id);
    let owner = members.iter().find(|member| member.id == id)?;
    let own = members.iter().find(|member| member.name == *name)?;
    (owner.name != own.name).then_some(own.id.0)
}

/// A directory of another cluster than those of the list, which say so: it would serve this cluster's clients with what
/// another one knows. Who is away does not count, nor does one that is not ours any more among others that are.
async fn check_cluster(
    directory: &Directory,
    path: &Path,
    members: &[Member],
    config: &Config,
    certificates: Option<&Certificates>,
) -> Result<(), Error> {
    let ours = &directory.identity().cluster_id;
    let others = members.iter().filter(|member| member.name != config.name);
    let endpoints = others.map(|member| member.peer.clone()).collect();
    let said = join::clusters(endpoints, certificates, config.name.as_str()).await;
    let is_ours = said.iter().any(|(_, theirs)| theirs == ours);
    match said.into_iter().next() {
        Some((endpoint, theirs)) if !is_ours => Err(Error::Store(berth_store::Error::Stranger {
            path: path.into(),
            what: "cluster",
            found: ours.clone(),
            expected: format!("{theirs}, of which {endpoint} of the member list is"),
        })),
        _ => Ok(()),
    }
}

/// A start that was cut short between the directory's making and the log's is gone on with;
/// a log that has begun refuses to begin again.
fn bootstrap(
    path: &Path,
    options: Options,
    cluster_id: &str,
    id: MemberId,
    members: &[Member],
) -> Result<Begun, Error> {
    let directory = match Directory::inspect(path)? {
        Found::Store(_) => {
            let directory = Directory::open(path, options)?;
            directory.expect(Some(cluster_id), Some(id.0))?;
            directory
        }
        Found::Absent | Found::Unfinished => Directory::create(path, cluster_id, id.0, options)?,
    };
    let start = RaftStart::Bootstrap {
        members: members.iter().map(|member| member.id.0).collect(),
    };
    Ok(begun(directory, start, listed(members)))
}

fn begun(directory: Directory, start: RaftStart, others: Others) -> Begun {
    let identity = directory.identity();
    let myself = Myself {
        cluster_id: identity.cluster_id.clone(),
        member: MemberId(identity.member_id),
        store: identity.store.into_bytes(),
    };
    let note = directory.note().read().unwrap_or_default();
    let Remembered { listed, told } = Remembered::read(&note, &myself.cluster_id);
    let members = match others.members.is_empty() {
        true => listed,
        false => others.members,
    };
    Begun {
        directory,
        start,
        members,
        told,
        client_endpoints: others.client_endpoints,
        myself,
    }
}

/// Who is a member, as far as the list or the cluster has said it.
#[derive(Default)]
struct Others {
    members: Vec<Address>,
    client_endpoints: BTreeMap<MemberId, Endpoint>,
}

fn listed(members: &[Member]) -> Others {
    let one = |member: &Member| Address {
        member: member.id,
        name: member.name.to_string(),
        endpoint: member.peer.clone(),
    };
    let client = |member: &Member| (member.id, member.client.clone());
    Others {
        members: members.iter().map(one).collect(),
        client_endpoints: members.iter().map(client).collect(),
    }
}

/// What joining needs.
struct Joining<'a> {
    config: &'a Config,
    advertised: &'a Advertised,
    certificates: Option<&'a Certificates>,
    endpoints: &'a [Endpoint],
    stays_learner: bool,
}

// === impl Joining ===

impl Joining<'_> {
    /// The directory is made before the cluster is asked to take the member in, so that a crash in between
    /// only repeats the question, with the same id and the same store.
    async fn join(&self, options: Options, set_aside: bool) -> Result<Begun, Error> {
        let path = &self.config.data_directory;
        let replaces = if set_aside { self.set_aside(path)? } else { 0 };
        let cluster = self
            .ask(&JoinRequest {
                name: self.config.name.to_string(),
                ..JoinRequest::default()
            })
            .await?;
        let directory = match Directory::inspect(path)? {
            Found::Store(_) => Directory::open(path, options)?,
            Found::Absent | Found::Unfinished => Directory::create(
                path,
                &cluster.cluster_id,
                fresh_id(&cluster.members),
                options,
            )?,
        };
        directory.expect(Some(&cluster.cluster_id), None)?;
        // A log that was begun by an earlier try is gone on with.
        let has_begun = !directory.log()?.load()?.is_empty();
        let request = JoinRequest {
            has_begun,
            ..self.request(&directory, self.replaced(replaces, &cluster.members))
        };
        let joined = self.ask(&request).await?;
        info!(
            member = request.member_id,
            "taken in as a learner; it votes once it has caught up"
        );
        let others = told(&joined.members);
        let start = match has_begun {
            true => RaftStart::Recover,
            false => RaftStart::Join,
        };
        Ok(begun(directory, start, others))
    }

    async fn ask(&self, request: &JoinRequest) -> Result<Joined, join::Error> {
        join::ask(self.endpoints, self.certificates, request).await
    }

    /// Moves what is there out of the way; whose it was, if that can be read.
    fn set_aside(&self, path: &Path) -> Result<u64, Error> {
        let replaces = match Directory::inspect(path) {
            Ok(Found::Absent) => return Ok(0),
            Ok(Found::Store(identity)) => identity.member_id,
            Ok(Found::Unfinished) => 0,
            Err(error) => {
                warn!(%error, "what is set aside cannot be read");
                0
            }
        };
        let aside = Directory::set_aside(path)?;
        info!(path = %aside.display(), replaces, "the old data directory was set aside");
        Ok(replaces)
    }

    /// Whose place is taken: the old directory's member, else the one that has this replica's name.
    fn replaced(&self, by_directory: u64, members: &[PeerMember]) -> u64 {
        if members.iter().any(|member| member.id == by_directory) {
            return by_directory;
        }
        let name = self.config.name.as_str();
        let known = members.iter().find(|member| member.name == name);
        known.map_or(0, |member| member.id)
    }

    fn request(&self, directory: &Directory, replaces: u64) -> JoinRequest {
        let identity = directory.identity();
        let replaces = if replaces == identity.member_id {
            0
        } else {
            replaces
        };
        JoinRequest {
            cluster_id: identity.cluster_id.clone(),
            member_id: identity.member_id,
            name: self.config.name.to_string(),
            client_endpoint: self.advertised.client.to_string(),
            peer_endpoint: self.advertised.peer.to_string(),
            store: identity.store.into_bytes().to_vec().into(),
            replaces,
            stays_learner: self.stays_learner,
            has_begun: false,
            lowest_version: APPLIES.lowest.0,
            highest_version: APPLIES.highest.0,
        }
    }
}

fn told(members: &[PeerMember]) -> Others {
    let one = |member: &PeerMember| {
        Some(Address {
            member: MemberId(member.id),
            name: member.name.clone(),
            endpoint: Endpoint::new(&member.peer_endpoint).ok()?,
        })
    };
    let client = |member: &PeerMember| {
        let endpoint = Endpoint::new(&member.client_endpoint).ok()?;
        Some((MemberId(member.id), endpoint))
    };
    Others {
        members: members.iter().filter_map(one).collect(),
        client_endpoints: members.iter().filter_map(client).collect(),
    }
}

/// Random, so that no id is ever used twice, also not those of members that are gone.
fn fresh_id(members: &[PeerMember]) -> u64 {
    loop {
        // A version 4 uuid's low half has two fixed bits; the high half's fixed ones are masked by the shift.
        let id = Uuid::new_v4().as_u64_pair().0 >> 16;
        if id != 0 && members.iter().all(|member| member.id != id) {
            return id;
        }
    }
}
