//! Each proxy against its formula, on networks small enough to be computed by hand.

use nas_ir::ops::Role;
use nas_ir::recipe::Initialisation;
use nas_ir::{Network, Shape, Task};
use nas_search::proxy::Proxy;
use nas_search::work::Work;
use tch::{Device, Kind, Tensor};

use super::common::Found;
use super::{TorchProxies, gradients, jacobian, naswot, synflow, zen};
use crate::network::TorchNetwork;
use crate::statistics::Statistics;
use crate::task::{Criterion, DeviceTargets};
use crate::tests::build::network as specialised;
use crate::tests::source::space;

/// The network of this body, from images of this shape to logits of two classes.
fn network(image: [u32; 3], body: &str) -> Network {
    let uses = if body.contains("conv_bn_relu") { "use std.blocks.{conv_bn_relu}\n" } else { "" };
    let text = format!(
        "{uses}space s {{ input image: [{}, {}, {}]\n task classification(2)\n \
         output logits = image -> {body} }}",
        image[0], image[1], image[2],
    );
    specialised(&space(&text), &[])
}

fn torch(network: &Network) -> TorchNetwork {
    TorchNetwork::new(network, 3, Device::Cpu).unwrap()
}

/// Images `[N, C, 1, 1]`.
fn pixels<const C: usize>(values: &[[f32; C]]) -> Tensor {
    Tensor::from_slice(values.as_flattened()).view([values.len() as i64, C as i64, 1, 1])
}

fn targets(classes: &[i64]) -> DeviceTargets {
    let criterion = Criterion::of(Task::Classification { classes: 2 });
    DeviceTargets { values: Tensor::from_slice(classes), criterion }
}

/// The values of the parameters of a role, tensor by tensor.
fn values(network: &TorchNetwork, role: Role) -> Vec<Vec<f64>> {
    let weights = network.weights().unwrap();
    let specs = network.parameters.specs().filter(|(_, spec)| spec.role == role);
    let floats = specs.map(|(_, spec)| weights[&spec.name].floats().unwrap());
    floats.map(|floats| floats.iter().map(|&value| f64::from(value)).collect()).collect()
}

fn near(found: Found, expected: f64) {
    let found = found.unwrap();
    assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{found} is not {expected}");
}

/// Where every path goes through each of L kernels once, `theta * dR / dtheta` of each sums to R, and so to L R in all.
#[test]
fn synflow_is_the_flow_through_each_layer() {
    let network = network([3, 2, 2], "conv(4, kernel = 1) -> relu -> global_avg_pool -> linear(2)");
    let torch = torch(&network);
    let kernels = values(&torch, Role::Kernel);
    let [first, second] = kernels.as_slice() else { panic!("{kernels:?}") };
    let mut flow = 0.0;
    for hidden in 0..4 {
        let into: f64 = (0..3).map(|c| first[hidden * 3 + c].abs()).sum();
        let out: f64 = (0..2).map(|o| second[o * 4 + hidden].abs()).sum();
        flow += into * out;
    }
    assert!(first.iter().any(|weight| *weight < 0.0));
    near(synflow::synflow(torch, Device::Cpu).unwrap(), (2.0 * flow).ln());
}

#[test]
fn synflow_goes_through_deep_networks_and_not_through_none() {
    let deep =
        network([3, 4, 4], "repeat 60 { conv(64, kernel = 3) } -> global_avg_pool -> linear(2)");
    // Single precision ends at e^88.
    assert!(synflow::synflow(torch(&deep), Device::Cpu).unwrap().unwrap() > 100.0);
    let normed = network([3, 4, 4], "conv_bn_relu(4, kernel = 3) -> global_avg_pool -> linear(2)");
    assert!(synflow::synflow(torch(&normed), Device::Cpu).unwrap().unwrap().is_finite());
}

