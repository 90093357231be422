//! What stops training, scoring or running a network on libtorch.

use std::fmt;
use std::path::PathBuf;

use miette::Diagnostic;
use nas_data::{DataError, TargetKind};
use nas_ir::Space;
use nas_ir::diagram::Entangled;
use nas_search::RunError;
use tch::TchError;
use thiserror::Error;

/// What a step was part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Training the weights of a supernet.
    Weights,
    /// Training its choices.
    Choices,
    /// Training one network.
    Network,
    /// Scoring a network.
    Scoring,
}

impl TorchError {
    /// An engine that failed, with its own advice if it has some.
    pub(crate) fn engine(fault: &dyn Diagnostic) -> Self {
        let help = fault.help().map(|help| help.to_string());
        let verify = "run the same file by `nasc verify`: what is wrong with it, or with the engine, shows there";
        Self::Engine { reason: fault.to_string(), help: help.unwrap_or_else(|| verify.to_owned()) }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Weights => "while the weights of the supernet were trained",
            Self::Choices => "while the choices were trained",
            Self::Network => "while the network was trained",
            Self::Scoring => "while a network was scored",
        })
    }
}

/// What stops this backend. Each variant has its own code.
#[derive(Debug, Error, Diagnostic)]
pub enum TorchError {
    /// Another engine failed on images of the shape that its model takes.
    #[error("the engine that is scored failed: {reason}")]
    #[diagnostic(code(nas::verify::engine))]
    Engine {
        /// What it said.
        reason: String,
        /// What to do about it.
        #[help]
        help: String,
    },
    /// The loss, or a value that it is computed from, is infinite or not a number.
    #[error("the loss is {loss} at step {step} of epoch {epoch}, {phase}{}", first_node(node.as_deref()))]
    #[diagnostic(
        code(nas::train::not_finite),
        help("lower the learning rate; or begin with a lower one and let it rise in the warm-up")
    )]
    NotFinite {
        /// What was going on.
        phase: Phase,
        /// The epoch, from 0.
        epoch: u32,
        /// The step of the epoch, from 0.
        step: usize,
        /// The loss.
        loss: f64,
        /// The first node in order of evaluation whose value is not finite, if one was found.
        node: Option<String>,
    },

    /// A run is to compute on a GPU, and libtorch has none.
    #[error("there is no GPU to compute on")]
    #[diagnostic(
        code(nas::train::no_gpu),
        help(
            "`--device cpu` computes on the processor. For a GPU of NVIDIA install PyTorch {} with CUDA, and let `LIBTORCH` be its folder: `export LIBTORCH=$(python -c 'import os, torch; print(os.path.dirname(torch.__file__))')`",
            env!("LIBTORCH_VERSION")
        )
    )]
    NoCuda(#[from] nas_cuda::NoCuda),

    /// There are GPUs, but none of this number.
    #[error("there is no `cuda:{number}`: libtorch finds {count} of them, numbered from 0")]
    #[diagnostic(
        code(nas::train::no_gpu),
        help("`nvidia-smi` lists them; `CUDA_VISIBLE_DEVICES` says which a program sees")
    )]
    NoSuchGpu {
        /// The number that was asked for.
        number: usize,
        /// How many there are.
        count: usize,
    },

    /// A tensor did not fit into memory.
    #[error("out of memory{}", at_node(node.as_deref()))]
    #[diagnostic(
        code(nas::train::out_of_memory),
        help(
            "make the batch or the crop smaller, or write `strategy proxyless {{ gradient = reinforce }}`, which runs one candidate of each decision at a time"
        )
    )]
    OutOfMemory {
        /// Where.
        node: Option<String>,
    },

    /// The network cannot run on maps of the crop's size.
    #[error("the network cannot run on a crop of {height} x {width}: `{node}` fails ({reason})")]
    #[diagnostic(
        code(nas::train::crop_misfit),
        help(
            "use the size of the network's input, or the largest multiple of its output stride that the images allow"
        )
    )]
    CropMisfit {
        /// Height of the crop.
        height: i64,
        /// Width of the crop.
        width: i64,
        /// The node.
        node: String,
        /// What libtorch says.
        reason: String,
    },

    /// The space is for nothing that is trained.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Task(#[from] RunError),

    /// The data set holds no targets for the task.
    #[error("space `{space}` is for {task}, but `{}` has a {found} for each image, not a {needed}", root.display())]
    #[diagnostic(
        code(nas::train::targets),
        help(
            "beside SPLIT/images a segmentation reads SPLIT/labels, a multi-label classification SPLIT/labels.csv, a regression SPLIT/targets where it answers with a map, and else SPLIT/targets.csv; a classification reads SPLIT/CLASS. `target` of `dataset.json` says which it is where the folders do not"
        )
    )]
    Targets {
        /// The space.
        space: String,
        /// Its task, in words.
        task: String,
        /// What the task needs.
        needed: TargetKind,
        /// The folder of the data set.
        root: PathBuf,
        /// What it holds.
        found: TargetKind,
    },

    /// The metric that ranks networks has no value on a split.
    #[error("{metric} is not defined on `{split}`")]
    #[diagnostic(
        code(nas::train::undefined),
        help(
            "of no class are there both images to which it applies and others: add such images, or rank by another metric"
        )
    )]
    Undefined {
        /// The metric.
        metric: &'static str,
        /// The split.
        split: String,
    },

    /// What the supernet holds has no table of bounded size.
    #[error("space `{space}` cannot be searched: {reason}")]
    #[diagnostic(
        code(nas::train::entangled),
        help("let fewer decisions depend on each other, so that their cases can be tabulated")
    )]
    Entangled {
        /// The space.
        space: String,
        /// Which decisions.
        reason: String,
    },

    /// A saved state or weights lack a tensor, or have it in another shape.
    #[error("tensor `{name}` should have the sizes {needed:?}, {}", found_sizes(found.as_deref()))]
    #[diagnostic(
        code(nas::train::other_state),
        help("these weights belong to another network: use those that were saved for this one")
    )]
    OtherState {
        /// The tensor.
        name: String,
        /// Its sizes.
        needed: Vec<u32>,
        /// What is there under this name.
        found: Option<Vec<u32>>,
    },

    /// Weights of another number of classes than the task has.
    #[error(
        "`loss.class_weights` has {given} numbers, and the task of the space has {classes} classes"
    )]
    #[diagnostic(
        code(nas::train::class_weights),
        help("write a number for each class, in their order; or `class_weights = balanced`")
    )]
    ClassWeights {
        /// How many there are.
        given: usize,
        /// Classes of the task.
        classes: usize,
    },

    /// Weights of classes that are all 0.
    #[error("all of `loss.class_weights` are 0, so that nothing would be learned")]
    #[diagnostic(
        code(nas::train::class_weights),
        help("write a number above 0 for each class that counts; or `class_weights = balanced`")
    )]
    NoClassCounts,

    /// A setting that is for other tasks.
    #[error("`{setting}` does nothing for {task}")]
    #[diagnostic(
        code(nas::train::out_of_place),
        help(
            "leave it out: `loss.regression` and `loss.delta` are for numbers, the others for a class of each image or pixel, `data.cutmix` and `retrain.temperature` also for several labels"
        )
    )]
    OutOfPlace {
        /// The setting.
        setting: &'static str,
        /// The task, in words.
        task: String,
    },

    /// A pattern of `freeze` matches no weight.
    #[error("`freeze` has the pattern `{pattern}`, and no weight has such a name")]
    #[diagnostic(
        code(nas::train::freezes_nothing),
        help("a pattern is for whole names, such as `{example}`; `**` stands for anything in it")
    )]
    FreezesNothing {
        /// The pattern.
        pattern: String,
        /// A weight that there is.
        example: String,
    },

    /// None of the weights to begin with fits.
    #[error("`weights_from` has not one tensor that what is trained has in the same size")]
    #[diagnostic(
        code(nas::train::nothing_fits),
        help(
            "the file has tensors such as `{found}`, and what is trained has `{needed}`: name the file of a network of this space"
        )
    )]
    NothingFits {
        /// A tensor that is needed.
        needed: String,
        /// A tensor that is there.
        found: String,
    },

    /// The images given to a network are not what its inputs are.
    #[error("input {input} of the network takes {needed} numbers a picture, {found} were given")]
    #[diagnostic(code(nas::train::input_size), help("give [1, C, H, W] values in row-major order"))]
    InputSize {
        /// Which input, from 0.
        input: usize,
        /// Elements that it takes.
        needed: u64,
        /// Elements given.
        found: usize,
    },

    /// The images.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Data(#[from] DataError),

    /// The teacher of a network failed on images of the shape that it takes.
    #[error("the teacher of the network failed: {reason}")]
    #[diagnostic(
        code(nas::internal::teacher),
        help("this is a fault of nasc or of tract: please report it with the file of the teacher")
    )]
    Teacher {
        /// What it says.
        reason: String,
    },

    /// libtorch refused something that the checker should have excluded.
    #[error("libtorch failed{}: {reason}", at_node(node.as_deref()))]
    #[diagnostic(
        code(nas::internal::torch),
        help("this is a fault of nasc: please report it with the output above")
    )]
    Torch {
        /// Where.
        node: Option<String>,
        /// The first line of what it says.
        reason: String,
    },

    /// A fault of this crate: it lost or mixed up something of its own making.
    #[error("the libtorch backend broke a rule of its own{}: {reason}", at_node(node.as_deref()))]
    #[diagnostic(
        code(nas::internal::torch_backend),
        help("this is a fault of nasc: please report it with the output above")
    )]
    Broken {
        /// Where.
        node: Option<String>,
        /// What is wrong.
        reason: String,
    },
}

