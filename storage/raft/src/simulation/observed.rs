//! The caller's machine, noting its digest after every entry (R5).

use crate::state_machine::{Error, StateMachine};
use std::cell::RefCell;

pub(crate) struct Observed<M> {
    pub(crate) inner: M,
    /// (index, digest) since the last look.
    digests: RefCell<Vec<(u64, [u8; 32])>>,
}

// === impl Observed ===

impl<M: StateMachine> Observed<M> {
    pub(crate) fn new(inner: M) -> Self {
        Observed {
            inner,
            digests: RefCell::default(),
        }
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
        self.digests.borrow_mut().push((index, self.inner.digest()));
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
