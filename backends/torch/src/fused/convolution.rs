//! How a convolution is computed with what is around it.

use nas_ir::ops::Conv;
use nas_kernels::{MOST_TAPS, Window};

/// The most values that a result of a convolution of all channels may see: of those of 32 channels by a window of 3 x 3 layers take
/// 0.85 to 1 times as long as in libtorch, of 64 channels 0.93 to 1.25 times, the longer the narrower maps are.
const MOST_SEEN: usize = 32 * 3 * 3;

/// A convolution, its bias aside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Convolution {
    /// By a kernel of one tap.
    Pointwise { groups: usize },
    /// Of each channel for itself.
    Depthwise(Window),
    /// Of all channels.
    Dense(Window),
}

impl Convolution {
    /// How a convolution of maps of so many channels is computed with others, if it is: by one tap, of each channel for itself, or of
    /// all channels, where results see few values. Of one tap with a stride that is not so, pixels are picked before.
    pub(crate) fn of(conv: &Conv, channels: u32) -> Option<Self> {
        let (groups, taps) = (conv.groups.get(), conv.kernel.iter().product::<u32>() as usize);
        let is_around = conv.padding.before != [0, 0] || conv.padding.after != [0, 0];
        let pointwise = Self::Pointwise { groups: groups as usize };
        if groups > 1 && [channels, conv.out] == [groups; 2] && taps <= MOST_TAPS {
            return Some(Self::Depthwise(window(conv)));
        }
        if taps == 1 && !is_around && conv.stride == [1, 1] {
            return Some(pointwise);
        }
        if groups == 1 && channels as usize * taps <= MOST_SEEN {
            return Some(Self::Dense(window(conv)));
        }
        (taps == 1 && !is_around).then_some(pointwise)
    }
}

fn window(conv: &Conv) -> Window {
    let sizes = |[vertical, horizontal]: [u32; 2]| [vertical as usize, horizontal as usize];
    Window {
        kernel: sizes(conv.kernel),
        stride: sizes(conv.stride),
        dilation: sizes(conv.dilation),
        before: sizes(conv.padding.before),
        after: sizes(conv.padding.after),
    }
}
