//! Weights from and to safetensors files, and weights made from a seed.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use nas_compiler::Network;
use nas_compiler::network::NamedWeight;
use nas_compiler::ops::{Op, Role};
use nas_compiler::weights::{Misfit, Tensor, Weights, misfits};
use safetensors::tensor::{Dtype, SafeTensors, View};

use crate::name_map::NameMap;
use crate::report::Failure;

/// PyTorch's counters of batches, which nothing reads.
const COUNTER: &str = ".num_batches_tracked";
/// State of an optimiser, which some files hold beside the weights.
const OPTIMIZER: &str = "optimizer/";
/// The key of the note in a file's metadata. One key only: with several, their order in the file
/// would be random.
const NOTE: &str = "nasc";
/// The most tensors of a kind that an error lists.
const LISTED: usize = 12;

/// The weights of a network from a safetensors file, under the names that the map gives them
/// there.
///
/// # Errors
/// The file cannot be read, or is not of this network: every tensor that is missing, has other
/// sizes, or that the network does not have.
pub fn load(network: &Network, path: &Path, names: Option<&Path>) -> Result<Weights, Failure> {
    let map = names.map(read_names).transpose()?.unwrap_or_default();
    let bytes = read_bytes(path)?;
    take(network, &bytes, &map)
        .map_err(|faults| Failure::input(format!("{}: {faults}", path.display())))
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::input(format!("cannot read {}: {error}", path.display())))
}

fn read_names(path: &Path) -> Result<NameMap, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::input(format!("cannot read {}: {error}", path.display())))?;
    NameMap::parse(&text).map_err(|faults| {
        Failure::input(format!("{} is no name map:\n  {}", path.display(), faults.join("\n  ")))
    })
}

/// The weights of a network from the bytes of a file; what is wrong with them, in words.
///
/// # Errors
/// As [`load`].
pub fn take(network: &Network, bytes: &[u8], map: &NameMap) -> Result<Weights, String> {
    let mut file: BTreeMap<String, Option<Tensor>> =
        tensors(bytes)?.into_iter().map(|(name, tensor)| (name, Some(tensor))).collect();
    let mut weights = Weights::new();
    let mut shared = Vec::new();
    for NamedWeight { name, .. } in network.weights() {
        let theirs = map.name_in_file(&name);
        match file.get_mut(&theirs).map(Option::take) {
            Some(Some(tensor)) => {
                weights.insert(name, tensor);
            }
            // An earlier tensor of the network took it.
            Some(None) => shared.push(format!("{name} (in the file: {theirs})")),
            None => {}
        }
    }
    let mut missing = Vec::new();
    let mut misshaped = Vec::new();
    for misfit in misfits(network, &weights) {
        match misfit {
            Misfit::Missing(NamedWeight { name, weight }) => {
                let theirs = map.name_in_file(&name);
                if !file.contains_key(&theirs) {
                    let alias =
                        if theirs == name { "" } else { &format!(" (in the file: {theirs})") };
                    missing.push(format!("{name} {:?}{alias}", weight.dims));
                }
            }
            Misfit::Shape { needed, found } => {
                misshaped.push(format!("{}: {found:?}, not {:?}", needed.name, needed.weight.dims));
            }
        }
    }
    let left = file.into_iter().filter(|(name, tensor)| {
        tensor.is_some() && !name.ends_with(COUNTER) && !name.starts_with(OPTIMIZER)
    });
    let unused: Vec<String> = left.map(|(name, _)| name).collect();
    let parts: Vec<String> = [
        ("missing", missing),
        ("of other sizes", misshaped),
        ("taken by two tensors of the network", shared),
        ("in the file only", unused),
    ]
    .into_iter()
    .filter_map(|(what, names)| listed(what, &names))
    .collect();
    if parts.is_empty() {
        return Ok(weights);
    }
    Err(format!("these weights are not of this network{}", parts.concat()))
}

fn listed(what: &str, names: &[String]) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let mut text = format!("\n  {} {what}:", names.len());
    for name in names.iter().take(LISTED) {
        text += &format!("\n    {name}");
    }
    if names.len() > LISTED {
        text += &format!("\n    … and {} more", names.len() - LISTED);
    }
    Some(text)
}

