//! `nasc int8`: a trained network as a file of integers of 8 bits.

use nas_ir::Precision;
use nas_onnx::Numbers;
use nasc::commands::export::opset;
use nasc::commands::int8::Int8Args;
use nasc::render::report::Failure;
use nasc::services::foreign::is_onnx;
use nasc::services::form::{FileSize, OneSize, formed};
use nasc::services::onnx_file::{Making, TriedOn, onnx_file};
use nasc::services::pick::Which;
use nasc::services::provenance::provenance;
use nasc::services::weights_file;

use crate::integers::{Integers, integers};
use crate::package::pictures;
use crate::reference::libtorch;
use crate::scores::value_of;
use crate::training::Training;
use crate::{int8_model, integers_file};

/// Writes the ONNX file of integers, its verification report, its check record, and what it costs; on failure none.
///
/// # Errors
/// The inputs are at fault, the data cannot be read, or tract and libtorch do not agree.
pub(crate) fn run(args: &Int8Args) -> Result<(), Failure> {
    integers_file::check(args)?;
    if let (Some(option), None) = (args.steps.given(), args.rounding.tune.tune) {
        return Err(Failure::input(format!(
            "`{option}` is of training steps, and there are none without `--tune`"
        )));
    }
    if is_onnx(&args.file) {
        return int8_model::run(args);
    }
    args.sizes.refuse()?;
    let of_model = [("--data", args.data.is_some()), ("--expects", args.expects.is_some())];
    if let Some((option, _)) = of_model.into_iter().find(|(_, is_given)| *is_given) {
        return Err(Failure::input(format!(
            "`{option}` is for an ONNX file; a recipe says where data are"
        )));
    }
    let Int8Args { file, recipe, space, rounding, .. } = args;
    let missing = |option: &str| Failure::input(format!("say which network it is by `{option}`"));
    let arch = args.arch.as_deref().ok_or_else(|| missing("--arch"))?;
    let weights = args.weights.as_deref().ok_or_else(|| missing("--weights"))?;
    let (training, network) =
        Training::load_network(file, recipe, space.as_deref(), Which::Named(arch), None)?;
    let training = training.stepping(&args.steps)?;
    if args.form.size == FileSize::Dynamic {
        OneSize::refuse(&network, &training.space)?;
    }
    let asked = args.opset.map(nas_onnx::operator_set).transpose().map_err(Failure::problem)?;
    let opset = opset(asked, training.space.device.opset);
    nas_onnx::Integers::check(opset).map_err(Failure::problem)?;
    let model = weights_file::load_for_use(network, weights, args.names.as_deref())?;
    let expected = training.expected_with(&model.network, weights)?;
    let (model, mut form, expected) = formed(&args.form, model, Numbers::Float, expected)?;
    form.levels = rounding.integers();
    let name = args.output.file_stem().unwrap_or_default().to_string_lossy();
    let Integers { model, report, metric } = integers(&training, model, &form, rounding, &name)?;

    let weights = weights.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut provenance = provenance(&model.network, &training.sources, &weights, expected.as_ref());
    for (key, value) in [("fp32", report.fp32), ("int8", report.int8)] {
        provenance.push((format!("nasc.val.{}.{key}", report.metric), value.to_string()));
    }
    let pictures = pictures(&training)?;
    let making = Making {
        form: &form,
        opset,
        tolerance: args.tolerance,
        provenance,
        on: TriedOn::Pictures(&pictures),
    };
    let made = onnx_file(&model, &model, making, Some(&libtorch()))?;
    let (title, shown) = (metric.title(), |value| value_of(&metric, value));
    let (fp32, int8) = (shown(report.fp32), shown(report.int8));
    let mut lines = vec![format!("val {title}: {fp32} with floats, {int8} with integers")];
    for precision in [Precision::Fp32, Precision::Fp16] {
        let layers = report.floats.iter().filter(|layer| layer.precision == precision);
        let paths: Vec<&str> = layers.map(|layer| layer.path.as_str()).collect();
        if !paths.is_empty() {
            lines.push(format!("with {} all the same: {}", precision.name(), paths.join(", ")));
        }
    }
    let layers = report.layers.iter().map(|layer| (layer.path.as_str(), layer.decibels));
    integers_file::write(&args.output, &made, &report, &lines, layers)
}
