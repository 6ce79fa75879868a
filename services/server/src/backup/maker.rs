//! Makes a backup of a replica that goes on meanwhile: a frozen ledger, then the history up to its revision.

use super::frame::{self, Kind, MAGIC};
use crate::codec::{SnapshotChunks, encode_clusters};
use crate::failure::Failure;
use crate::history::{Query, Reader};
use berth_domain::Ledger;
use berth_domain::id::{ClusterName, Revision};
use berth_proto::log::v1;
use bytes::Bytes;
use prost::Message;
use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

/// Ledger chunks in one message.
const CHUNKS_PER_MESSAGE: usize = 16;
/// Of one message: gRPC clients take 4 MiB at most if nobody tells them otherwise.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// Messages made and not yet sent: some MiB, however slow the caller's disk is.
const AHEAD: usize = 4;

/// What is backed up.
pub struct Source {
    /// Frozen.
    pub ledger: Ledger,
    /// Clusters that decide by facts.
    pub with_facts: BTreeSet<ClusterName>,
    /// Whose replica this is.
    pub member: u64,
    /// Where the history is.
    pub history: Reader,
}

/// Some of the file's bytes, in order.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    /// Their bytes.
    pub bytes: Bytes,
    /// The ledger's revision.
    pub revision: u64,
    /// How far the history in the frames so far has come.
    pub history_through: u64,
    /// Of the last ones: BLAKE3 of the whole file.
    pub digest: Option<[u8; 32]>,
}

/// What has been made so far.
struct Making {
    hasher: blake3::Hasher,
    bytes: u64,
    frames: u64,
    /// Not handed over yet.
    waiting: Vec<u8>,
    revision: u64,
    history_through: u64,
}

type Sender = mpsc::Sender<Result<Frames, Failure>>;

/// Hands the frames over as they are made; the last is an error, or the backup is whole.
pub fn frames(source: Source) -> mpsc::Receiver<Result<Frames, Failure>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        if let Err(failure) = make(source, &sender).await
            && sender.send(Err(failure)).await.is_err()
        {
            tracing::debug!("nobody waits for the backup any more");
        }
    });
    receiver
}

async fn make(source: Source, sender: &Sender) -> Result<(), Failure> {
    let revision = source.ledger.revision();
    let history = source.history.clone();
    // Before anything is sent: whoever has to wait for a gap learns it at once.
    let floor = history.whole_from(revision).await?;
    let mut making = Making {
        hasher: blake3::Hasher::new(),
        bytes: 0,
        frames: 0,
        waiting: Vec::new(),
        revision: revision.0,
        history_through: floor.0.saturating_sub(1),
    };
    making.put(MAGIC);
    making.frame(Kind::Header, &header(&source, floor).encode_to_vec());
    making = ledger(source, making, sender.clone()).await?;
    let mut after = Revision(floor.0.saturating_sub(1));
    while after < revision {
        let groups = history
            .encoded_after(after, revision, Query::LIMIT_MAX)
            .await?;
        let Some((last, _)) = groups.last() else {
            return Err(Failure::Unavailable {
                reason: format!("the history has nothing between {after} and {revision}"),
            });
        };
        after = Revision(*last);
        let groups = groups.into_iter();
        let groups = groups.map(|(revision, group)| v1::BackupGroup { revision, group });
        let page = v1::BackupHistory {
            groups: groups.collect(),
        };
        making.frame(Kind::History, &page.encode_to_vec());
        making.history_through = after.0;
        making.hand_over(sender).await?;
    }
    making.end();
    making.hand_over(sender).await?;
    let last = Frames {
        digest: Some(*making.hasher.finalize().as_bytes()),
        ..making.frames_of(Bytes::new())
    };
    sender.send(Ok(last)).await.map_err(|_| given_up())
}

fn header(source: &Source, floor: Revision) -> v1::BackupHeader {
    let ledger = &source.ledger;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    v1::BackupHeader {
        cluster_id: ledger.cluster().to_string(),
        revision: ledger.revision().0,
        chain: Bytes::copy_from_slice(&ledger.chain().0),
        ledger_time_ms: ledger.ledger_time_ms(),
        wall_time_ms: ledger.wall_time_ms(),
        // A clock before 1970 shows 0; it is only shown.
        saved_wall_ms: now.map_or(0, |now| now.as_millis() as u64),
        program_version: env!("CARGO_PKG_VERSION").into(),
        member_id: source.member,
        history_first_revision: floor.0,
        allocations: ledger.allocations_len() as u64,
    }
}

/// Encoding a million rows takes a second or two of a processor, which the door's thread has not.
async fn ledger(source: Source, mut making: Making, sender: Sender) -> Result<Making, Failure> {
    let encoded = tokio::task::spawn_blocking(move || {
        let chunks = SnapshotChunks::new(source.ledger.records());
        let chunks = chunks.chain(encode_clusters(&source.with_facts));
        for (number, chunk) in chunks.enumerate() {
            making.frame(Kind::Ledger, &chunk);
            if number % CHUNKS_PER_MESSAGE == 0 {
                for message in making.taken() {
                    sender.blocking_send(Ok(message)).map_err(|_| given_up())?;
                }
            }
        }
        Ok(making)
    });
    encoded.await.unwrap_or_else(|error| {
        Err(Failure::Unavailable {
            reason: format!("the ledger was not encoded: {error}"),
        })
    })
}

fn given_up() -> Failure {
    Failure::Unavailable {
        reason: "whoever asked for the backup is gone".into(),
    }
}

// === impl Making ===

impl Making {
    fn put(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        self.waiting.extend_from_slice(bytes);
    }

    fn frame(&mut self, kind: Kind, payload: &[u8]) {
        self.put(&frame::encode(kind, payload));
        self.frames += 1;
    }

    fn end(&mut self) {
        let end = v1::BackupEnd {
            frames: self.frames,
            bytes: self.bytes,
            digest: Bytes::copy_from_slice(self.hasher.finalize().as_bytes()),
        };
        self.frame(Kind::End, &end.encode_to_vec());
    }

    /// What was made since the last time, in messages.
    fn taken(&mut self) -> Vec<Frames> {
        let mut bytes = Bytes::from(std::mem::take(&mut self.waiting));
        let mut messages = Vec::new();
        while !bytes.is_empty() {
            let next = bytes.split_to(bytes.len().min(MESSAGE_BYTES_MAX));
            messages.push(self.frames_of(next));
        }
        messages
    }

    fn frames_of(&self, bytes: Bytes) -> Frames {
        Frames {
            bytes,
            revision: self.revision,
            history_through: self.history_through,
            digest: None,
        }
    }

    async fn hand_over(&mut self, sender: &Sender) -> Result<(), Failure> {
        for message in self.taken() {
            sender.send(Ok(message)).await.map_err(|_| given_up())?;
        }
        Ok(())
    }
}
