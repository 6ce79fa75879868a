//! Reads a backup. Every checksum, the history's chain, the ledger's rules, and that a replay of the history gives the
//! ledger: only then it counts.

use super::frame::{Frame, Kind, Reading};
use super::{Contents, Error};
use crate::codec::decode_group;
use crate::history::Walk;
use crate::replica::restored;
use berth_domain::Ledger;
use berth_domain::event::EventGroup;
use berth_domain::id::{ClusterId, ClusterName, Revision};
use berth_domain::invariant;
use berth_proto::log::v1;
use bytes::Bytes;
use prost::Message;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// A backup that was read and holds.
#[derive(Debug)]
pub struct Backup {
    /// What its header says.
    pub header: v1::BackupHeader,
    /// Its ledger.
    pub ledger: Ledger,
    /// Clusters that decide by facts.
    pub with_facts: BTreeSet<ClusterName>,
    /// How many event groups its history has.
    pub groups: u64,
    /// Whether its history goes back to the beginning, so that it was replayed.
    pub replayed: bool,
    /// The file's size.
    pub bytes: u64,
}

/// Some of a backup's history, in order: each group decoded, and as it was encoded.
pub type History = Vec<(EventGroup, Bytes)>;

/// Reads one to its end and hands nothing on.
///
/// # Errors
/// Whatever is wrong with the file.
pub fn verify(path: &Path, watch: &dyn Fn(u64)) -> Result<Backup, Error> {
    read(path, watch, &mut |_| Ok::<(), Error>(()))
}

/// Reads one to its end, and hands its history on as it comes. Whoever takes it keeps nothing of it if an error follows.
/// `watch` is told how many bytes have been read.
///
/// # Errors
/// Whatever is wrong with the file, and `take`'s own.
pub fn read<E: From<Error>>(
    path: &Path,
    watch: &dyn Fn(u64),
    take: &mut dyn FnMut(History) -> Result<(), E>,
) -> Result<Backup, E> {
    let file = File::open(path).map_err(|source| Error::Open {
        path: path.into(),
        source,
    })?;
    let mut reading = Reading::new(BufReader::with_capacity(1 << 20, file))?;
    let (header, ledger, with_facts, mut next) = state(&mut reading)?;
    let mut checking = Checking::new(&header)?;
    loop {
        match next.kind {
            Kind::History => {
                let groups = checking.page(&next)?;
                take(groups)?;
            }
            Kind::End => break,
            Kind::Header | Kind::Ledger => return Err(out_of_order(&next).into()),
        }
        watch(next.at);
        next = reading.next()?;
    }
    let bytes = ended(&next)?;
    reading.end()?;
    let (groups, replayed) = checking.ended(&header, &ledger)?;
    if let Some(violation) = invariant::check_all(&ledger).into_iter().next() {
        return Err(Error::Rule(violation).into());
    }
    Ok(Backup {
        header,
        ledger,
        with_facts,
        groups,
        replayed,
        bytes,
    })
}

type State = (v1::BackupHeader, Ledger, BTreeSet<ClusterName>, Frame);

/// The header, the ledger, and the first frame behind it.
fn state(reading: &mut Reading<BufReader<File>>) -> Result<State, Error> {
    let first = reading.next()?;
    if first.kind != Kind::Header {
        return Err(out_of_order(&first));
    }
    let header = v1::BackupHeader::decode(&first.payload[..]);
    let header = header.map_err(|error| Error::frame(first.at, error))?;
    let mut behind = None;
    let chunks = std::iter::from_fn(|| match reading.next() {
        Ok(frame) if frame.kind == Kind::Ledger => Some(frame.payload),
        other => {
            behind = Some(other);
            None
        }
    });
    let ledger = restored(&mut chunks.fuse());
    // Damage in a frame shows first as a ledger that ends too early.
    let behind = match behind {
        Some(behind) => behind?,
        None => reading.next()?,
    };
    let (ledger, with_facts) = ledger?;
    let of_header = (&header.cluster_id[..], header.revision, &header.chain[..]);
    let own = (
        ledger.cluster().as_str(),
        ledger.revision().0,
        &ledger.chain().0[..],
    );
    if of_header != own {
        return Err(Error::Contradiction(
            "the ledger is not the one that the header names",
        ));
    }
    Ok((header, ledger, with_facts, behind))
}

fn out_of_order(frame: &Frame) -> Error {
    Error::Damaged {
        at: frame.at,
        what: "it is out of order",
    }
}

/// The end fits what came before it; the file's size.
fn ended(end: &Frame) -> Result<u64, Error> {
    let said = v1::BackupEnd::decode(&end.payload[..]);
    let said = said.map_err(|error| Error::frame(end.at, error))?;
    let fits = said.digest[..] == end.digest_before[..]
        && said.frames == end.frames_before
        && said.bytes == end.at;
    match fits {
        true => Ok(end.at + super::frame::encode(Kind::End, &end.payload).len() as u64),
        false => Err(Error::Digest),
    }
}

/// Follows the history.
struct Checking {
    walk: Walk,
}

// === impl Checking ===

impl Checking {
    fn new(header: &v1::BackupHeader) -> Result<Self, Error> {
        let cluster = ClusterId::new(&header.cluster_id);
        let cluster = cluster.map_err(|_| Error::Contradiction("its cluster has no name"))?;
        let first = Revision(header.history_first_revision);
        Ok(Self {
            walk: Walk::new(first, Some(cluster)),
        })
    }

    fn page(&mut self, frame: &Frame) -> Result<History, Error> {
        let page = v1::BackupHistory::decode(&frame.payload[..]);
        let page = page.map_err(|error| Error::frame(frame.at, error))?;
        let decoded = page.groups.into_iter().map(|part| {
            let group = decode_group(&part.group);
            let group = group.map_err(|source| Error::Frame {
                at: frame.at,
                source,
            })?;
            Ok((group, part.group))
        });
        let groups = decoded.collect::<Result<History, Error>>()?;
        let mut walked = groups.iter().map(|(group, _)| self.walk.follow(group));
        walked.try_for_each(|followed| followed.map_err(Error::History))?;
        Ok(groups)
    }

    fn ended(self, header: &v1::BackupHeader, ledger: &Ledger) -> Result<(u64, bool), Error> {
        let (last, chain) = self.walk.reached();
        let first = self.walk.first();
        let first = first.map_or(header.history_first_revision, |first| first.0);
        if (first, last.0) != (header.history_first_revision, header.revision) {
            return Err(Error::HistoryBounds {
                first,
                last: last.0,
                expected_first: header.history_first_revision,
                expected_last: header.revision,
            });
        }
        if chain.0[..] != header.chain[..] {
            return Err(Error::Contradiction(
                "the history's hash is not the header's",
            ));
        }
        let replayed = self.walk.gives(ledger).map_err(Error::History)?;
        Ok((self.walk.groups(), replayed))
    }
}

// === impl Backup ===

impl Backup {
    /// What people want to know of it.
    pub fn contents(&self) -> Contents {
        Contents::of(self)
    }
}
