//! Results of requests that carried an id, by (principal, id), and when each is forgotten.

use super::addresses::CHUNK_DUE;
use super::index::{Index, hash};
use super::slab::Slab;
use super::sorted::Sorted;
use crate::id::{Principal, RequestId};
use crate::row::RequestResult;
use std::sync::Arc;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) principal: Principal,
    pub(crate) id: RequestId,
    pub(crate) result: Arc<RequestResult>,
}

/// All remembered requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    rows: Slab<Arc<Request>>,
    by_id: Index,
    /// (expires, hash, slot).
    due: Sorted<(u64, u64, u32), (), CHUNK_DUE>,
}

// === impl Requests ===

impl Requests {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    fn slot(&self, principal: &Principal, id: &RequestId, hash: u64) -> Option<u32> {
        let same = |row: &Arc<Request>| row.principal == *principal && row.id == *id;
        self.by_id
            .slots(hash)
            .find(|slot| self.rows.get(*slot).is_some_and(same))
    }

    pub(crate) fn get(&self, principal: &Principal, id: &RequestId) -> Option<&Arc<RequestResult>> {
        let hash = hash(&[principal.as_bytes(), id.as_bytes()]);
        let slot = self.slot(principal, id, hash)?;
        self.rows.get(slot).map(|row| &row.result)
    }

    pub(crate) fn at(&self, slot: u32) -> Option<&Arc<Request>> {
        self.rows.get(slot)
    }

    /// All, in an order that means nothing.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Request>> {
        self.rows.iter().map(|(_, row)| row)
    }

    /// The first to expire first: (expires, hash, slot).
    pub(crate) fn due(&self) -> impl Iterator<Item = (u64, u64, u32)> {
        self.due.iter().map(|(due, ())| due)
    }

    /// Remembers a result, or forgets it.
    pub(crate) fn set(
        &mut self,
        principal: &Principal,
        id: &RequestId,
        after: Option<Arc<RequestResult>>,
    ) {
        let hash = hash(&[principal.as_bytes(), id.as_bytes()]);
        if let Some(slot) = self.slot(principal, id, hash)
            && let Some(before) = self.rows.remove(slot)
        {
            self.by_id.remove(hash, slot);
            self.due.remove(&(before.result.expires_at_ms, hash, slot));
        }
        if let Some(result) = after {
            let expires = result.expires_at_ms;
            let (principal, id) = (principal.clone(), id.clone());
            let slot = self.rows.insert(Arc::new(Request {
                principal,
                id,
                result,
            }));
            self.by_id.insert(hash, slot);
            self.due.insert((expires, hash, slot), ());
        }
    }
}
