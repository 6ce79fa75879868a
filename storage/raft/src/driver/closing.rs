//! Tells when the store is closed: threads share it, and whoever waits for the replica's end waits for the last of them.

use crate::log_store::{Batch, Error, Loaded, LogStore};
use bytes::Bytes;
use std::convert::Infallible;
use std::sync::mpsc::{Receiver, Sender, channel};

/// A store that says when it is dropped.
pub(crate) struct Closing<S> {
    // Dropped in this order: the store is closed before anybody hears of it.
    store: S,
    _open: Sender<Infallible>,
}

/// The other end.
#[derive(Debug)]
pub(crate) struct Closed(Receiver<Infallible>);

// === impl Closing ===

impl<S> Closing<S> {
    pub(crate) fn new(store: S) -> (Self, Closed) {
        let (open, closed) = channel();
        (Self { store, _open: open }, Closed(closed))
    }
}

impl<S: LogStore> LogStore for Closing<S> {
    fn load(&mut self) -> Result<Loaded, Error> {
        self.store.load()
    }

    fn write(&mut self, batch: &Batch) -> Result<(), Error> {
        self.store.write(batch)
    }

    fn stage_chunk(&mut self, index: u64, number: u32, chunk: &[u8]) -> Result<(), Error> {
        self.store.stage_chunk(index, number, chunk)
    }

    fn read_chunk(&self, index: u64, number: u32) -> Result<Bytes, Error> {
        self.store.read_chunk(index, number)
    }
}

// === impl Closed ===

impl Closed {
    /// Waits until the store is dropped.
    pub(crate) fn wait(self) {
        match self.0.recv() {
            Err(_) => {}
            Ok(never) => match never {},
        }
    }
}
