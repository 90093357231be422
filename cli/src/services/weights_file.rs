//! The weights of a network from a safetensors file, and weights made from a seed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use indexmap::IndexMap;
use miette::LabeledSpan;
use nas_grammar::Problem;
use nas_grammar::parse::decode;
use nas_ir::model::{Misfit, misfits};
use nas_ir::network::NamedWeight;
use nas_ir::ops::Initial;
use nas_ir::{Model, Network, Tensor, TensorName, Weights, fault};
use nas_safetensors::TensorsError;

use nas_ir::grid::is_step;
use nas_onnx::EmitError;
use nas_passes::model::for_export;

use super::name_map::{NameMap, Rule};
use super::source::io_reason;
use super::weights_error::{
    CutShort, ElementType, Format, LeftOver, Missing, Shared, Sizes, TooLarge, Unreadable,
};
use crate::render::report::{Failure, print_problems};
use crate::tell;

/// State of an optimiser, which some files hold beside the weights.
const OPTIMIZER: &str = "optimizer/";
/// The most tensors of a kind that a message lists, and the most rules that it points to.
const LISTED: usize = 8;

/// A network with its weights from a safetensors file, under the names that the map gives them
/// there. Rules of the map that name nothing are warned of.
///
/// # Errors
/// The file cannot be read, or is not of this network: every tensor that is missing, has other
/// sizes, or that the network does not have.
pub fn load(network: Network, path: &Path, names: Option<&Path>) -> Result<Model, Failure> {
    let map = names.map(read_names).transpose()?.unwrap_or_default();
    let file = path.display().to_string();
    let tensors = tensors(&read_bytes(path, "--weights")?, &file)?;
    let needed = [network.weights(), network.training_weights()].concat();
    let names = needed.iter().map(|needed| needed.name.as_str());
    let idle = map.idle(names, |name| tensors.contains_key(name)).into_iter();
    let mut idle: Vec<Problem> = idle.map(Problem::from).collect();
    match fit(network, &tensors, &file, &map) {
        Ok(model) => {
            print_problems(&idle);
            Ok(model)
        }
        Err(Failure::Problems(mut problems)) => {
            problems.append(&mut idle);
            Err(Failure::Problems(problems))
        }
        Err(failure) => Err(failure),
    }
}

/// As [`load`]; of the weights that `nasc int8 --tune` has learned, which are those of the folded network, with that network
/// and without the steps of its grids.
///
/// # Errors
/// As [`load`].
pub fn load_for_use(network: Network, path: &Path, names: Option<&Path>) -> Result<Model, Failure> {
    let file = path.display().to_string();
    let tensors = tensors(&read_bytes(path, "--weights")?, &file)?;
    if names.is_some() || !tensors.keys().any(|name| is_step(name)) {
        return load(network, path, names);
    }
    let learned: Weights = tensors.into_iter().filter(|(name, _)| !is_step(name)).collect();
    let folded = for_export(initial(network, 0))
        .map_err(|unsound| Failure::problem(EmitError::from(unsound)))?;
    tell!("note: {file} is of a network tuned to integers, whose batch norms are folded");
    fit(folded.network, &learned, &file, &NameMap::default())
}

fn read_bytes(path: &Path, option: &'static str) -> Result<Vec<u8>, Failure> {
    nas_files::read(path).map_err(|error| {
        let (path, reason) = (path.display().to_string(), io_reason(&error));
        Failure::problem(Unreadable { path, reason, option })
    })
}

fn read_names(path: &Path) -> Result<NameMap, Failure> {
    let source = decode(&path.display().to_string(), read_bytes(path, "--names")?)
        .map_err(|problem| Failure::Problems(vec![problem]))?;
    NameMap::parse(source)
        .map_err(|faults| Failure::Problems(faults.into_iter().map(Problem::from).collect()))
}

/// A network with its weights from the bytes of a file.
///
/// # Errors
/// As [`load`].
pub fn take(network: Network, bytes: &[u8], file: &str, map: &NameMap) -> Result<Model, Failure> {
    fit(network, &tensors(bytes, file)?, file, map)
}

