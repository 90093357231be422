//! `nasc export`: one network as ONNX, verified before it gets its name.

use std::path::{Path, PathBuf};

use clap::Args;
use nas_ir::{Opset, Precision};
use nas_onnx::Numbers;
use nas_passes::specialise;
use nas_tract::Tolerance;

use crate::render::costs::warn_of_memory;
use crate::render::report::Failure;
use crate::services::expected::Expected;
use crate::services::files::{check_written, write_together};
use crate::services::form::{FilePrecision, FileSize, FormArgs, OneSize, formed};
use crate::services::input::Input;
use crate::services::onnx_file::{Making, TriedOn, folded, onnx_file, tell_of_integers};
use crate::services::provenance::provenance;
use crate::services::recipe::RecipeArgs;
use crate::services::record::beside;
use crate::services::reference::{Reference, fresh};
use crate::services::rounding::RoundingArgs;
use crate::services::sources::sources;
use crate::services::verification::tolerance_parser;
use crate::services::{module, pick, weights_file};
use crate::{outln, tell};

/// What to do about outputs that differ.
const HELP: &str = "allow more by `--tolerance loose` if the difference is small enough for the use; \
                    else one of the engines is at fault: please report it with the file and the weights";

/// What to do about weights that amplify rounding.
const REMEDY_FRESH: &str =
    "these fresh weights say nothing of the file: take others by another `--seed`";
const REMEDY_TRAINED: &str = "no engine can agree with another on these weights: train longer, at a lower \
                              learning rate, or allow more by `--tolerance loose`";

/// Arguments of `nasc export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file.
    pub file: PathBuf,
    /// Which recipe says where the data are, of which a package tells how well its models do.
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// The network: an `arch` item, a JSON file, random:SEED, least:MEASURE or greatest:MEASURE.
    #[arg(long)]
    pub arch: String,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
    /// Its weights, a safetensors file; without it, fresh weights.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// How the weights file calls our tensors: lines `pattern = name`.
    #[arg(long, value_name = "FILE", requires = "weights")]
    pub names: Option<PathBuf>,
    /// Where the ONNX file goes.
    #[arg(short, long, value_name = "FILE", required_unless_present = "package")]
    pub output: Option<PathBuf>,
    /// What is written: an ONNX file, or a folder with a module of PyTorch and its weights.
    #[arg(long, value_enum, default_value_t, conflicts_with = "package")]
    pub format: Format,
    /// A folder for all that whoever runs the network needs: models by precision, test vectors, what they were made of and how
    /// well they do, examples.
    #[arg(long, value_name = "DIR", conflicts_with = "output", requires = "weights")]
    pub package: Option<PathBuf>,
    /// The licence of the weights, which goes into the package.
    #[arg(long, value_name = "FILE", requires = "package", conflicts_with = "output")]
    pub licence: Option<PathBuf>,
    /// The version of the ONNX operator set.
    #[arg(long, help = opset_help())]
    pub opset: Option<i64>,
    /// What numbers it computes with; without it, those of the target as far as they can be written.
    #[arg(long, value_enum, conflicts_with = "package")]
    pub precision: Option<FilePrecision>,
    /// In which form the file is.
    #[command(flatten)]
    pub form: FormArgs,
    /// How far tract may be from libtorch, relative to the largest value of an output: 0, 1e-5,
    /// 3e-4, 1e-2 or 5e-2. Without it `export`, and `coarse` of 16-bit floats.
    #[arg(long, value_name = "NAME", value_parser = tolerance_parser())]
    pub tolerance: Option<Tolerance>,
    /// How the integers of a package are chosen.
    #[command(flatten)]
    pub rounding: RoundingArgs,
    /// Verify the file on inputs of its own size, also where that is much to compute: over four billion multiply-accumulates.
    #[arg(long)]
    pub full: bool,
    /// Also a network of which an output depends on no input.
    #[arg(long)]
    pub constant: bool,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// An ONNX file.
    #[default]
    Onnx,
    /// A folder with a module of PyTorch.
    Pytorch,
}

impl ExportArgs {
    /// Refuses options that say nothing of what is written.
    fn check_options(&self) -> Result<(), Failure> {
        if let Some(option) = self.recipe.given() {
            return Err(Failure::input(format!(
                "`{option}` says nothing of a file, which is made of a network and its weights alone; a `--package` has what the data \
                 of a recipe tell"
            )));
        }
        if self.weights.is_some() && self.recipe.seed.is_some() {
            return Err(Failure::input(
                "`--seed` is of fresh weights, and `--weights` names others",
            ));
        }
        if self.rounding.is_given() {
            return Err(Failure::input(
                "how integers are chosen says nothing of a file of floats: `nasc int8` writes one of integers",
            ));
        }
        let of_a_file = [
            ("the form of a file", self.form.is_given()),
            ("`--opset`", self.opset.is_some()),
            ("`--precision`", self.precision.is_some()),
            ("`--tolerance`", self.tolerance.is_some()),
            ("`--full`", self.full),
        ];
        match of_a_file.into_iter().find(|(_, is_given)| *is_given) {
            Some((what, _)) if self.format == Format::Pytorch => Err(Failure::input(format!(
                "{what} says nothing of a module of PyTorch: it has the network as it was trained"
            ))),
            _ => Ok(()),
        }
    }
}

