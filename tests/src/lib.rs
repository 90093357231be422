//! End-to-end, golden, differential and diagnostic tests
