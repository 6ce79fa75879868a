//! The caller's machine, noting its digest after every entry (R5).

use crate::state_machine::{Error, StateMachine};
use bytes::Bytes;
use std::cell::RefCell;

pub(crate) struct Observed<M> {
    pub(crate) inner: M,
    /// (index, digest) since the last look.
    digests: RefCell<Vec<(u64, [u8; 32])>>,
    /// (index, data) since the last look.
    entries: RefCell<Vec<(u64, Bytes)>>,
    /// A digest after every so many entries.
    every: u64,
}

// === impl Observed ===

impl<M: StateMachine> Observed<M> {
    pub(crate) fn new(inner: M, every: u64) -> Self {
        Observed {
            inner,
            digests: RefCell::default(),
            entries: RefCell::default(),
            every: every.max(1),
        }
    }

    pub(crate) fn take_entries(&self) -> Vec<(u64, Bytes)> {
        self.entries.take()
    }

    pub(crate) fn take_digests(&self) -> Vec<(u64, [u8; 32])> {
        self.digests.take()
    }
}

impl<M: StateMachine> StateMachine for Observed<M> {
    type Effect = M::Effect;
    type Image = M::Image;

    fn apply(&mut self, index: u64, data: &[u8]) -> Result<M::Effect, Error> {
        let effect = self.inner.apply(index, data)?;
        if index.is_multiple_of(self.every) {
            self.digests.borrow_mut().push((index, self.inner.digest()));
        }
        let data = Bytes::copy_from_slice(data);
        self.entries.borrow_mut().push((index, data));
        Ok(effect)
    }

    fn freeze(&self) -> M::Image {
        self.inner.freeze()
    }

    fn encode(image: M::Image) -> Box<dyn Iterator<Item = Vec<u8>> + Send> {
        M::encode(image)
    }

    fn restore(
        &mut self,
        index: u64,
        chunks: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), Error> {
        self.inner.restore(index, chunks)?;
        self.digests.borrow_mut().push((index, self.inner.digest()));
        Ok(())
    }

    fn digest(&self) -> [u8; 32] {
        self.inner.digest()
    }
}
