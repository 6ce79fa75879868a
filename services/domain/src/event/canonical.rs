//! The bytes of a group, for the hash chain: a fixed layout, written by hand, that no library's version changes.
//!
//! Integers are little-endian. A text or a list is its length as u32, then its bytes or items. An option is 0, or 1 and
//! the value. An enum is its variant's place in its declaration as one byte, then its fields in the order of their
//! declaration. An address is 4 or 6 as one byte, then its octets in network order. The layout never changes for what
//! is there: new variants come last, new fields make a new variant.

mod enis;
mod pools;
mod rows;

use super::EventGroup;
use crate::address::{AddressRange, NetworkKind, Subnet};
use crate::id::{AttachmentKey, ClaimName, PodIdentity};
use crate::row::Policy;
use std::net::IpAddr;

/// Appends canonical bytes to a buffer.
pub(crate) struct Writer<'a> {
    pub(crate) bytes: &'a mut Vec<u8>,
}

// === impl Writer ===

impl Writer<'_> {
    pub(crate) fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.byte(u8::from(value));
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn raw(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
    }

    fn length(&mut self, length: usize) {
        // Lists and texts are bounded far below 2^32 by the limits of their types.
        self.u32(length as u32);
    }

    pub(crate) fn text(&mut self, value: &[u8]) {
        self.length(value.len());
        self.raw(value);
    }

    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(crate) fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.length(items.len());
        for item in items {
            write(self, item);
        }
    }

    pub(crate) fn address(&mut self, value: &IpAddr) {
        match value {
            IpAddr::V4(v4) => {
                self.byte(4);
                self.raw(&v4.octets());
            }
            IpAddr::V6(v6) => {
                self.byte(6);
                self.raw(&v6.octets());
            }
        }
    }

    pub(crate) fn range(&mut self, value: &AddressRange) {
        self.address(&value.first);
        self.address(&value.last);
    }

    pub(crate) fn subnet(&mut self, value: &Subnet) {
        self.address(&value.cidr.addr());
        self.byte(value.cidr.prefix_len());
        self.option(value.gateway.as_ref(), Self::address);
    }

    pub(crate) fn network_kind(&mut self, value: NetworkKind) {
        self.byte(match value {
            NetworkKind::Routed => 0,
            NetworkKind::Vpc => 1,
        });
    }

    pub(crate) fn key(&mut self, value: &AttachmentKey) {
        self.text(value.cluster.as_bytes());
        self.text(value.network.as_bytes());
        self.text(value.container.as_bytes());
        self.text(value.interface.as_bytes());
    }

    pub(crate) fn pod(&mut self, value: &PodIdentity) {
        self.text(value.namespace.as_bytes());
        self.text(value.name.as_bytes());
        self.text(value.uid.as_bytes());
    }

    pub(crate) fn claim_name(&mut self, value: &ClaimName) {
        self.text(value.cluster.as_bytes());
        self.text(value.namespace.as_bytes());
        self.text(value.pod.as_bytes());
    }

    pub(crate) fn policy(&mut self, value: Policy) {
        match value {
            Policy::Delete => self.byte(0),
            Policy::Ttl { ttl_ms } => {
                self.byte(1);
                self.u64(ttl_ms);
            }
            Policy::Never => self.byte(2),
        }
    }

    /// Everything of a group but its chain.
    pub(crate) fn group(&mut self, group: &EventGroup) {
        self.u64(group.revision.0);
        self.u64(group.ledger_time_ms);
        self.u64(group.wall_time_ms);
        self.text(group.principal.as_bytes());
        self.text(group.request_id.as_bytes());
        self.option(group.trace_id.as_ref(), |writer, id| writer.raw(id));
        self.text(group.cause.as_bytes());
        self.text(group.reason.as_bytes());
        self.list(&group.changes, Self::change);
    }
}

#[cfg(test)]
mod tests;