/// Two units; of three images the first sets both, the second one and the third none, so that K is
/// `[[2, 1, 0], [1, 2, 1], [0, 1, 2]]`, with the determinant 4.
#[test]
fn naswot_is_the_determinant_of_what_images_set_alike() {
    let network = network([2, 1, 1], "relu -> global_avg_pool -> linear(2)");
    let images = pixels(&[[1.0, 0.5], [2.0, -1.0], [-0.1, -3.0]]);
    near(naswot::naswot(&torch(&network), &[images.shallow_clone()]).unwrap(), 4f64.ln());
    let alike = pixels(&[[1.0, 0.5], [2.0, 0.1]]);
    let said = naswot::naswot(&torch(&network), &[alike]).unwrap().unwrap_err();
    assert_eq!(said, "two images set all of its rectifiers alike");
}

#[test]
fn naswot_counts_every_kind_of_rectifier_and_needs_one() {
    let images = pixels(&[[1.0, 0.5], [2.0, -1.0], [-0.1, -3.0]]);
    for rectifier in ["relu6", "leaky_relu(0.1)", "hswish", "swish", "prelu"] {
        let network = network([2, 1, 1], &format!("{rectifier} -> global_avg_pool -> linear(2)"));
        near(naswot::naswot(&torch(&network), &[images.shallow_clone()]).unwrap(), 4f64.ln());
    }
    let linear = network([2, 1, 1], "global_avg_pool -> linear(2)");
    let said = naswot::naswot(&torch(&linear), &[images.shallow_clone()]).unwrap().unwrap_err();
    assert_eq!(said, "it has no rectifier");
}

/// Of uncorrelated gradients all eigenvalues are 1; of equal ones one is N and the others are 0.
#[test]
fn jacob_cov_is_of_the_eigenvalues_of_the_correlations() {
    let term = |eigenvalue: f64| -((eigenvalue + 1e-5).ln() + 1.0 / (eigenvalue + 1e-5));
    let rows = [1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0, -1.0, 1.0];
    let apart = Tensor::from_slice(&rows).view([3, 4]);
    near(jacobian::of_jacobian(&apart).unwrap(), 3.0 * term(1.0));
    // A linear network has the same gradient everywhere.
    let network = network([3, 1, 1], "global_avg_pool -> linear(2)");
    let images = pixels(&[[1.0, 0.5, 0.1], [2.0, -1.0, 3.0], [-0.1, -3.0, 0.7]]);
    let found = jacobian::jacob_cov(&torch(&network), &[images.shallow_clone()]).unwrap();
    near(found, term(3.0) + 2.0 * term(0.0));
}

/// Of a linear layer W and an image x of class y: p is the softmax of `W x`, the gradient of the loss is `(p - y) x`, and the
/// Hessian times that `(diag(p) - p p) (p - y) |x|^2 x`.
#[test]
fn what_gradients_say_is_that_of_a_linear_layer() {
    let network = network([3, 1, 1], "global_avg_pool -> linear(2)");
    let torch = torch(&network);
    let x = [0.5_f32, -1.0, 2.0];
    let kernel = values(&torch, Role::Kernel).remove(0);
    let logit =
        |class: usize| -> f64 { (0..3).map(|c| kernel[class * 3 + c] * f64::from(x[c])).sum() };
    let exp = [logit(0).exp(), logit(1).exp()];
    let p = exp.map(|e| e / (exp[0] + exp[1]));
    let error = [p[0], p[1] - 1.0];
    let square: f64 = x.iter().map(|x| f64::from(x * x)).sum();
    let (mut norm, mut snip, mut grasp) = (0.0, 0.0, 0.0);
    let mean = p[0] * error[0] + p[1] * error[1];
    for class in 0..2 {
        for c in 0..3 {
            let theta = kernel[class * 3 + c];
            let gradient = error[class] * f64::from(x[c]);
            norm += gradient * gradient;
            snip += (theta * gradient).abs();
            grasp -= theta * p[class] * (error[class] - mean) * square * f64::from(x[c]);
        }
    }
    let (images, targets) = ([pixels(&[x])], targets(&[1]));
    near(gradients::grad_norm(&torch, &images, &targets).unwrap(), norm.sqrt());
    near(gradients::snip(&torch, &images, &targets).unwrap(), snip);
    near(gradients::grasp(&torch, &images, &targets).unwrap(), grasp);
}

