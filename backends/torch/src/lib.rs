//! The supernet and the networks on libtorch
