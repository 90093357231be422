//! Random spaces by a small grammar. All maps are of 4 channels and 8 x 8, so that most of what is
//! written fits, and the rest of a command gets to work.

use std::fmt::Write;

use rand::Rng;
use rand::seq::IndexedRandom;

use super::case::Random;

/// How deep expressions lie in each other.
const DEEPEST: u32 = 4;

const STEPS: [&str; 24] = [
    "relu",
    "zero",
    "zero",
    "identity",
    "batch_norm",
    "sigmoid",
    "hswish",
    "prelu",
    "swish",
    "conv(9, kernel = 1) -> shift -> conv(4, kernel = 1)",
    "channel_shuffle(2)",
    "dropout(0.3)",
    "drop_path(0.2)",
    "spatial_dropout",
    "max_pool(3, 1, padding = \"same\")",
    "avg_pool(3, 1, padding = \"same\")",
    "max_pool(2) -> resize(scale = 2)",
    "conv(4, kernel = 3, stride = 2) -> resize(size = 8)",
    "pad(1, 1) -> crop(1, 1)",
    "channel_pad(after = 2) -> channel_slice(1, 5)",
    "conv(4, kernel = 3, dilation = 2, bias = true)",
    "conv(4, kernel = 3, groups = 4)",
    "conv_transpose(4, kernel = 3)",
    "conv(6, kernel = (1, 3)) -> batch_norm -> relu6 -> conv(4, kernel = 1)",
];
const MEASURES: [&str; 6] = ["latency", "macs", "params", "weight_bytes", "peak_memory", "depth"];
const COMPARED: [&str; 5] = ["<=", "<", ">=", ">", "=="];

/// A measure by name; without a latency table seldom the one that needs it.
pub(crate) fn measure(random: &mut Random, has_table: bool) -> &'static str {
    let known = if has_table || random.random_bool(0.05) { 0 } else { 1 };
    let known = MEASURES.split_at_checked(known).map(|(_, known)| known).unwrap_or_default();
    known.choose(random).copied().unwrap_or("macs")
}

/// A limit such as `macs <= 20K and 2 * params > 100`.
pub(crate) fn limit(random: &mut Random, has_table: bool) -> String {
    let term = |random: &mut Random| {
        let by = ["", "", "2 * ", "1 / 3 * ", "-1 * "].choose(random).copied().unwrap_or("");
        format!("{by}{}", measure(random, has_table))
    };
    let bound = 10f64.powf(random.random_range(0.0..6.0));
    let bound = if random.random_bool(0.7) { bound.round() } else { bound };
    let compared = COMPARED.choose(random).copied().unwrap_or("<=");
    let one = match random.random_range(0..8) {
        0 => format!("{} + {} {compared} {bound}", term(random), term(random)),
        1 => format!("max({}, {}) <= {bound}", term(random), term(random)),
        2 => format!("{} / (params + 1) {compared} {bound}", term(random)),
        3 => format!("not ({} {compared} {bound})", term(random)),
        4 if has_table => format!("latency {compared} {bound}us"),
        _ => format!("{} {compared} {bound}", term(random)),
    };
    if random.random_bool(0.2) { format!("{one} and {}", limit(random, has_table)) } else { one }
}

