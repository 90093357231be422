//! The nasc command line.
