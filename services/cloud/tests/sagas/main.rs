//! Jobs from the ledger's intent to the cloud's last word: the shipped ledger, conductor, wire and simulated cloud in one process,
//! with a fault, a crash or a call that arrives late at every single point of every saga.

mod points;
mod random;
mod world;
