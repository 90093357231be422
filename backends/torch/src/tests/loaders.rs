//! The way of batches to the device.

use nas_data::{Batch, Dataset, Size, Targets};
use nas_ir::recipe::Recipe;
use nas_ir::{Shape, Task};
use nas_search::strategies::gumbel;
use tch::{Device, Kind};

use crate::loaders::Loaders;

#[test]
fn targets_of_every_kind_come_in_their_shape() {
    let dir = nas_testing::folder();
    let dataset = Dataset::open(dir.path()).unwrap();
    let recipe = Recipe::default_for("s", &gumbel::SCHEMA).unwrap();
    let shown = (Task::Classification { classes: 4 }, Shape::from([3, 2, 4]));
    let loaders = Loaders::new(&dataset, &recipe, shown, 2, 1.0, Device::Cpu).unwrap();
    let numbers: Vec<f32> = (0..48_u8).map(f32::from).collect();
    let whole = |count: i64| (0..count).collect::<Vec<i64>>();
    for (targets, sizes, kind) in [
        (Targets::ClassMaps(whole(16)), vec![2, 2, 4], Kind::Int64),
        (Targets::Classes(whole(2)), vec![2], Kind::Int64),
        (Targets::Images(numbers.clone()), vec![2, 3, 2, 4], Kind::Float),
        (Targets::Vectors { values: numbers[..10].to_vec(), len: 5 }, vec![2, 5], Kind::Float),
    ] {
        let count = sizes.iter().product::<i64>();
        let size = Size { height: 2, width: 4 };
        let images = numbers.clone();
        let stems = vec![String::new(); 2];
        let batch = Batch { images, targets, n: 2, channels: 3, size, stems };
        let (images, targets) = loaders.upload().tensors(&batch).unwrap();
        assert_eq!(images.size(), [2, 3, 2, 4]);
        assert_eq!((targets.values.size(), targets.values.kind()), (sizes, kind));
        let last = targets.values.view([-1]).double_value(&[count - 1]);
        assert_eq!(last, (count - 1) as f64, "in the order of the batch");
    }
}
