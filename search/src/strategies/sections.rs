//! Settings that several strategies have, declared once.

use nas_ir::recipe::schema::{CountDefault, Field, Kind};

/// The name of the section that says which networks are tried.
pub(super) const DERIVE: &str = "derive";

/// How many networks are kept; beside `sample` in the section [`DERIVE`].
pub(super) const KEEP: Field = Field {
    name: "keep",
    kind: Kind::Count {
        least: 1,
        most: Kind::MOST,
        default: CountDefault::Of {
            words: "5, or `sample` if that is less",
            other: (DERIVE, "sample"),
            rule: |sample| if sample < 5 { sample } else { 5 },
        },
    },
    doc: "how many of them are reported, best first; the best is retrained",
};
