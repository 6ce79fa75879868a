//! A panic anywhere ends a shipped server, so it ends a run: also one in a task, which the runtime would swallow.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on panics are remembered by their threads, and not printed.
pub fn remember() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|info| {
            LAST.with_borrow_mut(|last| {
                last.get_or_insert_with(|| info.to_string());
            });
        }));
    });
}

/// The first one on this thread since the last look.
pub fn taken() -> Option<String> {
    LAST.with_borrow_mut(Option::take)
}
