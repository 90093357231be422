//! The settings that all recipes have, whatever the strategy. The defaults suit the shipped data
//! set (64 x 64 tiles, 495 of them for training) on a small machine.

use super::anneal::Anneal;
use super::distillation::{TEACHER, TEMPERATURE, WEIGHT};
use super::loss::{CLASS_WEIGHTS, DELTA, DICE, FOCAL, LABEL_SMOOTHING, REGRESSION};
use super::optimizer::{BETA1, BETA2, DECAY, EPSILON, MOMENTUM, OPTIMIZER, RATE, SMOOTHING};
pub use super::patience::{MIN_DELTA, PATIENCE};
use super::schema::{Bounds, CountDefault, Field, Kind, Kinds, Section};
use super::training::{ACCUMULATE, EMA, FREEZE, INITIAL, PRECISION, WARMUP, WEIGHTS_FROM};
use crate::metric::Metric;

/// The name of the section that says by what strategy to search.
pub const STRATEGY: &str = "strategy";

/// Where images come from, and what is done to them in training.
pub const DATA: Section = Section {
    name: "data",
    kinds: Kinds::AnyName,
    doc: "the images and what is done to them in training. The name after `data` is for people. \
          Which label is ignored, the space's `task` says",
    fields: &[
        Field {
            name: "path",
            kind: Kind::Path { default: "data/landcover" },
            doc: "the folder with `train`, `val` and, if there is one, `test`, relative to the file of the recipe",
        },
        Field {
            name: "val",
            kind: Kind::Real { bounds: Bounds::below(0.0, 1.0), default: 0.0 },
            doc: "share of the images of `train` that are validated on instead, where the data set has \
                  no `val`; which ones does not depend on the seed. With 0 there must be a `val`",
        },
        Field {
            name: "take",
            kind: Kind::Count { least: 0, most: Kind::MOST, default: CountDefault::Is(0) },
            doc: "how many of the images of `train` are trained on; which ones does not depend on the \
                  seed, and those of a smaller number are among those of a larger one. With 0 all are",
        },
        Field {
            name: "rank_on",
            kind: Kind::Count { least: 0, most: Kind::MOST, default: CountDefault::Is(0) },
            doc: "on how many of the validation images networks are scored with inherited weights, at most; which \
                  ones does not depend on the seed. With 0 on all, as networks always are that are trained on their own",
        },
        Field {
            name: "resize",
            kind: Kind::Size { otherwise: "the input size of the space" },
            doc: "height and width in pixels to which images are brought, in training, validation and \
                  tests alike; of a larger one than the input, validation and tests see the middle",
        },
        Field {
            name: "fit",
            kind: Kind::Word(&["stretch", "cover", "letterbox"]),
            doc: "what becomes of an image of another shape: `stretch` changes its shape, `cover` keeps \
                  it and cuts off what reaches over the edges, `letterbox` keeps it and pads with the \
                  mean colour and the ignored label",
        },
        Field {
            name: "pad",
            kind: Kind::Count { least: 0, most: Kind::MOST_PIXELS, default: CountDefault::Is(0) },
            doc: "pixels of the mean colour, with the ignored label, around each image before the \
                  random crop in training: less than half of its sides",
        },
        Field {
            name: "crop",
            kind: Kind::Size { otherwise: "the input size of the space" },
            doc: "height and width in pixels of the random crop in training",
        },
        Field {
            name: "flip",
            kind: Kind::Flag { default: true },
            doc: "whether images are mirrored left to right at random",
        },
        Field {
            name: "scale",
            kind: Kind::Range { bounds: Bounds::above(0.0, 16.0), otherwise: "no resizing" },
            doc: "range of the random factor by which images are resized before the crop",
        },
        Field {
            name: "jitter",
            kind: Kind::Real { bounds: Bounds::closed(0.0, 1.0), default: 0.0 },
            doc: "how much brightness, contrast and saturation change at random in training: each is \
                  multiplied by `1 - jitter` to `1 + jitter`",
        },
        Field {
            name: "blur",
            kind: Kind::Real { bounds: Bounds::closed(0.0, 64.0), default: 0.0 },
            doc: "the largest standard deviation in pixels by which every other image, at random, is \
                  blurred in training",
        },
        Field {
            name: "cutout",
            kind: Kind::Count { least: 0, most: Kind::MOST_PIXELS, default: CountDefault::Is(0) },
            doc: "side in pixels of a square of the mean colour that lies over each image at random in \
                  training, its middle anywhere in it",
        },
        Field {
            name: "randaugment",
            kind: Kind::Count { least: 0, most: 14, default: CountDefault::Is(0) },
            doc: "RandAugment (Cubuk et al. 2020): how many operations are done to each image in training, drawn anew from \
                  fourteen of colour and place; labels of pixels move with them. With 0 none is",
        },
        Field {
            name: "magnitude",
            kind: Kind::Count { least: 0, most: 30, default: CountDefault::Is(9) },
            doc: "the strength of the operations of `randaugment`, as in torchvision: with 30, colours change by up to 90 %, \
                  and images are turned by 30 degrees, sheared by 0.3 and moved by 45 % of their side",
        },
        Field {
            name: "mixup",
            kind: Kind::Real { bounds: Bounds::closed(0.0, 100.0), default: 0.0 },
            doc: "in training, each image of a batch is blended with another of it, and their losses likewise: the share of \
                  the first is drawn from the beta distribution with this parameter, once for a batch (Zhang et al. 2018). \
                  With 0 none is",
        },
        Field {
            name: "cutmix",
            kind: Kind::Real { bounds: Bounds::closed(0.0, 100.0), default: 0.0 },
            doc: "in training, a rectangle of each image of a batch is that of another of it; labels of pixels move with \
                  them, and the losses of whole images are blended by area. The area is drawn from the beta distribution \
                  with this parameter, once for a batch (Yun et al. 2019). Where `mixup` is given, too, half of the \
                  batches have one and half the other",
        },
        Field { name: "batch", kind: Kind::count(1, 16), doc: "images in a batch of the search" },
        Field {
            name: "workers",
            kind: Kind::Count { least: 1, most: 1024, default: CountDefault::Is(2) },
            doc: "threads that decode images ahead of training; changes no result",
        },
    ],
};

