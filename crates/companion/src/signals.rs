//! What is counted of a running container, read from the kernel's own files.
//!
//! [`Gauges`] are the files that are read every second and held open meanwhile; the rest is read when somebody
//! looks.

mod disks;
mod gauges;
mod network;

pub(crate) use disks::disks;
pub(crate) use gauges::Gauges;
pub(crate) use network::traffic;