/// The source of a space `s`, for a target with this latency table if there is one.
pub(crate) fn space(random: &mut Random, table: Option<&str>) -> String {
    let mut writer = Writer { random, blocks: String::new(), count: 0 };
    let root = writer.block(0, true);
    let mut head = "    input image: [3, 8, 8]\n".to_owned();
    if writer.random.random_bool(0.1) {
        head += "    input more: [3, 8, 8]\n";
    }
    let (task, end) = if writer.random.random_bool(0.5) {
        ("classification(5)", "global_avg_pool -> linear(5)")
    } else {
        ("segmentation(5, ignore = 255)", "conv(5, kernel = 1)")
    };
    head += &format!("    task {task}\n");
    let kernel = writer.kernel();
    let stem = format!("conv(4, kernel = {kernel})");
    let mut body = format!("    let stem = image -> {stem}\n    let result = {root}(stem, stem)\n");
    body += &format!("    output logits = result -> {end}\n");
    if writer.random.random_bool(0.15) {
        body += &format!("    train output aux = stem -> {end}\n");
    }
    for _ in 0..[0, 0, 0, 1, 2].choose(writer.random).copied().unwrap_or(0) {
        body += &format!("    require {}\n", limit(writer.random, table.is_some()));
    }
    let blocks = std::mem::take(&mut writer.blocks);
    let target = table.map(|table| format!("target board {{ latency table {table:?} }}\n"));
    let suffix = if target.is_some() { " for board" } else { "" };
    let target = target.unwrap_or_default();
    let claims = claims(random, table.is_some());
    format!("{target}{blocks}space s{suffix} {{\n{head}{body}}}\n{claims}")
}

/// What stands beside a space: claims that mostly hold, a search.
fn claims(random: &mut Random, has_table: bool) -> String {
    let mut text = String::new();
    for _ in 0..random.random_range(0..3) {
        let of = ["macs.min", "macs.mean", "params.max", "peak_memory.max", "supernet.params"];
        let of = of.choose(random).copied().unwrap_or("macs.min");
        let _ = writeln!(text, "expect s.{of} >= 0");
    }
    if random.random_bool(0.3) {
        let weight = 10f64.powf(random.random_range(-9.0..9.0));
        let measure = measure(random, has_table);
        let strategy = if random.random() { "gumbel" } else { "random" };
        let _ = writeln!(
            text,
            "search quick of s {{\n    strategy {strategy} {{ }}\n    minimize cross_entropy + {weight} * {measure}\n    \
             data made {{ path = \"data\" }}\n}}"
        );
    }
    text
}

struct Writer<'r> {
    random: &'r mut Random,
    blocks: String,
    count: usize,
}

