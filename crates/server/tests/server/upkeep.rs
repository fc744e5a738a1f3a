//! The registry is rid of what nobody needs, and of what the disk has changed, while others push.

mod beside;
mod check;
mod collection;
mod pushing;
