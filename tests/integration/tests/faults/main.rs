//! Real servers under real faults; needs root. Each fault has its negative control: with the safeguard taken out, the
//! same harness must find the loss.

mod turns;

mod clocks;
mod data;
mod disks;
mod kills;
mod partitions;
mod pauses;
mod power;
mod slow_disk;
