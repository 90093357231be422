//! Where the random numbers of a run come from: streams of its seed, each for one purpose. Backends have streams of
//! their own.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What random numbers are for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// What a supernet has learned, made into networks.
    Learned,
    /// The epoch of a supernet.
    Epoch(u32),
    /// The trial of this number.
    Trial(u32),
    /// The command of the trial of this number.
    Command(u32),
    /// The fresh weights of a policy that draws networks.
    Policy,
    /// The networks among which others are ranked by proxies.
    Electorate,
    /// The networks of which a typical one is taken.
    Typical,
}

/// The generator for a purpose.
pub(crate) fn generator(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(match purpose {
        Purpose::Learned => 1,
        Purpose::Policy => 2,
        Purpose::Epoch(epoch) => (1 << 32) | u64::from(epoch),
        Purpose::Trial(number) => (2 << 32) | u64::from(number),
        Purpose::Command(number) => (3 << 32) | u64::from(number),
        Purpose::Electorate => 4 << 32,
        Purpose::Typical => 5 << 32,
    });
    random
}