/// Gradients of gradients go through what networks are made of.
#[test]
fn grasp_goes_through_convolutions_and_batch_norms() {
    let network = network([3, 8, 8], "conv_bn_relu(4, kernel = 3) -> global_avg_pool -> linear(2)");
    let images = Tensor::arange(4 * 3 * 64, (Kind::Float, Device::Cpu)).sin().view([4, 3, 8, 8]);
    let found = gradients::grasp(&torch(&network), &[images], &targets(&[0, 1, 1, 0])).unwrap();
    assert!(found.unwrap().is_finite());
}

/// Features that are linear in the image move by `alpha W e`.
#[test]
fn zen_is_how_far_the_features_move() {
    let network = network([3, 1, 1], "conv(4, kernel = 1) -> global_avg_pool -> linear(2)");
    let torch = torch(&network);
    zen::make_standard_normal(&torch).unwrap();
    let like = pixels(&[[0.0; 3]; 5]);
    let noise = zen::gaussian(&like, 7, 1).unwrap().reshape([5, 3]);
    let kernel = Tensor::from_slice(&values(&torch, Role::Kernel)[0]).view([4, 3]);
    let noise = noise.to_kind(Kind::Double);
    let moved = noise.matmul(&kernel.transpose(0, 1)) * 0.01;
    let norms = moved.square().sum_dim_intlist([1i64].as_slice(), false, Kind::Double).sqrt();
    near(zen::score(&torch, &[like], 7).unwrap(), norms.mean(Kind::Double).double_value(&[]).ln());
}

/// A batch norm divides by the deviations of its channels; the logarithm of their root mean square is put back.
#[test]
fn zen_puts_back_what_batch_norms_take() {
    let network = network([3, 4, 4], "conv_bn_relu(4, kernel = 1) -> global_avg_pool -> linear(2)");
    let torch = torch(&network);
    let images =
        zen::gaussian(&Tensor::zeros([5, 3, 4, 4], (Kind::Float, Device::Cpu)), 1, 0).unwrap();
    torch.evaluation(Statistics::Average { seen: 0 }).run(&[images]).unwrap();
    let variances = values(&torch, Role::RunningVariance).remove(0);
    let mean = variances.iter().sum::<f64>() / 4.0;
    assert!(variances.iter().any(|variance| (variance - 1.0).abs() > 0.1));
    near(Ok(zen::log_deviations(&torch).unwrap()), mean.sqrt().ln());
}

#[test]
fn all_are_measured_and_what_they_take_is_counted() {
    let network = network([3, 8, 8], "conv_bn_relu(8, kernel = 3) -> global_avg_pool -> linear(2)");
    let images = Tensor::arange(6 * 3 * 64, (Kind::Float, Device::Cpu)).sin().view([6, 3, 8, 8]);
    let proxies = TorchProxies {
        input: Shape::from([3, 8, 8]),
        seed: 1,
        initial: Initialisation::He,
        device: Device::Cpu,
        inputs: vec![images],
        targets: targets(&[0, 1, 1, 0, 1, 0]),
    };
    let all: Vec<Proxy> = Proxy::NAMED.iter().map(|(_, proxy)| *proxy).collect();
    let measured = proxies.measured(&network, &all).unwrap().unwrap();
    assert!(measured.values.len() == 7 && measured.values.iter().all(|value| value.is_finite()));
    let zen = Work::forward(6 * 8);
    let once = Work::training(1) + Work::forward(6) + Work::training(6).times(3);
    assert_eq!(measured.work, zen + once + Work { forward: 6, backward: 12 });
    assert_eq!(proxies.measured(&network, &all).unwrap().unwrap(), measured);
    let linear = self::network([3, 8, 8], "global_avg_pool -> linear(2)");
    let undefined = proxies.measured(&linear, &[Proxy::Snip, Proxy::Naswot]).unwrap().unwrap_err();
    assert_eq!(
        (undefined.proxy, undefined.work),
        (Proxy::Naswot, Work { forward: 12, backward: 6 })
    );
}