/// A network with its weights from the tensors of a file.
///
/// # Errors
/// As [`load`].
pub fn fit(
    network: Network,
    tensors: &Weights,
    file: &str,
    map: &NameMap,
) -> Result<Model, Failure> {
    let has = |name: &str| tensors.contains_key(name);
    let renamed = network.weights().into_iter().map(|needed| {
        let (theirs, rule) = map.name_in_file(&needed.name, has);
        (needed.name, Named { theirs, rule })
    });
    let training = network.training_weights().into_iter();
    let training = training.map(|added| map.name_in_file(&added.name, has).0).collect();
    let fit = Fit { file, map, names: renamed.collect(), training, tensors };
    let weights: Weights = fit
        .names
        .iter()
        .filter_map(|(ours, named)| Some((ours.clone(), tensors.get(&named.theirs)?.clone())))
        .collect();
    let problems = fit.problems(misfits(&network, &weights));
    if problems.is_empty() {
        Ok(Model { network, weights })
    } else {
        Err(Failure::Problems(problems))
    }
}

/// The tensors of a safetensors file, by name.
///
/// # Errors
/// The bytes are no safetensors file, or hold other than 32-bit floats.
pub fn tensors(bytes: &[u8], file: &str) -> Result<Weights, Failure> {
    nas_safetensors::floats_from_bytes(bytes).map_err(|error| no_tensors(error, bytes, file))
}

/// The diagnostic of bytes that are not the tensors asked for.
#[must_use]
pub fn no_tensors(error: TensorsError, bytes: &[u8], file: &str) -> Failure {
    let file = file.to_owned();
    match error {
        TensorsError::Format(reason) => {
            let help = how_to_convert(bytes, &file);
            Failure::problem(Format { file, reason, help })
        }
        TensorsError::CutShort => Failure::problem(CutShort { file }),
        TensorsError::Types(tensors) => {
            let tensors: Vec<String> =
                tensors.into_iter().map(|t| format!("{} is {}", t.name, t.dtype)).collect();
            Failure::problem(ElementType { file, tensors: listed(&tensors) })
        }
        TensorsError::Sizes(tensor) => Failure::problem(TooLarge { file, tensor }),
    }
}

/// How to get a safetensors file from one that is none.
fn how_to_convert(bytes: &[u8], file: &str) -> String {
    // PyTorch writes zip archives, and wrote pickles.
    if bytes.starts_with(b"PK") || bytes.starts_with(b"\x80") {
        return format!(
            "a PyTorch file is converted by `python -c \"import torch, safetensors.torch as s; \
             s.save_file(torch.load('{file}', weights_only=True), 'weights.safetensors')\"`"
        );
    }
    "give a file that `nasc search` or `nasc retrain` wrote, or one by the Python package safetensors"
        .to_owned()
}

/// What the file calls a tensor of the network.
struct Named<'m> {
    theirs: String,
    rule: Option<&'m Rule>,
}

/// A file's tensors against what a network needs.
struct Fit<'a> {
    file: &'a str,
    map: &'a NameMap,
    /// By the network's names.
    names: IndexMap<String, Named<'a>>,
    /// What the file calls the tensors of what training adds.
    training: BTreeSet<String>,
    tensors: &'a Weights,
}

