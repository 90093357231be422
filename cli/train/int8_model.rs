//! `nasc int8` of a model that others made: one whose operators are all ours becomes a file of integers, by pictures in a
//! folder. Nothing is known of what it is for, so that what integers cost is told by how far its outputs move.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use image::imageops::FilterType;
use nas_ir::{Model, Network, Shape, Tensor};
use nas_onnx::Numbers;
use nas_quantise::{Grids, Plan, calibrated, correct_biases, equalise, sensitivity};
use nasc::commands::export::opset;
use nasc::commands::int8::Int8Args;
use nasc::render::bar::Bar;
use nasc::render::report::{Failure, counted};
use nasc::services::definitions;
use nasc::services::foreign::ForeignFile;
use nasc::services::form::{Form, NormaliseArg, formed};
use nasc::services::npy;
use nasc::services::onnx_file::{Making, TriedOn, folded, onnx_file};
use nasc::services::reference::Reference;
use nasc::services::source::io_reason;
use nasc::tell;
use serde_json::json;

use crate::integers_file;
use crate::reference::libtorch;

/// How many pictures are run at once, and how many tell what a layer loses, and what a bias is off by.
const AT_ONCE: usize = 16;
const FEW: usize = 64;
/// How many there are to try the file on.
const TRIED: usize = 8;
/// What a byte stands for that is white.
const WHITE: f32 = 255.0;

/// Writes the ONNX file of integers, its report, its record, and what integers cost; on failure none.
///
/// # Errors
/// An operator is not ours, the pictures cannot be read, or tract and libtorch do not agree.
pub(crate) fn run(args: &Int8Args) -> Result<(), Failure> {
    let data = refused(args)?;
    let asked = args.opset.map(nas_onnx::operator_set).transpose().map_err(Failure::problem)?;
    let opset = opset(asked, None);
    nas_onnx::Integers::check(opset).map_err(Failure::problem)?;
    let file = ForeignFile::read(&args.file)?;
    let network = definitions::network(&file, &args.sizes.sizes())?.model;
    let expects = args.expects.as_ref().or(args.form.normalise.as_ref());
    let pictures = pictures(data, &network.network, args.rounding.images, expects)?;
    tell!("{}: {}", data.display(), counted(pictures.len(), "picture"));

    let (model, mut form, _) = formed(&args.form, network, Numbers::Float, None)?;
    form.levels = args.rounding.integers();
    let mut floats = folded(model)?;
    if args.rounding.equalise {
        floats = equalise(floats);
    }
    let reference = libtorch();
    let work = Work { args, batches: batches(&floats, &form, &pictures)?, floats, reference };
    let (model, layers) = work.rounded()?;
    let decibels = work.decibels(&model)?;

    let name = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let provenance = vec![("nasc.model".to_owned(), name)];
    let tried: Vec<Vec<Tensor>> =
        pictures.into_iter().take(TRIED).map(|picture| vec![picture]).collect();
    let making = Making {
        form: &form,
        opset,
        tolerance: args.tolerance,
        provenance,
        on: TriedOn::Pictures(&tried),
    };
    let made = onnx_file(&model, &model, making, Some(&work.reference))?;
    let told = |(path, decibels): &(String, f64)| json!({"path": path, "decibels": decibels});
    let layers_told: Vec<_> = layers.iter().map(told).collect();
    let report = json!({"outputs": decibels, "layers": layers_told});
    let line = |(port, decibels): (&String, &f64)| {
        format!("`{port}`: {decibels:.1} dB above what integers change")
    };
    let lines: Vec<String> = decibels.iter().map(line).collect();
    let layers = layers.iter().map(|(path, decibels)| (path.as_str(), *decibels));
    integers_file::write(&args.output, &made, &report, &lines, layers)
}

/// The folder of the pictures, if no option is given that an ONNX file has no use for.
fn refused(args: &Int8Args) -> Result<&Path, Failure> {
    let given = [
        ("--arch", args.arch.is_some()),
        ("--space", args.space.is_some()),
        ("--weights", args.weights.is_some()),
        ("--names", args.names.is_some()),
        ("--seed", args.recipe.seed.is_some()),
        ("--within", args.rounding.within.is_some()),
        ("--tune", args.rounding.tune.tune.is_some()),
    ];
    let given = given.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option);
    if let Some(option) = given.or(args.recipe.given()) {
        return Err(Failure::input(format!(
            "`{option}` is for networks of a space, not for an ONNX file"
        )));
    }
    let data = args.data.as_deref();
    data.ok_or_else(|| Failure::input("name a folder of pictures for the model by `--data`"))
}

/// A model of floats that is made one of integers.
struct Work<'a> {
    args: &'a Int8Args,
    floats: Model,
    /// Pictures as the file takes them, in batches.
    batches: Vec<Vec<Tensor>>,
    reference: Reference,
}

