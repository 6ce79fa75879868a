//! A grant on its way from the VSwitchActor to a NodeActor.

use crate::vswitch::message::Grant;
use std::fmt;
use std::net::IpAddr;

/// What it promises goes back if nobody takes it: its node's actor has ended meanwhile, and nobody else would ever say so.
pub(super) struct Granted {
    number: u64,
    grant: Grant,
    give_back: Option<Box<dyn FnOnce(Vec<IpAddr>) + Send>>,
}

// === impl Granted ===

impl Granted {
    /// For the ask of this number.
    pub fn new(
        number: u64,
        grant: Grant,
        give_back: impl FnOnce(Vec<IpAddr>) + Send + 'static,
    ) -> Self {
        Self {
            number,
            grant,
            give_back: Some(Box::new(give_back)),
        }
    }

    /// It has come: whoever takes it owes the addresses from now on.
    pub fn take(mut self) -> (u64, Grant) {
        self.give_back = None;
        (self.number, std::mem::take(&mut self.grant))
    }
}

impl Drop for Granted {
    fn drop(&mut self) {
        let addresses: Vec<IpAddr> = self.grant.sets.drain(..).flatten().collect();
        if let Some(give_back) = self.give_back.take().filter(|_| !addresses.is_empty()) {
            give_back(addresses);
        }
    }
}

impl fmt::Debug for Granted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Granted")
            .field("number", &self.number)
            .field("grant", &self.grant)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};

    fn granted(addresses: &[&str]) -> (Granted, Receiver<Vec<IpAddr>>) {
        let (send, sent) = channel();
        let set = addresses.iter().map(|text| text.parse().expect("valid"));
        let grant = Grant {
            sets: vec![set.collect()],
            dry: None,
        };
        let granted = Granted::new(7, grant, move |addresses| {
            send.send(addresses).expect("heard");
        });
        (granted, sent)
    }

    /// Promise: a grant that finds its node's actor ended goes back, so that no promise outlives its node.
    #[test]
    fn what_nobody_takes_goes_back() {
        let (granted, back) = granted(&["10.0.0.1", "2001:db8::1"]);
        drop(granted);
        assert_eq!(back.recv().expect("given back").len(), 2);
    }

    /// Promise (negative control): what was taken does not go back, or two would have it.
    #[test]
    fn what_is_taken_stays() {
        let (granted, back) = granted(&["10.0.0.1"]);
        let (number, grant) = granted.take();
        assert_eq!((number, grant.sets.len()), (7, 1));
        assert!(back.recv().is_err());
    }
}