impl Fit<'_> {
    fn problems(&self, misfits: Vec<Misfit>) -> Vec<Problem> {
        let (mut missing, mut sizes) = (Vec::new(), Vec::new());
        for misfit in misfits {
            match misfit {
                Misfit::Missing(needed) => missing.push(needed),
                Misfit::Shape { needed, found } => sizes.push((needed, format!("{found:?}"))),
                Misfit::Elements { needed, found } => {
                    sizes.push((needed, format!("{found} elements")));
                }
                Misfit::Type { needed, found } => sizes.push((needed, format!("of {found}"))),
                // `left_over` finds them under the names of the file.
                Misfit::Extra(_) => {}
            }
        }
        let left = self.left_over();
        let mut problems: Vec<Problem> = Vec::new();
        if !missing.is_empty() {
            problems.push(self.missing(&missing, &left).into());
        } else if !left.is_empty() {
            let (file, tensors) = (self.file.to_owned(), listed(&left));
            problems.push(LeftOver { file, tensors }.into());
        }
        if !sizes.is_empty() {
            problems.push(self.sizes(&sizes).into());
        }
        problems.extend(self.shared().map(Problem::from));
        problems
    }

    /// Names of tensors that neither the network nor its training asks for.
    fn left_over(&self) -> Vec<String> {
        let asked: BTreeSet<&str> = self.names.values().map(|n| n.theirs.as_str()).collect();
        let names = self.tensors.keys();
        let left = names.filter(|n| !asked.contains(n.as_str()) && !self.training.contains(*n));
        let left = left.filter(|n| !n.starts_with(OPTIMIZER));
        left.cloned().collect()
    }

    fn missing(&self, missing: &[NamedWeight], left: &[String]) -> Missing {
        let lines: Vec<String> = missing
            .iter()
            .map(|needed| {
                let dims = &needed.weight.dims;
                format!("{} {dims:?}{}", needed.name, self.alias(&needed.name))
            })
            .collect();
        let instead = if left.is_empty() {
            String::new()
        } else {
            format!("\nand holds, which the network does not have:{}", listed(left))
        };
        Missing {
            file: self.file.to_owned(),
            tensors: listed(&lines),
            instead,
            map: self.map.source().clone(),
            rules: self.labels(missing.iter().map(|needed| needed.name.as_str())),
            help: self.how_to_name(missing, left),
        }
    }

    /// The line of a name map that would help: a tensor that is left and alone has the sizes and
    /// the kind of one that is missing is probably that one.
    fn how_to_name(&self, missing: &[NamedWeight], left: &[String]) -> String {
        // A name with a `=` is a path of ours: that of a candidate which this network lacks.
        if left.iter().any(|name| is_step(name)) {
            return "these are weights that `nasc int8 --tune` has learned, of the folded network: `nasc export`, `int8` and \
                    `eval` take them"
                .to_owned();
        }
        if left.is_empty() || left.iter().any(|name| name.contains('=')) {
            return "give all weights of this network, or by `--arch` the network of these weights"
                .to_owned();
        }
        let guess = missing.iter().find_map(|needed| {
            let ours = TensorName::parse(&needed.name)?;
            let fitting = left.iter().filter_map(|name| {
                let theirs = TensorName::parse(name).filter(|theirs| theirs.part == ours.part)?;
                let dims = &self.tensors.get(name)?.dims;
                (*dims == needed.weight.dims).then_some(theirs)
            });
            let [only] = fitting.collect::<Vec<_>>()[..] else { return None };
            Some(format!("`{} = {}`", ours.node, only.owner()))
        });
        let line = guess.unwrap_or_else(|| "`NODE = NAME`".to_owned());
        if self.map.source().text().is_empty() {
            format!("say by `--names FILE` what the file calls them, a line for each node: {line}")
        } else {
            format!("correct the name map, such as by the line {line}")
        }
    }

    fn sizes(&self, misfits: &[(NamedWeight, String)]) -> Sizes {
        let lines: Vec<String> = misfits
            .iter()
            .map(|(needed, found)| {
                let alias = self.alias(&needed.name);
                format!("{}{alias} is {found}, not {:?}", needed.name, needed.weight.dims)
            })
            .collect();
        Sizes {
            file: self.file.to_owned(),
            tensors: listed(&lines),
            map: self.map.source().clone(),
            rules: self.labels(misfits.iter().map(|(needed, _)| needed.name.as_str())),
        }
    }

    fn shared(&self) -> Option<Shared> {
        let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (ours, Named { theirs, .. }) in &self.names {
            owners.entry(theirs).or_default().push(ours);
        }
        owners.retain(|_, ours| ours.len() > 1);
        let lines: Vec<String> = owners
            .iter()
            .flat_map(|(theirs, ours)| ours.iter().map(move |ours| format!("{theirs} is {ours}")))
            .collect();
        (!owners.is_empty()).then(|| Shared {
            tensors: listed(&lines),
            map: self.map.source().clone(),
            rules: self.labels(owners.values().flatten().copied()),
        })
    }

    /// ` (NAME in the file)` of a tensor that the map renames.
    fn alias(&self, ours: &str) -> String {
        match self.names.get(ours) {
            Some(Named { theirs, rule: Some(_) }) => format!(" ({theirs} in the file)"),
            _ => String::new(),
        }
    }

    /// A label for each rule that names one of these tensors.
    fn labels<'t>(&self, tensors: impl Iterator<Item = &'t str>) -> Vec<LabeledSpan> {
        let mut rules: BTreeMap<usize, LabeledSpan> = BTreeMap::new();
        for Named { theirs, rule } in tensors.filter_map(|ours| self.names.get(ours)) {
            if let Some(rule) = rule {
                let (text, at) = (format!("names {theirs}"), rule.name());
                let label = || LabeledSpan::new_with_span(Some(text), at.clone());
                rules.entry(at.start).or_insert_with(label);
            }
        }
        rules.into_values().take(LISTED).collect()
    }
}