impl From<TchError> for TorchError {
    fn from(error: TchError) -> Self {
        let reason = first_line(&error);
        // Both allocators, of the processor and of a GPU, say it in words only.
        let is_memory = ["not enough memory", "can't allocate memory", "out of memory"]
            .iter()
            .any(|words| reason.contains(words));
        if is_memory {
            Self::OutOfMemory { node: None }
        } else {
            Self::Torch { node: None, reason }
        }
    }
}

impl TorchError {
    /// The space has no table of bounded size of what the supernet holds.
    pub(crate) fn entangled(space: &Space, entangled: &Entangled) -> Self {
        Self::Entangled { space: space.name.clone(), reason: space.entanglement(entangled) }
    }

    /// A fault of this crate.
    pub(crate) fn broken(reason: impl Into<String>) -> Self {
        Self::Broken { node: None, reason: reason.into() }
    }

    /// The same of a loss that is not finite, with the first node whose value is not, if one was found.
    pub(crate) fn beginning_at(mut self, found: Option<String>) -> Self {
        if let Self::NotFinite { node, .. } = &mut self {
            *node = found;
        }
        self
    }

    /// The same with the path of the node where it happened, if nothing more exact is known.
    pub(crate) fn at_node(mut self, path: &str) -> Self {
        if let Self::Torch { node, .. } | Self::OutOfMemory { node } | Self::Broken { node, .. } =
            &mut self
        {
            node.get_or_insert_with(|| path.to_owned());
        }
        self
    }
}

/// What libtorch says goes on with a stack of C++ frames.
fn first_line(error: &TchError) -> String {
    let text = match error {
        TchError::Torch(text) => text.clone(),
        other => other.to_string(),
    };
    text.lines().next().unwrap_or_default().to_owned()
}

fn at_node(node: Option<&str>) -> String {
    node.map(|node| format!(" at `{node}`")).unwrap_or_default()
}

fn first_node(node: Option<&str>) -> String {
    node.map(|node| format!("; the first value that is not finite is that of `{node}`"))
        .unwrap_or_default()
}

fn found_sizes(found: Option<&[u32]>) -> String {
    found.map_or_else(|| "but is missing".to_owned(), |found| format!("but has {found:?}"))
}
