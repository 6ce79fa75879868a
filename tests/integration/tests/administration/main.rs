//! What administrators do to a whole cluster: look whether all is well, mend it, back it up, and begin it anew when it is lost.
//! Then what lives on the nodes must keep its addresses, and nobody else may get one of them.

mod administrator;
mod backup;
mod check;
mod drill;
mod files;
mod fleet;
mod force;
mod repair;