/// Lines for a message, each below the last.
fn listed(lines: &[String]) -> String {
    let mut text: String = lines.iter().take(LISTED).map(|line| format!("\n  {line}")).collect();
    if let Some(more) = lines.len().checked_sub(LISTED).filter(|&more| more > 0) {
        text += &format!("\n  … and {more} more");
    }
    text
}

/// A network with fresh weights, as the operators state them ([`Initial`]). The same on every machine,
/// with or without libtorch.
#[must_use]
pub fn initial(network: Network, seed: u64) -> Model {
    let mut needed = Vec::new();
    for NamedWeight { name, weight } in network.weights() {
        needed.push((name, weight.dims, weight.initial));
    }
    let normal = needed.iter().filter(|(.., initial)| matches!(initial, Initial::Normal { .. }));
    let shapes: Vec<&[u32]> = normal.map(|(_, dims, _)| dims.as_slice()).collect();
    let mut normal = nas_tract::seeded_inputs(&shapes, seed).into_iter();
    let values = needed.into_iter().map(|(name, dims, initial)| {
        let data = match initial {
            Initial::Constant(value) => {
                vec![value; dims.iter().map(|&d| d as usize).product()]
            }
            Initial::Normal { std } => {
                let drawn = normal.next().and_then(Tensor::into_floats);
                let drawn = drawn.unwrap_or_else(|| fault("a kernel for which nothing was drawn"));
                drawn.into_iter().map(|v| (f64::from(v) * std) as f32).collect()
            }
        };
        (name, Tensor::of_floats(dims, data))
    });
    let weights = values.collect();
    Model { network, weights }
}

#[cfg(test)]
mod tests {
    use nas_grammar::Source;
    use nas_ir::Elements;

    use super::*;
    use crate::services::pick::named_network;

    const STEM: &str = "conv_bn_relu.0/conv.0.weight";

    fn network() -> Network {
        let file = nas_spaces::shipped().join("landcover_demo.nas");
        let (_, network) = named_network((&file).into(), None, "random:1").unwrap();
        network
    }

