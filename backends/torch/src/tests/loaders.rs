//! The way of batches to the device.

use nas_data::{Batch, Dataset, Images, Size, Targets};
use nas_ir::recipe::Recipe;
use nas_ir::{Shape, Task};
use nas_search::strategies::gumbel;
use nas_search::task::{Trainable, TrainableInput};
use tch::{Device, Kind};

use crate::loaders::Loaders;

#[test]
fn targets_of_every_kind_come_in_their_shape() {
    let dir = nas_testing::folder();
    let dataset = Dataset::open(dir.path()).unwrap();
    let recipe = Recipe::default_for("s", &gumbel::SCHEMA).unwrap();
    let input = TrainableInput { name: "image".to_owned(), shape: Shape::from([3, 2, 4]) };
    let task = Task::Classification { classes: 4 };
    let shown = Trainable { task, inputs: vec![input], times: 2 };
    let loaders = Loaders::new(&dataset, &recipe, &shown, 2, 1.0, Device::Cpu).unwrap();
    let numbers: Vec<f32> = (0..48_u8).map(f32::from).collect();
    let whole = |count: i64| (0..count).collect::<Vec<i64>>();
    for (targets, sizes, kind) in [
        (Targets::ClassMaps(whole(16)), vec![2, 2, 4], Kind::Int64),
        (Targets::Classes(whole(2)), vec![2], Kind::Int64),
        (
            Targets::Maps {
                values: numbers[..32].to_vec(),
                channels: 1,
                size: Size { height: 4, width: 4 },
            },
            vec![2, 1, 4, 4],
            Kind::Float,
        ),
        (Targets::Vectors { values: numbers[..10].to_vec(), len: 5 }, vec![2, 5], Kind::Float),
    ] {
        let count = sizes.iter().product::<i64>();
        let size = Size { height: 2, width: 4 };
        let inputs = vec![Images { values: numbers.clone(), channels: 3 }];
        let stems = vec![String::new(); 2];
        let batch = Batch { inputs, targets, n: 2, size, stems };
        let (inputs, targets) = loaders.upload().tensors(&batch).unwrap();
        assert_eq!(inputs[0].size(), [2, 3, 2, 4]);
        assert_eq!((targets.values.size(), targets.values.kind()), (sizes, kind));
        let last = targets.values.view([-1]).double_value(&[count - 1]);
        assert_eq!(last, (count - 1) as f64, "in the order of the batch");
    }
}