impl Writer<'_> {
    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of.choose(self.random).copied().unwrap_or_default()
    }

    /// A new number, for a name.
    fn number(&mut self) -> usize {
        self.count += 1;
        self.count
    }

    /// Writes a block of two maps and returns its name.
    fn block(&mut self, depth: u32, is_large: bool) -> String {
        let name = format!("block{}", self.number());
        let mut maps = vec!["x".to_owned(), "s".to_owned()];
        let mut body = "    var y = x\n    let k = choose kernel [1, 3, 5]\n".to_owned();
        for _ in 0..self.random.random_range(1..if is_large { 6 } else { 4 }) {
            let statement = self.statement(&mut maps, depth);
            let _ = writeln!(body, "    {statement}");
        }
        let last = self.map(&maps, depth + 1);
        let keyword = if self.random.random_bool(0.1) { "cell" } else { "block" };
        let _ = write!(self.blocks, "{keyword} {name}(x, s) {{\n{body}    y + {last}\n}}\n");
        name
    }

    fn statement(&mut self, maps: &mut Vec<String>, depth: u32) -> String {
        let value = self.map(maps, depth);
        match self.random.random_range(0..8) {
            0 => format!("y = {value}"),
            1 => format!("if {} {{ y = {value} }}", self.condition()),
            2 => {
                let other = self.map(maps, depth + 1);
                format!("if {} {{ y = {value} }} else {{ y = y + {other} }}", self.condition())
            }
            3 => {
                format!("for _i in 0..{} {{ y = y -> {} }}", self.times(), self.step(depth + 1))
            }
            4 => {
                format!("y = y -> repeat {} as _i {{ {} }}", self.depth(), self.step(depth + 1))
            }
            _ => {
                let name = format!("v{}", self.number());
                let text = format!("let {name} = {value}");
                maps.push(name);
                text
            }
        }
    }

    /// An expression that is a map.
    fn map(&mut self, maps: &[String], depth: u32) -> String {
        let one = maps.choose(self.random).cloned().unwrap_or_else(|| "x".to_owned());
        if depth >= DEEPEST {
            return one;
        }
        let inner = |writer: &mut Self| writer.map(maps, depth + 1);
        match self.random.random_range(0..12) {
            0 => format!("({} + {})", inner(self), inner(self)),
            1 => format!("({} * {})", inner(self), inner(self)),
            2 => format!("(choose ends{} ([{}, {}]))", self.number(), inner(self), inner(self)),
            3 => format!("(concat([{}, {}]) -> conv(4, kernel = 1))", inner(self), inner(self)),
            4 => {
                let all = [inner(self), inner(self), inner(self)];
                format!("sum(choose 2 some {{ a: {}, b: {}, c: {} }})", all[0], all[1], all[2])
            }
            5 => format!(
                "(if {} {{ {} }} else {{ {} }})",
                self.condition(),
                inner(self),
                inner(self)
            ),
            6 => format!(
                "(choose way {{ a: {}, none: zero({one}), b: {} }})",
                inner(self),
                inner(self)
            ),
            7 => format!("{}({}, {one})", self.block(depth + 2, false), inner(self)),
            8 => format!("(concat(loose_ends([{one}, {}])) -> conv(4, kernel = 1))", inner(self)),
            _ => format!("({} -> {})", inner(self), self.step(depth)),
        }
    }

    /// A step from a map to a map.
    fn step(&mut self, depth: u32) -> String {
        if depth >= DEEPEST || self.random.random_bool(0.3) {
            return self.pick(&STEPS).to_owned();
        }
        match self.random.random_range(0..8) {
            0 => format!("{} -> {}", self.step(depth + 1), self.step(depth + 1)),
            1 => format!("repeat {} {{ {} }}", self.depth(), self.step(depth + 1)),
            2 => {
                format!("conv({}, kernel = 1) -> conv(4, kernel = {})", self.width(), self.kernel())
            }
            3 => format!(
                "conv(4, kernel = {}, groups = {})",
                self.kernel(),
                self.pick(&["1", "2", "choose g [1, 2, 4]"])
            ),
            _ => self.choice(depth),
        }
    }

    fn choice(&mut self, depth: u32) -> String {
        let mut text = "choose op {".to_owned();
        for number in 0..self.random.random_range(1..4) {
            let step = self.step(depth + 1);
            let guard = self.pick(&["", "", "", " if 1 < 2", " if x.channels == 4"]);
            let guard = if number == 0 { "" } else { guard };
            let _ = write!(text, " c{number}: {step}{guard},");
        }
        if self.random.random_bool(0.2) {
            text += " for w in [1, 3] { \"w{w}\": conv(4, kernel = w) },";
        }
        text += self.pick(&["", "", " none: zero,", " skip: identity,"]);
        text + " }"
    }

    fn kernel(&mut self) -> &'static str {
        self.pick(&[
            "1",
            "3",
            "choose k [1, 3, 5]",
            "elastic k [3, 5]",
            "if 1 > 2 { 1 } else { choose k [3, 5] }",
            "3 + 2 * choose more [0, 1]",
        ])
    }

    fn width(&mut self) -> &'static str {
        self.pick(&[
            "8",
            "elastic w [4, 8, 12]",
            "choose w [2, 6]",
            "4 * choose e { one: 1, two: 2 }",
        ])
    }

    fn times(&mut self) -> &'static str {
        self.pick(&["2", "1", "0", "3", "1 + 1", "len([1, 2])"])
    }

    fn depth(&mut self) -> &'static str {
        self.pick(&["2", "1 + 1", "choose depth [0, 1, 2]", "elastic depth [1, 3]"])
    }

    fn condition(&mut self) -> &'static str {
        self.pick(&[
            "k == 3",
            "k > 1 and not (k == 5)",
            "k < 9",
            "choose flag [true, false]",
            "k + choose more [0, 2] > 4",
            "x.channels == 4",
        ])
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_seed_stands_for_one_space() {
        let text = |seed| space(&mut Random::seed_from_u64(seed), Some("t.json"));
        for seed in 0..300 {
            assert_eq!(text(seed), text(seed));
        }
    }
}
