//! Tensors to bytes and back.

use nas_compiler::weights::{Tensor, Weights};

use crate::tensors::{TensorsError, from_bytes, note, to_bytes, to_bytes_with_note};

fn tensors(names: &[&str]) -> Weights {
    let tensor = |i: usize| Tensor {
        dims: vec![2, i as u32],
        data: (0..2 * i).map(|v| v as f32 / 3.0 - 1.0).collect(),
    };
    names.iter().map(|name| ((*name).to_owned(), tensor(name.len()))).collect()
}

#[test]
fn there_and_back() {
    let mut weights = tensors(&["a", "bb", "unit.0/op=k3/conv.1.weight"]);
    weights.insert("scalar".to_owned(), Tensor { dims: vec![], data: vec![f32::NAN] });
    weights.insert("none".to_owned(), Tensor { dims: vec![0, 3], data: vec![] });
    weights.insert("odd".to_owned(), Tensor { dims: vec![2], data: vec![f32::INFINITY, -0.0] });
    let back = from_bytes(&to_bytes(&weights).unwrap()).unwrap();
    assert_eq!(back.len(), weights.len());
    for (name, tensor) in &weights {
        assert_eq!(back[name].dims, tensor.dims);
        let bits = |t: &Tensor| t.data.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back[name]), bits(tensor), "{name}");
    }
    assert!(back.keys().is_sorted());
}

#[test]
fn order_and_notes() {
    let (one, other) = (tensors(&["a", "bb", "c"]), tensors(&["c", "a", "bb"]));
    assert_eq!(to_bytes(&one).unwrap(), to_bytes(&other).unwrap());
    let noted = to_bytes_with_note(&one, Some("7")).unwrap();
    assert_eq!(note(&noted).unwrap().as_deref(), Some("7"));
    assert_eq!(note(&to_bytes(&one).unwrap()).unwrap(), None);
    assert_eq!(from_bytes(&noted).unwrap(), one);
}

#[test]
fn what_is_no_tensors() {
    for bytes in [b"".as_slice(), b"12345678", b"\xff\xff\xff\xff\xff\xff\xff\xff{}"] {
        assert!(matches!(from_bytes(bytes), Err(TensorsError::Format(_))));
    }
    let whole = to_bytes(&tensors(&["a"])).unwrap();
    assert!(from_bytes(&whole[..whole.len() - 1]).is_err());
    let header = "{\"h\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}";
    let mut half = (header.len() as u64).to_le_bytes().to_vec();
    half.extend_from_slice(header.as_bytes());
    half.extend_from_slice(&[0, 0]);
    let error = from_bytes(&half).unwrap_err();
    assert!(matches!(&error, TensorsError::Type { name, .. } if name == "h"), "{error}");
    let uneven = Weights::from([("u".to_owned(), Tensor { dims: vec![3], data: vec![1.0] })]);
    assert!(matches!(to_bytes(&uneven), Err(TensorsError::Sizes(name)) if name == "u"));
}
