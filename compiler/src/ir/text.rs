//! The text form of a space.
