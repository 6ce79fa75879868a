//! Actors: state that one thread changes one message at a time, behind our own traits.
//!
//! Knows nothing of addresses, networks or disks. The rules, the same under every adapter:
//!
//! * A handler is synchronous and never waits for another actor. What has to be answered later travels on in the message
//!   as a [`Reply`]; dropping a reply unanswered is an answer too ([`Unanswered`]).
//! * A mailbox is bounded. A full one is a value ([`Undelivered::Busy`]) that gives the message back; nothing blocks.
//! * An actor ends when it stops itself, when [`Address::stop`] is handled, or when its last [`Address`] is dropped.
//!   What its mailbox still holds is dropped, and with it the replies.
//! * Addresses, senders and replies may cross threads; actors stay on the `LocalSet` on which they were spawned.
//!   Everything follows tokio's clock, so under paused time a test decides what time it is.

mod actor;
pub use actor::{Actor, Handler};

mod address;
pub use address::{Address, AskError, Sender, Undelivered};

mod reply;
pub use reply::{Reply, Unanswered, Waiting};

mod context;
pub use context::{Context, Timer};

mod one_timer;
pub use one_timer::OneTimer;

mod clock;
pub use clock::{Clock, ManualClock, MonotonicClock};

mod spawner;
pub use spawner::Spawner;

mod actix;
mod body;
mod plain;
