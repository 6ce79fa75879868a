//! Promise: where nobody collects traces and log lines are at their default level, a call makes no span at all: neither at
//! the door nor on its way to the commit, not even below a span that is made.

use berth_domain::id::{NodeName, Principal, VSwitchName};
use berth_telemetry::{Options, init};
use berthd::spans;
use tracing::{Span, info_span};

fn all(parent: &Span) -> [Span; 4] {
    let principal = Principal::new("local").expect("a name");
    let node = NodeName::new("worker-1").expect("a name");
    let vswitch = VSwitchName::new("pods").expect("a name");
    [
        spans::call("/berth.v1.Allocator/Allocate", &principal),
        spans::add(parent, &node),
        spans::grant(parent, &vswitch),
        spans::commit(parent),
    ]
}

#[test]
fn a_call_makes_no_span() {
    let mut options = Options::new("berthd");
    options.filter = Some("info".into());
    let _guard = init(options).expect("started");
    let parent = info_span!("parent");
    assert!(!parent.is_disabled(), "the control: this one is made");
    for parent in [parent, Span::none()] {
        assert!(all(&parent).iter().all(Span::is_disabled));
    }
}