/// How the weights of a supernet are trained.
pub const WEIGHTS: Section = Section {
    name: "weights",
    kinds: Kinds::Field(OPTIMIZER.name),
    doc: "how the supernet's weights learn",
    fields: &[
        OPTIMIZER,
        RATE,
        WARMUP,
        MOMENTUM,
        BETA1,
        BETA2,
        SMOOTHING,
        EPSILON,
        DECAY,
        ACCUMULATE,
        EMA,
        FREEZE,
        INITIAL,
        PRECISION,
        WEIGHTS_FROM,
    ],
};

/// What training makes small.
pub const LOSS: Section = Section {
    name: "loss",
    kinds: Kinds::None,
    doc: "what training makes small: the mean over all labels or values that are known. Of classes it is cross-entropy, unless \
          this says more, of several labels for an image binary cross-entropy, and of a regression this says what. The \
          metric `loss` is plain cross-entropy whatever it says, of several labels the binary one, and of a regression what \
          `regression` says",
    fields: &[REGRESSION, DELTA, LABEL_SMOOTHING, CLASS_WEIGHTS, FOCAL, DICE],
};

/// By what networks are judged.
pub const METRICS: Section = Section {
    name: "metrics",
    kinds: Kinds::None,
    doc: "by what networks are judged that nasc trains",
    fields: &[Field {
        name: "primary",
        kind: Kind::Word(&RANKED_BY),
        doc: "the metric by which networks are ranked where the recipe has no `minimize` or `maximize`, and by which the \
              best epoch of a training is kept: one that the task of the space has, or with `usual` the first of these. A \
              `segmentation` has `miou`, `accuracy` (of pixels), `f1` and `loss`; a `classification` `accuracy`, `top5` \
              (of more than five classes), `f1` and `loss`; a `multilabel` `f1` (the mean over the classes), `micro_f1`, \
              `auroc`, `mean_ap` and `loss`; a `regression` `mae`, `rmse`, `psnr` (of maps) and `loss`",
    }],
};

/// What may rank networks: what the task says, or a metric by its name.
const RANKED_BY: [&str; 12] = [
    "usual",
    Metric::Miou.name(),
    Metric::Accuracy.name(),
    Metric::Top5.name(),
    Metric::F1.name(),
    Metric::MicroF1.name(),
    Metric::Auroc.name(),
    Metric::MeanAp.name(),
    Metric::Mae.name(),
    Metric::Rmse.name(),
    Metric::Psnr.name(),
    Metric::Loss.name(),
];

/// The name of the section that says how long to search.
pub const SCHEDULE: &str = "schedule";

/// How long to search; a field of the section [`SCHEDULE`].
pub const EPOCHS: Field = Field { name: "epochs", kind: Kind::count(1, 40), doc: "epochs in all" };

/// Where all randomness comes from; a field of the section [`SCHEDULE`].
pub const SEED: Field = Field {
    name: "seed",
    kind: Kind::Seed { default: 0 },
    doc: "where all randomness of the run comes from: initial weights, order and augmentation of \
          images, noise, drawn networks, retraining",
};

/// How the network that is picked is trained.
pub const RETRAIN: Section = Section {
    name: "retrain",
    kinds: Kinds::Field(OPTIMIZER.name),
    doc: "how the picked network is trained from scratch, on all training images",
    fields: &[
        Field {
            name: "epochs",
            kind: Kind::count(1, 60),
            doc: "epochs; the one with the best validation score is kept",
        },
        OPTIMIZER,
        RATE,
        WARMUP,
        MOMENTUM,
        BETA1,
        BETA2,
        SMOOTHING,
        EPSILON,
        DECAY,
        ACCUMULATE,
        EMA,
        FREEZE,
        INITIAL,
        PRECISION,
        WEIGHTS_FROM,
        Field { name: "batch", kind: Kind::count(1, 16), doc: "images in a batch" },
        Field {
            name: "drop_path",
            kind: Kind::Anneal { bounds: Bounds::closed(0.0, 1.0), default: Anneal::constant(1.0) },
            doc: "by what the rates of `drop_path` are multiplied; an epoch has the value at its \
                  start. With `0 -> 1` they grow to what the space says, as in DARTS",
        },
        PATIENCE,
        MIN_DELTA,
        TEACHER,
        TEMPERATURE,
        WEIGHT,
    ],
};

/// Whether a setting is one that all recipes have.
#[must_use]
pub fn has(section: &str, field: &str) -> bool {
    let is_in = |of: &Section| of.name == section && of.field(field).is_some();
    let is_of_schedule = || [EPOCHS, SEED].iter().any(|of| of.name == field);
    [DATA, WEIGHTS, LOSS, METRICS, RETRAIN].iter().any(is_in)
        || (section == SCHEDULE && is_of_schedule())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_may_rank() {
        assert_eq!(RANKED_BY.map(Metric::named)[1..], Metric::ALL.map(Some));
    }
}