impl Work<'_> {
    fn few(&self) -> &[Vec<Tensor>] {
        let batches = self.batches.len().min(FEW.div_ceil(AT_ONCE));
        self.batches.get(..batches).unwrap_or_default()
    }

    /// The model of integers, and what each layer loses, if that is asked for.
    fn rounded(&self) -> Result<(Model, Vec<(String, f64)>), Failure> {
        let rounding = &self.args.rounding;
        let scheme = rounding.scheme();
        let plan = Plan::of(&self.floats.network, &BTreeMap::new());
        let bar = Bar::new()?;
        let (mut done, of) = (0, 2 * self.batches.len());
        let mut run = |model: &Model, inputs: &[Tensor]| {
            done += 1;
            if bar.step("watch values", done.min(of), of).is_break() {
                return Err(Failure::Interrupted);
            }
            (self.reference.run)(model, inputs)
        };
        let values =
            calibrated(&self.floats, &plan, (rounding.method, scheme), &self.batches, &mut run);
        bar.finish();
        let grids = Grids::of(scheme, &self.floats, &plan, values?);
        let mut model = grids.rounded(self.floats.clone(), &plan);
        let mut run = |model: &Model, inputs: &[Tensor]| (self.reference.run)(model, inputs);
        let bar = Bar::new()?;
        if !rounding.keep_biases {
            model =
                correct_biases(&self.floats, model, &plan, self.few(), &mut run, |done, of| {
                    let _ = bar.step("correct biases", done, of);
                })?;
        }
        let mut layers = Vec::new();
        if rounding.sensitivity {
            layers = sensitivity(&self.floats, &plan, &grids, self.few(), &mut run, |done, of| {
                let _ = bar.step("layer by layer", done, of);
            })?;
        }
        bar.finish();
        Ok((model, layers.into_iter().map(|it| (it.path, it.decibels)).collect()))
    }

    /// By how many decibels the power of each output is above that of what integers change, on the pictures.
    fn decibels(&self, model: &Model) -> Result<BTreeMap<String, f64>, Failure> {
        let ports = &self.floats.network.outputs;
        let mut powers = vec![[0.0_f64; 2]; ports.len()];
        for batch in &self.batches {
            let [exact, rounded] =
                [&self.floats, model].map(|model| (self.reference.run)(model, batch));
            let (exact, rounded) = (exact?, rounded?);
            for (power, (exact, rounded)) in powers.iter_mut().zip(exact.iter().zip(&rounded)) {
                let [exact, rounded] = [exact, rounded].map(|it| it.floats().unwrap_or_default());
                for (&exact, &rounded) in exact.iter().zip(rounded) {
                    let (exact, rounded) = (f64::from(exact), f64::from(rounded));
                    *power = [power[0] + exact * exact, power[1] + (exact - rounded).powi(2)];
                }
            }
        }
        let told = ports.iter().zip(powers).map(|(port, [signal, noise])| {
            (port.name.clone(), 10.0 * (signal / noise.max(f64::MIN_POSITIVE)).log10())
        });
        Ok(told.collect())
    }
}

/// Pictures in batches, as the file takes them.
fn batches(model: &Model, form: &Form, pictures: &[Tensor]) -> Result<Vec<Vec<Tensor>>, Failure> {
    let [port] = model.network.inputs.as_slice() else {
        return Err(Failure::input(
            "a model of several inputs cannot be watched on pictures of one folder",
        ));
    };
    let batch = |some: &[Tensor]| {
        let floats = some.iter().filter_map(Tensor::floats).flatten().copied().collect();
        let mut dims = some.first().map(|one| one.dims.clone()).unwrap_or_default();
        dims.iter_mut().take(1).for_each(|batch| *batch = some.len() as u32);
        vec![form.given(&port.name, &Tensor::of_floats(dims, floats))]
    };
    Ok(pictures.chunks(AT_ONCE).map(batch).collect())
}

/// The first pictures of a folder, by their names, as the model takes them: `(value / 255 - mean) / std`, in its size; arrays
/// (`.npy`) as they are.
fn pictures(
    folder: &Path,
    network: &Network,
    most: u32,
    expects: Option<&NormaliseArg>,
) -> Result<Vec<Tensor>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::input(format!("{}: {}", folder.display(), io_reason(&error)))
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.retain(|path| path.is_file());
    paths.sort();
    paths.truncate(most as usize);
    if paths.is_empty() {
        return Err(Failure::input(format!("{} holds no pictures", folder.display())));
    }
    let shape = network.inputs.first().map(|port| network.port_shape(port));
    let shape = shape.ok_or_else(|| Failure::input("the model has no input"))?;
    paths.iter().map(|path| picture(path, shape, expects)).collect()
}

fn picture(
    path: &PathBuf,
    shape: Shape,
    expects: Option<&NormaliseArg>,
) -> Result<Tensor, Failure> {
    let failed = |why: String| Failure::input(format!("{}: {why}", path.display()));
    if path.extension().is_some_and(|ending| ending == "npy") {
        let bytes = nas_files::read(path).map_err(|error| failed(io_reason(&error)))?;
        let array = npy::from_bytes(&bytes).map_err(failed)?;
        let fits = array.dims == shape.dims() || array.dims == shape.batched(1);
        let floats = array.into_floats().filter(|_| fits);
        let floats = floats.ok_or_else(|| failed(format!("it is no array of floats {shape}")))?;
        return Ok(Tensor::of_floats(shape.batched(1), floats));
    }
    let (Some([height, width]), channels @ (1 | 3)) = (shape.plane(), shape.channels()) else {
        return Err(failed(format!("no picture is {shape}; give arrays, `.npy`")));
    };
    let image = image::open(path).map_err(|error| failed(error.to_string()))?;
    let image = image.resize_exact(width, height, FilterType::Triangle);
    let bytes =
        if channels == 1 { image.to_luma8().into_raw() } else { image.to_rgb8().into_raw() };
    let (mean, std) = expects.and_then(NormaliseArg::given).unwrap_or((&[], &[]));
    if !mean.is_empty() && mean.len() != channels as usize {
        return Err(Failure::input(format!(
            "the model has {channels} channels, and the means are {}",
            mean.len()
        )));
    }
    let plane = |channel: usize| {
        let mean = mean.get(channel).copied().unwrap_or(0.0);
        let std = std.get(channel).copied().unwrap_or(1.0);
        let own = bytes.iter().skip(channel).step_by(channels as usize);
        own.map(move |&byte| (f32::from(byte) / WHITE - mean) / std)
    };
    let floats = (0..channels as usize).flat_map(plane).collect();
    Ok(Tensor::of_floats(shape.batched(1), floats))
}
