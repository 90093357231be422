//! Holds ONNX files of one network against each other in tract, on one thread: each round runs each file once, so that
//! what else the machine does meets all of them. `cargo xtask exports` runs it.
//!
//!     timings ROUNDS SIZES FILE...
//!
//! `SIZES` are those of the only input, such as `1x3x224x224`. Prints JSON: for each file how long each round took, in
//! seconds, or why tract refuses it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a part of the tests")]

use nas_tract::{Model, Tensor, TractError, seeded_inputs};
use serde_json::{Map, Value, json};

const WARMUP: usize = 5;
const SEED: u64 = 1;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rounds: usize = args[0].parse().unwrap();
    let dims: Vec<u32> = args[1].split('x').map(|size| size.parse().unwrap()).collect();
    let inputs = seeded_inputs(&[dims], SEED);
    let files = &args[2..];
    let models: Vec<Result<Model, String>> =
        files.iter().map(|path| load(path, &inputs).map_err(|error| error.to_string())).collect();
    let mut seconds = vec![Vec::new(); files.len()];
    for round in 0..rounds {
        // In another order each time.
        for place in (0..files.len()).map(|place| (place + round) % files.len()) {
            if let Ok(model) = &models[place] {
                let times = model.time(&inputs, 0, 1).unwrap();
                seconds[place].push(times[0].as_secs_f64());
            }
        }
    }
    let told = |place: usize| match &models[place] {
        Ok(_) => json!({"seconds": seconds[place]}),
        Err(why) => json!({"refused": why}),
    };
    let all: Map<String, Value> =
        files.iter().enumerate().map(|(place, path)| (path.clone(), told(place))).collect();
    println!("{}", Value::Object(all));
}

fn load(path: &str, inputs: &[Tensor]) -> Result<Model, TractError> {
    let sizes: Vec<Vec<u32>> = inputs.iter().map(|input| input.dims.clone()).collect();
    let model = Model::load_for(&std::fs::read(path).unwrap(), &sizes)?;
    model.time(inputs, WARMUP, 0)?;
    Ok(model)
}