/// Writes the ONNX file, its verification report and its check record; on failure none.
///
/// # Errors
/// The network or its weights are at fault, or tract and the reference do not agree.
pub fn run(args: &ExportArgs, reference: Option<&Reference>) -> Result<(), Failure> {
    let ExportArgs { file, output: Some(output), .. } = args else {
        return Err(Failure::input(
            "this build has no libtorch, and a package is made by it: name a file by `-o`",
        ));
    };
    args.check_options()?;
    let seed = args.recipe.seed.unwrap_or_default();
    let asked = args.opset.map(nas_onnx::operator_set).transpose().map_err(Failure::problem)?;
    let (network, opset, precision, sources) =
        Input::with(args.recipe.drop.of(file), |program, compiler| {
            check_output(args, output, compiler.sources().map(|source| Path::new(source.name())))?;
            let named = pick::network(program, compiler, args.space.as_deref(), &args.arch)?;
            let network = specialise(&named.space, &named.assignment);
            if !(args.constant || network.reads_input()) {
                return Err(Failure::input(format!(
                    "{}: an output of `{}` depends on no input, so that it is the same for all; \
                 `--constant` exports it all the same",
                    file.display(),
                    args.arch
                )));
            }
            if args.form.size == FileSize::Dynamic {
                OneSize::refuse(&network, &named.space)?;
            }
            warn_of_memory(&named.space, &nas_analysis::costs(&network));
            let device = &named.space.device;
            Ok((network, opset(asked, device.opset), device.precision, sources(compiler)))
        })?;
    let (model, origin) = match &args.weights {
        Some(path) => {
            let model = weights_file::load_for_use(network, path, args.names.as_deref())?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (model, name.into_owned())
        }
        None => {
            tell!("note: no --weights, so the network has fresh ones of seed {seed}");
            fresh(network, seed, reference)?
        }
    };
    if args.format == Format::Pytorch {
        module::write(output, &model)?;
        outln!("{}", output.display())?;
        return Ok(());
    }
    let expected = args.weights.as_deref().and_then(Expected::beside);
    tell_of_integers(&model.network);
    let numbers = numbers(args.precision, precision);
    let (model, form, expected) = formed(&args.form, model, numbers, expected)?;
    let provenance = provenance(&model.network, &sources, &origin, expected.as_ref());
    let tolerance = args.tolerance.unwrap_or_else(|| form.tolerance());
    let on = if args.full { TriedOn::Whole } else { TriedOn::Drawn };
    let making = Making { form: &form, opset, tolerance, provenance, on };
    let made = onnx_file(&model, &folded(model.clone())?, making, reference)?;
    let [report, check] = beside(output);
    if !made.report.report.passed {
        // What an earlier export left under these names is not what was asked for now.
        for path in [output, &report, &check] {
            let _ = std::fs::remove_file(path);
        }
        let remedy = if args.weights.is_some() { REMEDY_TRAINED } else { REMEDY_FRESH };
        return Err(made.report.failure(&output.display().to_string(), HELP, remedy));
    }
    let mut json =
        serde_json::to_vec_pretty(&made.report).map_err(|e| Failure::input(e.to_string()))?;
    json.push(b'\n');
    write_together(&[(&check, &made.record.to_bytes()?), (&report, &json), (output, &made.onnx)])?;
    tell!("{}", made.report.summary());
    if let Some(doubt) = made.report.doubt() {
        tell!("{doubt}");
    }
    for path in [output, &report, &check] {
        outln!("{}", path.display())?;
    }
    Ok(())
}

fn opset_help() -> String {
    let default = Opset::default();
    format!(
        "The version of the ONNX operator set; without it, that of the space's target, or {default}"
    )
}

/// The operator set to write in: that which was asked for, else that of the target. Warns where the
/// target reads another one than was asked for.
pub fn opset(asked: Option<Opset>, target: Option<Opset>) -> Opset {
    if let (Some(asked), Some(target)) = (asked, target)
        && asked != target
    {
        tell!(
            "warning: the file is in ONNX operator set {asked}, as `--opset` says; the target of the \
             space reads {target}"
        );
    }
    asked.or(target).unwrap_or_default()
}

/// The numbers that were asked for, else those of the target.
fn numbers(asked: Option<FilePrecision>, target: Precision) -> Numbers {
    match (asked, target) {
        (Some(FilePrecision::Fp32), _) | (None, Precision::Fp32) => Numbers::Float,
        (Some(FilePrecision::Fp16), _) | (None, Precision::Fp16) => Numbers::Half,
        (None, Precision::Int8) => Numbers::Float,
    }
}

