//! Random numbers that depend on the seed and on what they are for, never on who asks first.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers is for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// The division of a split in two.
    Divide,
    /// The images of `train` that are validated on where there is no split for it.
    HoldOut,
    /// The images of `train` that are used where not all are.
    Take,
    /// The order of the samples in an epoch.
    Order { epoch: u64 },
    /// The augmentation of one sample, by its index in the split, in an epoch.
    Augment { epoch: u64, sample: u64 },
}

/// The stream for a purpose: seed and purpose are the key of the cipher, so no two streams are one.
pub(crate) fn stream(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let (tag, epoch, sample) = match purpose {
        Purpose::Divide => (0, 0, 0),
        Purpose::Order { epoch } => (1, epoch, 0),
        Purpose::Augment { epoch, sample } => (2, epoch, sample),
        Purpose::HoldOut => (3, 0, 0),
        Purpose::Take => (4, 0, 0),
    };
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip([seed, tag, epoch, sample]) {
        bytes.copy_from_slice(&u64::to_le_bytes(word));
    }
    ChaCha8Rng::from_seed(key)
}
