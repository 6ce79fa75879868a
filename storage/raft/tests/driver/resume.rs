//! A snapshot whose transfer breaks in the middle.

use super::*;

/// From which chunk on it was asked for, each time.
type Asked = Arc<Mutex<Vec<(u64, u32)>>>;

/// Breaks after its second chunk, once.
struct Breaking {
    inner: Calls,
    is_whole: bool,
    asked: Asked,
}

impl SnapshotSource for Breaking {
    fn fetch(
        &mut self,
        from: u64,
        meta: &SnapshotMeta,
        first: u32,
        chunk: &mut dyn FnMut(Bytes) -> Result<(), FetchError>,
    ) -> Result<(), FetchError> {
        self.asked.lock().unwrap().push((meta.index, first));
        let breaks = !std::mem::replace(&mut self.is_whole, true);
        let mut left = 2;
        self.inner.fetch(from, meta, first, &mut |bytes| {
            if breaks && left == 0 {
                return Err(FetchError(Box::from("the connection broke")));
            }
            left -= i32::from(breaks);
            chunk(bytes)
        })
    }
}

#[test]
fn a_transfer_that_broke_goes_on() {
    // Promise: a learner whose snapshot broke off after two chunks of three is offered it again, fetches the third only,
    // and has the state.
    let registry = Members::default();
    let members = with_a_learner_to_come(&registry);
    let asked = Asked::default();
    let source = Breaking {
        inner: Calls {
            me: 4,
            members: Arc::clone(&registry),
        },
        is_whole: false,
        asked: Arc::clone(&asked),
    };
    let newcomer = begin_with(&registry, 4, Start::Join, Memory::new(), Box::new(source));
    until("it has the state", || {
        (status(&newcomer.handle).0.count == 50).then_some(())
    });
    let asked = asked.lock().unwrap().clone();
    let (index, _) = asked[0];
    assert_eq!(asked, [(index, 0), (index, 2)]);
    let mut members = members;
    members.push(newcomer);
    shut_down(members);
}