/// Refuses places where the files cannot or should not be written, before the work is done.
fn check_output<'p>(
    args: &'p ExportArgs,
    output: &Path,
    sources: impl Iterator<Item = &'p Path>,
) -> Result<(), Failure> {
    let given = [&args.weights, &args.names].into_iter().flatten().map(PathBuf::as_path);
    let read = sources.chain(given).chain([Path::new(&args.arch)]);
    if args.format == Format::Pytorch {
        let place = Some(output.to_owned()).filter(|output| !output.is_dir());
        check_written(place.into_iter().chain(module::paths(output)), read)?;
        return module::check(output);
    }
    check_written([output.to_owned()].into_iter().chain(beside(output)), read)
}

#[cfg(test)]
mod tests {
    use nas_ir::fnv::fnv1a;
    use nas_ir::{Model, Tensor};
    use nas_onnx::Options;

    use super::*;
    use crate::services::reference::{Calibrate, Run};

    /// tract once more, a little off.
    fn off(model: &Model, inputs: &[Tensor]) -> Result<Vec<Tensor>, Failure> {
        let onnx = nas_onnx::emit(model, &Options::default()).unwrap();
        let mut outputs = nas_tract::Model::load(&onnx).unwrap().run(inputs).unwrap();
        let values = outputs.iter_mut().flat_map(|tensor| tensor.floats_mut().unwrap());
        values.for_each(|value| *value *= 1.000_001);
        Ok(outputs)
    }

    /// tract, with a mistake that any change of the input makes another one.
    fn chaotic(model: &Model, inputs: &[Tensor]) -> Result<Vec<Tensor>, Failure> {
        let bytes: Vec<u8> = inputs
            .iter()
            .filter_map(Tensor::floats)
            .flatten()
            .flat_map(|x| x.to_le_bytes())
            .collect();
        let wrong = 1.01 + (fnv1a(&bytes) % 7) as f32 / 1e2;
        let mut outputs = off(model, inputs)?;
        let values = outputs.iter_mut().flat_map(|tensor| tensor.floats_mut().unwrap());
        values.for_each(|value| *value *= wrong);
        Ok(outputs)
    }

    fn export(output: PathBuf, tolerance: Tolerance) -> Result<(), Failure> {
        export_by(off, output, tolerance)
    }

    fn export_by(engine: Run, output: PathBuf, tolerance: Tolerance) -> Result<(), Failure> {
        let args = ExportArgs {
            recipe: RecipeArgs::default(),
            format: Format::Onnx,
            package: None,
            full: false,
            licence: None,
            rounding: RoundingArgs::default(),
            file: nas_spaces::shipped().join("landcover_demo.nas"),
            arch: "random:1".to_owned(),
            space: None,
            weights: None,
            names: None,
            output: Some(output),
            opset: None,
            precision: None,
            form: FormArgs::default(),
            tolerance: Some(tolerance),
            constant: false,
        };
        let calibrate: Calibrate = |model, _| Ok(model);
        run(&args, Some(&Reference { name: "a test".to_owned(), run: engine, calibrate }))
    }

    fn code_and_text(failed: Result<(), Failure>) -> (String, String) {
        let Err(Failure::Problems(problems)) = failed else { panic!("{failed:?}") };
        let code = problems[0].code().map(|code| code.to_string());
        (code.unwrap(), format!("{} {}", problems[0], problems[0].help().unwrap()))
    }

    /// A reference that is as far from itself as from tract is no proof of a fault.
    #[test]
    fn weights_that_amplify_rounding_are_told_from_faults() {
        let dir = tempfile::tempdir().unwrap();
        let output = || dir.path().join("net.onnx");
        let (code, text) = code_and_text(export_by(chaotic, output(), Tolerance::Export));
        assert_eq!(code, "nas::verify::ill_conditioned");
        assert!(text.contains("another `--seed`") && !text.contains("report"), "{text}");
        let (code, _) = code_and_text(export(output(), Tolerance::Exact));
        assert_eq!(code, "nas::verify::differs");
    }

    #[test]
    fn outputs_that_differ_leave_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let output = dir.path().join("net.onnx");
        let files = || std::fs::read_dir(dir.path()).unwrap().count();
        export(output.clone(), Tolerance::Export).unwrap();
        assert_eq!(files(), 3);
        let exact = export(output, Tolerance::Exact);
        let Err(Failure::Problems(problems)) = &exact else { panic!("{exact:?}") };
        let text = problems[0].to_string();
        assert!(text.contains("does not answer as a test does"), "{text}");
        assert!(text.contains("output `logits` on the input of seed 1: differs by"), "{text}");
        assert_eq!((files(), exact.unwrap_err().report()), (0, 1));
    }
}
