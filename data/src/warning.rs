//! What is hardly meant in a data set, though it can be trained on.

use std::fmt;
use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use crate::place::Place;
use crate::size::Size;

/// What is hardly meant in a data set. Each variant has its own code.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
pub enum DataWarning {
    /// Classes that no label of a split has.
    #[error("{} never {} in `{split}`{}", listed(classes), occur(classes), ignored_too(*ignored))]
    #[diagnostic(
        severity(Warning),
        code(nas::data::never_occurs),
        help("{}", never_help(*ignored))
    )]
    NeverOccurs {
        /// The split.
        split: String,
        /// The classes, by number and name.
        classes: Vec<String>,
        /// The share of its pixels that are ignored, where it has label maps.
        ignored: Option<f64>,
    },

    /// Half of the pixels of a split or more have no class.
    #[error("{} of the pixels of `{split}` are ignored", percent(*ignored))]
    #[diagnostic(
        severity(Warning),
        code(nas::data::mostly_ignored),
        help(
            "neither loss nor score sees them: see that `ignore` of the task is the label that marks pixels without a class"
        )
    )]
    MostlyIgnored {
        /// The split.
        split: String,
        /// The share.
        ignored: f64,
    },

    /// Label maps that show nothing but one class.
    #[error("{found} of the {of} label maps of `{split}` {} one value throughout", have(*found))]
    #[diagnostic(
        severity(Warning),
        code(nas::data::one_value),
        help("see whether `{}` shows what its image does", first.display())
    )]
    OneValue {
        /// The split.
        split: String,
        /// The first of them.
        first: PathBuf,
        /// How many there are.
        found: usize,
        /// Label maps in the split.
        of: usize,
    },

    /// Images whose height and width are resized by different factors: squashed or stretched.
    #[error("resizing changes the shape of {found} of the {of} images of `{split}`: {first}")]
    #[diagnostic(
        severity(Warning),
        code(nas::data::changes_shape),
        help(
            "in `data` of the recipe, `fit = cover` keeps shapes and cuts off what reaches over the edges, `fit = letterbox` keeps them and pads; `fit = stretch`, the default, does as here"
        )
    )]
    ChangesShape {
        /// The split.
        split: String,
        /// The first of them.
        first: Resized,
        /// How many there are.
        found: usize,
        /// Images in the split.
        of: usize,
    },

    /// Images that become more than four times as high or wide, or less than a fourth of it.
    #[error(
        "{found} of the {of} images of `{split}` become more than 4 times larger or smaller: {first}"
    )]
    #[diagnostic(
        severity(Warning),
        code(nas::data::changes_scale),
        help(
            "see whether what is to be seen in them is still there; the size is that of the input of the space, or `resize` in `data` of the recipe"
        )
    )]
    ChangesScale {
        /// The split.
        split: String,
        /// The first of them.
        first: Resized,
        /// How many there are.
        found: usize,
        /// Images in the split.
        of: usize,
    },
}

/// An image and its size before and after it is resized.
#[derive(Debug, Clone, PartialEq)]
pub struct Resized {
    /// The image.
    pub image: Place,
    /// Its size.
    pub from: Size,
    /// The size to which it is brought.
    pub to: Size,
}

impl fmt::Display for Resized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image, from, to } = self;
        write!(f, "{image} is {from}, and is brought to {to}")
    }
}

/// The most classes that are named.
const NAMED: usize = 8;

fn listed(classes: &[String]) -> String {
    let named: Vec<&str> = classes.iter().take(NAMED).map(String::as_str).collect();
    let more = classes.len() - named.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("class{} {}{more}", if classes.len() == 1 { "" } else { "es" }, named.join(", "))
}

fn occur(classes: &[String]) -> &'static str {
    if classes.len() == 1 { "occurs" } else { "occur" }
}

fn have(maps: usize) -> &'static str {
    if maps == 1 { "has" } else { "have" }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn ignored_too(ignored: Option<f64>) -> String {
    ignored
        .map_or_else(String::new, |share| format!("; {} of its pixels are ignored", percent(share)))
}

fn never_help(ignored: Option<f64>) -> &'static str {
    match ignored {
        Some(share) if share > 0.0 => {
            "labels run from 0 to `classes - 1`, and `ignore` of the task is none of them: a mask of \
             0 and 255 is one of 0 and 1, or of `ignore` and 1, for two classes"
        }
        _ => "see that `classes` of the task are those of the data",
    }
}
