//! Up: turns this machine into a stack.
