//! Whole replicas: one on a disk, three that talk through memory.

mod cluster;
mod one;
mod three;
mod versions;