/// The tensors of a safetensors file, by name.
///
/// # Errors
/// The bytes are no safetensors file, or hold other than 32-bit floats (counters aside).
pub fn tensors(bytes: &[u8]) -> Result<Weights, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| format!("no safetensors file: {e}"))?;
    let mut tensors: Weights = Weights::new();
    let mut views = file.tensors();
    views.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    for (name, view) in views {
        if name.ends_with(COUNTER) {
            continue;
        }
        if view.dtype() != Dtype::F32 {
            return Err(format!("tensor `{name}` holds {}, not 32-bit floats", view.dtype()));
        }
        let dims: Result<Vec<u32>, _> = view.shape().iter().map(|&d| u32::try_from(d)).collect();
        let dims = dims.map_err(|_| format!("tensor `{name}` is too large"))?;
        let (elements, _) = view.data().as_chunks::<4>();
        let data = elements.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        tensors.insert(name, Tensor { dims, data });
    }
    Ok(tensors)
}

/// The note that [`to_bytes`] wrote, if there is one.
///
/// # Errors
/// The bytes are no safetensors file.
pub fn note(bytes: &[u8]) -> Result<Option<String>, String> {
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|e| format!("no safetensors file: {e}"))?;
    Ok(metadata.metadata().as_ref().and_then(|all| all.get(NOTE)).cloned())
}

/// The bytes of a safetensors file, with a note.
///
/// # Errors
/// A tensor whose elements do not fill its sizes.
pub fn to_bytes(weights: &Weights, note: Option<String>) -> Result<Vec<u8>, Failure> {
    let views = weights.iter().map(|(name, Tensor { dims, data })| {
        let dims = dims.iter().map(|&d| d as usize).collect();
        (name.as_str(), Floats { dims, data })
    });
    let metadata = note.map(|note| HashMap::from([(NOTE.to_owned(), note)]));
    safetensors::serialize(views, metadata)
        .map_err(|error| Failure::input(format!("cannot write tensors: {error}")))
}

struct Floats<'a> {
    dims: Vec<usize>,
    data: &'a [f32],
}

impl View for Floats<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.dims
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.data.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn data_len(&self) -> usize {
        size_of_val(self.data)
    }
}

/// Fresh weights: kernels normal with the variance 2 / fan-out of He et al. 2015, batch norms the
/// identity, biases 0. The same on every machine, with or without libtorch.
#[must_use]
pub fn initial(network: &Network, seed: u64) -> Weights {
    let nodes = network.nodes.iter();
    let needed: Vec<(NamedWeight, f64)> = nodes
        .flat_map(|node| {
            let deviation = node.op.as_ref().map_or(0.0, kernel_deviation);
            network.node_weights(node).into_iter().map(move |weight| (weight, deviation))
        })
        .collect();
    let kernels = needed.iter().filter(|(weight, _)| weight.weight.role == Role::Kernel);
    let shapes: Vec<&[u32]> = kernels.map(|(w, _)| w.weight.dims.as_slice()).collect();
    let mut normal = nas_tract::seeded_inputs(&shapes, seed).into_iter();
    let values = |role: Role, dims: Vec<u32>, deviation: f64, normal: Option<Tensor>| {
        let constant = match role {
            Role::Kernel | Role::Bias | Role::Shift | Role::RunningMean => 0.0,
            Role::Scale | Role::RunningVariance => 1.0,
        };
        match normal {
            Some(mut tensor) => {
                tensor.data.iter_mut().for_each(|v| *v = (f64::from(*v) * deviation) as f32);
                tensor
            }
            None => {
                let elements = dims.iter().map(|&d| d as usize).product();
                Tensor { dims, data: vec![constant; elements] }
            }
        }
    };
    let named = needed.into_iter().map(|(NamedWeight { name, weight }, deviation)| {
        let drawn = if weight.role == Role::Kernel { normal.next() } else { None };
        (name, values(weight.role, weight.dims, deviation, drawn))
    });
    named.collect()
}

/// The square root of 2 / fan-out (He et al. 2015, equation 14), where fan-out is the number of
/// outputs that read an input: `kh * kw * out / groups`.
fn kernel_deviation(op: &Op) -> f64 {
    let Op::Conv(conv) = op else { return 0.0 };
    let [kh, kw] = conv.kernel.map(f64::from);
    let fan_out = kh * kw * f64::from(conv.out) / f64::from(conv.groups.max(1));
    (2.0 / fan_out.max(1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_and_note_come_back() {
        let tensor = Tensor { dims: vec![2, 1], data: vec![1.5, -0.0] };
        let weights: Weights = [("a.weight".to_owned(), tensor)].into_iter().collect();
        let bytes = to_bytes(&weights, Some("x".to_owned())).unwrap();
        assert_eq!(tensors(&bytes).unwrap(), weights);
        assert_eq!(note(&bytes).unwrap().as_deref(), Some("x"));
        assert!(tensors(b"no").is_err());
    }
}
