//! Who holds which address, by the answers alone: the demo's own check, which believes nothing that Berth says of itself.
//!
//! A pod certainly holds its address from the moment its ADD has answered until the moment its DEL is sent. Two pods
//! that certainly hold one address at once are a duplicate; nothing else is.

use std::collections::HashMap;

/// Certain holders of addresses.
#[derive(Debug, Default)]
pub struct Ownership {
    holders: HashMap<String, String>,
    duplicates: Vec<String>,
}

// === impl Ownership ===

impl Ownership {
    /// `container`'s ADD has answered with this address.
    pub fn take(&mut self, address: &str, container: &str) {
        if let Some(other) = self
            .holders
            .insert(address.to_owned(), container.to_owned())
            && other != container
        {
            self.duplicates
                .push(format!("{address} is held by {other} and by {container}"));
        }
    }

    /// `container`'s DEL is about to be sent.
    pub fn give_back(&mut self, address: &str, container: &str) {
        if self
            .holders
            .get(address)
            .is_some_and(|holder| holder == container)
        {
            self.holders.remove(address);
        }
    }

    /// Every time two held one.
    pub fn duplicates(&self) -> &[String] {
        &self.duplicates
    }

    /// How many addresses are certainly held.
    pub fn held(&self) -> usize {
        self.holders.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Ownership;

    /// Promise: an address that was given back may be another's; a repeat of the same holder is no duplicate.
    #[test]
    fn one_after_the_other_is_no_duplicate() {
        let mut ownership = Ownership::default();
        ownership.take("10.0.0.1", "a");
        ownership.take("10.0.0.1", "a");
        ownership.give_back("10.0.0.1", "a");
        ownership.take("10.0.0.1", "b");
        assert!(ownership.duplicates().is_empty());
        assert_eq!(ownership.held(), 1);
    }

    /// Promise (negative control): two at once are a duplicate, and a stranger's give-back hides nothing.
    #[test]
    fn two_at_once_are_a_duplicate() {
        let mut ownership = Ownership::default();
        ownership.take("10.0.0.1", "a");
        ownership.give_back("10.0.0.1", "b");
        ownership.take("10.0.0.1", "b");
        assert_eq!(ownership.duplicates(), ["10.0.0.1 is held by a and by b"]);
    }
}
