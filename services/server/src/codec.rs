//! What is replicated and stored, as bytes: domain types to `berth.log.v1` and back.
//!
//! Decoding is total and checked: bytes from a disk or a peer give a value or an error, never a panic,
//! and a kind that this version does not know is an error, because guessing would part the replicas.

mod address;
mod change;
mod command;
mod eni;
mod entry;
mod job;
mod pool;
mod record;
mod recovery;
mod row;
mod state;

#[cfg(test)]
mod tests;

pub use change::{decode_group, encode_group};
pub use entry::{Entry, decode_entry, encode_entry};
pub use record::{SnapshotChunks, decode_chunk, decode_clusters, encode_clusters};

use berth_domain::id;
use berth_domain::id::*;
use berth_domain::version::{ClusterVersion, VersionRange};
use prost::Message;

/// Bytes that are not what they should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a message of this kind.
    #[error("not a protobuf message of this kind")]
    Message(#[from] prost::DecodeError),
    /// Written at a version of the cluster that this program does not apply.
    #[error(
        "it was written at cluster version {found}, and this program applies {applies}: start the program that the other members run"
    )]
    Version {
        /// At which it was written.
        found: ClusterVersion,
        /// What this program applies.
        applies: VersionRange,
    },
    /// A command of a later version.
    #[error(
        "it has a command that this program does not know: start the program that the other members run"
    )]
    UnknownCommand,
    /// Something in it was not read. A later version wrote it, and leaving it out would part the replicas.
    #[error(
        "{what} has {unread} bytes of fields that this program does not know: start the program that the other members run"
    )]
    UnknownFields {
        /// What has them.
        what: &'static str,
        /// How many bytes.
        unread: usize,
    },
    /// A part that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A number that this version does not know.
    #[error("{what} {number} is not known to this version")]
    Unknown {
        /// Of what.
        what: &'static str,
        /// Which.
        number: u64,
    },
    /// A part with an impossible value.
    #[error("{what} is malformed")]
    Malformed {
        /// Which part.
        what: &'static str,
    },
    /// A name beyond its limit.
    #[error(transparent)]
    Name(#[from] id::Error),
    /// A cause that no command has.
    #[error("no command is named {0}")]
    Cause(String),
}

/// A message with nothing in it that was not read. prost leaves out what it does not know without a word; what is left
/// is shorter then, because every one of our messages is written by prost too.
pub(crate) fn whole<M: Message + Default>(bytes: &[u8], what: &'static str) -> Result<M, Error> {
    let message = M::decode(bytes)?;
    match bytes.len().saturating_sub(message.encoded_len()) {
        0 => Ok(message),
        unread => Err(Error::UnknownFields { what, unread }),
    }
}

/// A domain type and the message it is stored as.
pub(crate) trait Wire<M>: Sized {
    /// As it is stored.
    fn to_wire(&self) -> M;
    /// From what was stored.
    fn from_wire(message: M) -> Result<Self, Error>;
}

/// A part that must be there.
pub(crate) fn required<M, T: Wire<M>>(part: Option<M>, what: &'static str) -> Result<T, Error> {
    T::from_wire(part.ok_or(Error::Missing(what))?)
}

/// A part that may be absent.
pub(crate) fn optional<M, T: Wire<M>>(part: Option<M>) -> Result<Option<T>, Error> {
    part.map(T::from_wire).transpose()
}

/// Parts in order.
pub(crate) fn list<M, T: Wire<M>>(parts: Vec<M>) -> Result<Vec<T>, Error> {
    parts.into_iter().map(T::from_wire).collect()
}

/// As they are stored, in order.
pub(crate) fn wires<M, T: Wire<M>>(parts: &[T]) -> Vec<M> {
    parts.iter().map(Wire::to_wire).collect()
}

/// A digest or uuid of a fixed length.
pub(crate) fn fixed<const N: usize>(bytes: &[u8], what: &'static str) -> Result<[u8; N], Error> {
    bytes.try_into().map_err(|_| Error::Malformed { what })
}

/// An ENI's id; empty = none.
pub(crate) fn eni_text(eni: &Option<EniId>) -> String {
    eni.as_ref().map_or_else(String::new, ToString::to_string)
}

/// An ENI's id; empty = none.
pub(crate) fn eni(text: &str) -> Result<Option<EniId>, Error> {
    match text {
        "" => Ok(None),
        text => Ok(Some(EniId::new(text)?)),
    }
}
