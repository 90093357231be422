//! Tensors to bytes and back.

use nas_ir::{Elements, Tensor, Weights};
use nas_safetensors::{TensorsError, floats_from_bytes, from_bytes, note, to_bytes};

fn tensors(names: &[&str]) -> Weights {
    let tensor = |i: usize| {
        Tensor::of_floats([2, i as u32], (0..2 * i).map(|v| v as f32 / 3.0 - 1.0).collect())
    };
    names.iter().map(|name| ((*name).to_owned(), tensor(name.len()))).collect()
}

/// A file with this header and as many zeros as asked for.
fn file(header: &str, zeros: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + zeros, 0);
    bytes
}

#[test]
fn there_and_back() {
    let mut weights = tensors(&["a", "bb", "unit.0/op=k3/conv.1.weight"]);
    weights.insert("scalar".to_owned(), Tensor::of_floats([], vec![f32::NAN]));
    weights.insert("none".to_owned(), Tensor::of_floats([0, 3], vec![]));
    weights.insert("odd".to_owned(), Tensor::of_floats([2], vec![f32::INFINITY, -0.0]));
    let back = from_bytes(&to_bytes(&weights, None).unwrap()).unwrap();
    assert_eq!(back.len(), weights.len());
    for (name, tensor) in &weights {
        assert_eq!(back[name].dims, tensor.dims);
        let bits = |t: &Tensor| t.floats().unwrap().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back[name]), bits(tensor), "{name}");
    }
    assert!(back.keys().is_sorted());
}

#[test]
fn other_elements_there_and_back() {
    let half = Tensor { dims: vec![2, 1], elements: Elements::F16(vec![0x3c00, 0xfbff]) };
    let whole = Tensor { dims: vec![3], elements: Elements::I8(vec![-128, 0, 127]) };
    let weights = Weights::from([("half".to_owned(), half), ("whole".to_owned(), whole)]);
    let bytes = to_bytes(&weights, None).unwrap();
    assert_eq!(from_bytes(&bytes).unwrap(), weights);
    let refused = floats_from_bytes(&bytes).unwrap_err().to_string();
    assert_eq!(refused, "it holds what nasc does not read: `half` is F16 and 1 more");
    assert!(bytes.ends_with(&[0x00, 0x3c, 0xff, 0xfb, 0x80, 0x00, 0x7f]));
}

#[test]
fn order_and_notes() {
    let (one, other) = (tensors(&["a", "bb", "c"]), tensors(&["c", "a", "bb"]));
    assert_eq!(to_bytes(&one, None).unwrap(), to_bytes(&other, None).unwrap());
    let noted = to_bytes(&one, Some("7")).unwrap();
    assert_eq!(note(&noted).unwrap().as_deref(), Some("7"));
    assert_eq!(note(&to_bytes(&one, None).unwrap()).unwrap(), None);
    assert_eq!(from_bytes(&noted).unwrap(), one);
}

#[test]
fn what_is_no_safetensors_file() {
    let zip = b"PK\x03\x04\0\0\0\0\0\0archive";
    let long = b"\xff\xff\xff\xff\xff\xff\xff\xff{}";
    for bytes in [b"".as_slice(), zip, long, &file("{", 0)] {
        let error = from_bytes(bytes).unwrap_err();
        assert!(matches!(error, TensorsError::Format(_)), "{error}");
        assert!(note(bytes).is_err());
    }
}

#[test]
fn wherever_it_is_cut_it_is_cut_short() {
    let whole = to_bytes(&tensors(&["a", "bb"]), None).unwrap();
    for length in 8..whole.len() {
        assert_eq!(from_bytes(&whole[..length]), Err(TensorsError::CutShort), "{length}");
    }
}

#[test]
fn every_tensor_of_another_type_is_named_but_counters() {
    let header = r#"{"b":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},
        "a.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[8,16]},
        "a":{"dtype":"BF16","shape":[1],"data_offsets":[16,18]},
        "c":{"dtype":"F32","shape":[1],"data_offsets":[18,22]}}"#;
    let error = from_bytes(&file(header, 22)).unwrap_err();
    assert_eq!(error.to_string(), "it holds what nasc does not read: `a` is BF16 and 1 more");
    let header = r#"{"a.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}"#;
    assert!(from_bytes(&file(header, 8)).unwrap().is_empty());
}

#[test]
fn sizes_that_the_elements_do_not_fill_are_not_written() {
    let uneven = Weights::from([("u".to_owned(), Tensor::of_floats([3], vec![1.0]))]);
    assert_eq!(to_bytes(&uneven, None), Err(TensorsError::Sizes("u".to_owned())));
}
