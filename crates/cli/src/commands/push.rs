//! Push: sends a folder's images where its manifest says.
