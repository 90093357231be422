//! The teacher of a recipe, `retrain.teacher`: an ONNX file, run by tract.

use std::path::Path;
use std::rc::Rc;

use miette::{Diagnostic, SourceSpan};
use nas_grammar::Source;
use nas_ir::recipe::Recipe;
use nas_ir::recipe::common::RETRAIN;
use nas_ir::recipe::distillation::TEACHER;
use nas_ir::{DType, Space, Tensor};
use nas_search::Fault;
use nas_search::teacher::{Lesson, Teacher};
use nas_tract::{Model, Port};
use nasc::render::report::Failure;
use nasc::services::sources::within;
use rayon::prelude::*;
use thiserror::Error;

/// A file that cannot teach the networks of a space.
#[derive(Debug, Error, Diagnostic)]
#[error("`{file}` cannot teach the networks of `{space}`: {why}")]
#[diagnostic(code(nas::train::teacher))]
struct NoTeacher {
    file: String,
    space: String,
    why: String,
    #[source_code]
    recipe: Source,
    #[label("this is the teacher")]
    at: Option<SourceSpan>,
    #[help]
    help: String,
}

/// A teacher with the file that a run keeps of it.
pub(crate) struct Taken {
    pub(crate) teacher: Rc<dyn Teacher>,
    pub(crate) file: (String, Vec<u8>),
}

/// Reads the teacher that a recipe names, from the folder of its file.
///
/// # Errors
/// The file cannot be read, tract does not run it, or it takes or answers something else than the networks of the space.
pub(crate) fn read(
    space: &Space,
    recipe: &Recipe,
    folder: &Path,
) -> Result<Option<Taken>, Failure> {
    let Some(name) = &recipe.retrain.distillation.teacher else { return Ok(None) };
    let lesson = Lesson::of(space, recipe).map_err(Failure::problem)?;
    let refused = |Unable { why, help }| {
        let place = recipe.settings.place(RETRAIN.name, TEACHER.name).cloned();
        let (recipe, at) = match place {
            Some((source, span)) => (source, Some(span.into())),
            None => (Source::new("", ""), None),
        };
        let (file, space) = (name.clone(), space.name.clone());
        Failure::problem(NoTeacher { file, space, why, recipe, at, help })
    };
    let unread = |error: std::io::Error| Unable {
        why: error.to_string(),
        help: "its path is from the folder of the recipe's file".to_owned(),
    };
    let bytes = nas_files::read(&folder.join(name)).map_err(unread).map_err(refused)?;
    let model = able(&bytes, &lesson).map_err(refused)?;
    let teacher = Rc::new(OnnxTeacher { model });
    Ok(Some(Taken { teacher, file: (within(Path::new(name)), bytes) }))
}

/// Why a file cannot teach, and what to do about it.
struct Unable {
    why: String,
    help: String,
}

/// The model of a file, if it gives this lesson, image by image.
fn able(bytes: &[u8], Lesson { images, answer }: &Lesson) -> Result<Model, Unable> {
    let images: Vec<Vec<u32>> = images.iter().map(|image| image.batched(1)).collect();
    let unable = |why: String, help: &str| Unable { why, help: help.to_owned() };
    let model = Model::load_for(bytes, &images).map_err(|error| {
        let help = "give an ONNX file of 32-bit floats, such as one that `nasc export` wrote";
        unable(error.to_string(), help)
    })?;
    let mut ports = model.inputs().iter().chain(model.outputs().first());
    if let Some(Port { name, dtype, .. }) = ports.find(|port| port.dtype != DType::F32) {
        let why = format!("its `{name}` is of {dtype}");
        return Err(unable(
            why,
            "give an ONNX file whose inputs and first output are 32-bit floats",
        ));
    }
    if model.inputs().len() != images.len() {
        let (found, needed) = (model.inputs().len(), images.len());
        let why = format!("its inputs are {found}, and those of the space are {needed}");
        return Err(unable(why, "a teacher takes what the networks take, in the same order"));
    }
    let differs = |(port, image): &(&Port, &Vec<u32>)| port.dims != **image;
    if let Some((Port { name, dims, .. }, image)) = model.inputs().iter().zip(&images).find(differs)
    {
        let why = format!("its input `{name}` is {dims:?}, and an image in training is {image:?}");
        let help = "export it for images of that size and the batch 1, or with an open batch; the size is that of \
                    the input of the space, or `data.crop`";
        return Err(unable(why, help));
    }
    let answer = answer.batched(1);
    match model.outputs().first() {
        Some(Port { dims, .. }) if *dims == answer => Ok(model),
        Some(Port { name, dims, .. }) => {
            let why =
                format!("its output `{name}` is {dims:?}, and the networks answer {answer:?}");
            let help = "a teacher answers with the logits of the same classes, or the same values, in the same size: \
                        its first output is compared";
            Err(unable(why, help))
        }
        None => Err(unable("it has no output".to_owned(), "give a network that answers")),
    }
}

/// A model of one image at a time; its first output is the answer.
struct OnnxTeacher {
    model: Model,
}

impl Teacher for OnnxTeacher {
    fn answers(&self, images: &[Tensor]) -> Result<Tensor, Fault> {
        let batch = images.first().and_then(|images| images.dims.first().copied());
        let answers: Vec<Vec<f32>> = (0..batch.unwrap_or_default())
            .into_par_iter()
            .map(|number| self.answer(images, number as usize))
            .collect::<Result<_, _>>()?;
        let mut dims = self.model.outputs().first().map(|port| port.dims.clone());
        if let (Some([first, ..]), Some(batch)) = (dims.as_deref_mut(), batch) {
            *first = batch;
        }
        Ok(Tensor::of_floats(dims.unwrap_or_default(), answers.concat()))
    }
}

impl OnnxTeacher {
    /// The answer for the image of this number.
    fn answer(&self, images: &[Tensor], number: usize) -> Result<Vec<f32>, nas_tract::TractError> {
        let of_one = self.model.inputs().iter().zip(images).map(|(port, images)| {
            let len = port.dims.iter().map(|&size| size as usize).product::<usize>();
            let floats = images.floats().unwrap_or_default().chunks(len.max(1)).nth(number);
            Tensor::of_floats(port.dims.clone(), floats.unwrap_or_default().to_vec())
        });
        let answers = self.model.run(&of_one.collect::<Vec<_>>())?;
        let answer = answers.into_iter().next().and_then(Tensor::into_floats);
        Ok(answer.unwrap_or_default())
    }
}
