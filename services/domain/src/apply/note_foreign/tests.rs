use crate::apply::testing::jobs::Cloudy;
use crate::apply::testing::*;
use crate::command::*;
use crate::outcome::{Outcome, Refusal};
use crate::row::AddressState;

/// Promise: somebody else's address is given to nobody, until the cloud shows that nobody has it; what we have stays ours.
#[test]
fn foreign_addresses_are_avoided() {
    let mut cloud = Cloudy::new();
    cloud.in_use(&["10.1.0.5"]);
    let note = |cloud: &mut Cloudy, come: &[&str], gone: &[&str]| {
        let vswitch = cloud.vswitch;
        let all = |texts: &[&str]| texts.iter().map(|at| ip(at)).collect();
        let (come, gone) = (all(come), all(gone));
        cloud.world.done(Command::NoteForeign(NoteForeign {
            vswitch,
            come,
            gone,
        }))
    };
    // One of them is ours, one lies outside.
    let rows = note(&mut cloud, &["10.1.0.5", "10.1.0.9", "10.9.0.1"], &[]);
    assert_eq!(rows, Outcome::Rows(1));
    assert_eq!(cloud.world.state("10.1.0.9"), Some(AddressState::Foreign));
    let refused = cloud.refused(cloud.create(&["10.1.0.9"]));
    assert_eq!(
        refused,
        Refusal::Taken {
            address: ip("10.1.0.9")
        }
    );
    assert_eq!(
        note(&mut cloud, &[], &["10.1.0.9", "10.1.0.5"]),
        Outcome::Rows(1)
    );
    cloud.begin(cloud.create(&["10.1.0.9"]));
}