    /// The codes and the texts, labels among them, of what is wrong with changed weights.
    fn faults(change: impl FnOnce(&mut Weights), names: &str) -> (Vec<String>, String) {
        let Model { network, mut weights } = initial(network(), 0);
        change(&mut weights);
        let bytes = nas_safetensors::to_bytes(&weights, None).unwrap();
        let map = NameMap::parse(Source::new("a.names", names)).unwrap();
        match take(network, &bytes, "w.safetensors", &map) {
            Ok(_) => (Vec::new(), String::new()),
            Err(Failure::Problems(problems)) => {
                let codes = problems.iter().filter_map(|problem| problem.code());
                let texts =
                    problems.iter().map(|p| crate::render::report::render(p.as_ref(), false));
                (codes.map(|code| code.to_string()).collect(), texts.collect())
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn weights_of_the_network_are_taken_optimiser_state_is_left() {
        let state = Tensor::of_floats([1], vec![0.0]);
        let add = |weights: &mut Weights| {
            weights.insert("optimizer/x".to_owned(), state);
        };
        assert_eq!(faults(add, "").0, [""; 0]);
    }

    #[test]
    fn what_is_missing_left_or_of_another_size_is_said() {
        let (codes, text) = faults(|weights| drop(weights.swap_remove(STEM)), "");
        assert_eq!(codes, ["nas::weights::missing"]);
        assert!(text.contains(&format!("{STEM} [16, 3, 3, 3]")), "{text}");

        let extra = Tensor::of_floats([1], vec![0.0]);
        let add = |weights: &mut Weights| drop(weights.insert("extra.bias".to_owned(), extra));
        let (codes, text) = faults(add, "");
        assert_eq!(codes, ["nas::weights::left_over"]);
        assert!(text.contains("extra.bias"), "{text}");

        let (codes, text) = faults(|weights| weights[STEM].dims = vec![3, 16, 3, 3], "");
        assert_eq!(codes, ["nas::weights::sizes"]);
        assert!(text.contains(&format!("{STEM} is [3, 16, 3, 3], not [16, 3, 3, 3]")), "{text}");
    }

    #[test]
    fn a_renamed_tensor_comes_with_the_line_that_names_it() {
        let rename = |weights: &mut Weights| {
            let tensor = weights.swap_remove(STEM).unwrap();
            weights.insert("net.0.weight".to_owned(), tensor);
        };
        assert_eq!(faults(rename, "conv_bn_relu.0/conv.0 = net.0").0, [""; 0]);
        let (codes, text) = faults(rename, "");
        assert_eq!(codes, ["nas::weights::missing"]);
        assert!(text.contains("`conv_bn_relu.0/conv.0 = net.0`"), "{text}");
        let (codes, text) = faults(rename, "conv_bn_relu.0/conv.0 = net.1");
        assert_eq!(codes, ["nas::weights::missing"]);
        assert!(text.contains("a.names:1:25") && text.contains("names net.1.weight"), "{text}");
        assert!(text.contains("such as by the line `conv_bn_relu.0/conv.0 = net.0`"), "{text}");
    }

    #[test]
    fn one_name_for_two_tensors_is_pointed_at() {
        let head = "lr_aspp_global.0/lr_aspp_fuse.0/conv";
        let (codes, text) = faults(|_| {}, &format!("{head}.0 = one\n{head}.1 = one"));
        assert_eq!(codes, ["nas::weights::missing", "nas::weights::shared"]);
        assert!(text.contains(&format!("one.bias is {head}.1.bias")), "{text}");
        assert!(text.contains(&format!("2 │ {head}.1 = one")), "{text}");
    }

    #[test]
    fn what_is_no_weights_file_is_told_apart() {
        let code = |bytes: &[u8]| match tensors(bytes, "w") {
            Err(Failure::Problems(problems)) => {
                let help = problems[0].help().map(|help| help.to_string()).unwrap_or_default();
                (problems[0].code().unwrap().to_string(), help)
            }
            other => panic!("{other:?}"),
        };
        let whole = nas_safetensors::to_bytes(&initial(network(), 0).weights, None).unwrap();
        assert_eq!(code(&whole[..whole.len() / 2]).0, "nas::weights::cut_short");
        let (text, help) = code(b"conv = what");
        assert_eq!(text, "nas::weights::format");
        assert!(help.contains("nasc retrain"), "{help}");
        assert!(code(b"PK\x03\x04\0\0\x08\x08archive").1.contains("torch.load('w'"));
        let half = Tensor { dims: vec![1], elements: Elements::F16(vec![0]) };
        let half = Weights::from([("a.weight".to_owned(), half)]);
        let half = nas_safetensors::to_bytes(&half, None).unwrap();
        assert_eq!(code(&half).0, "nas::weights::element_type");
    }
}
