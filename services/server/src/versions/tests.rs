//! Who can apply what, and when that is enough.

use super::*;
use berth_domain::version::CARE;

fn seen(id: u64, is_active: bool) -> Seen {
    Seen {
        id: MemberId(id),
        is_me: id == 1,
        is_active,
    }
}

/// Promise: the version rises only if every member has said that it can apply it, and was heard of lately.
#[test]
fn everybody_counts() {
    let versions = Versions::new();
    let two = MemberId(2);
    let members = [seen(1, false), seen(2, true)];
    assert_eq!(
        versions.common(&members),
        Err(Wait::Unheard { member: two })
    );
    versions.admit(two, range(0, 0)).expect("the first version");
    let behind = Wait::Behind {
        member: two,
        applies: BASE,
        wanted: APPLIES.highest,
    };
    assert_eq!(versions.common(&members), Err(behind));
    versions.admit(two, range(1, 99)).expect("any version");
    assert_eq!(versions.common(&members), Ok(APPLIES.highest));
    let silent = [seen(1, false), seen(2, false)];
    assert_eq!(versions.common(&silent), Err(Wait::Silent { member: two }));
    // Nobody has to be there for a version that the cluster has already.
    versions.reach(APPLIES.highest);
    assert_eq!(versions.common(&silent), Ok(APPLIES.highest));
}

/// Promise: a program that cannot apply the cluster's version is turned away, with both versions and the way out; a later
/// one is let in. A program of the first release says nothing, and is taken for what it is.
#[test]
fn who_cannot_apply_it_is_turned_away() {
    let versions = Versions::new();
    versions
        .admit(MemberId(2), range(0, 0))
        .expect("at the first version");
    versions.reach(CARE);
    let refused = versions
        .admit(MemberId(2), range(0, 0))
        .expect_err("too old");
    let text = refused.to_string();
    assert!(
        text.contains("applies cluster version 1, but the cluster is at 2"),
        "{text}"
    );
    assert!(text.contains("start it with the program that the other members run"));
    versions.admit(MemberId(2), range(1, 2)).expect("it can");
    versions.admit(MemberId(2), range(2, 9)).expect("it can");
    let newer = versions.admit(MemberId(2), range(3, 9));
    assert!(
        newer.is_err(),
        "it does not read this cluster's log any more"
    );
}
