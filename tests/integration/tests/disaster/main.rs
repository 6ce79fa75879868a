//! A cluster that is lost and begun anew: out of a backup, or out of one member's directory. What lives on the nodes must
//! keep its addresses, and nobody else may get one of them.

mod administrator;
mod backup;
mod drill;
mod files;
mod fleet;
mod force;
