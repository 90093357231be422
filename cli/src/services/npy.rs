//! Tensors as `.npy` files, which NumPy and nearly everything else reads.

use nas_ir::{DType, Elements, Tensor};
use npyz::{DType as Kind, NpyFile, Order, TypeChar, WriterBuilder};

/// How a file begins.
const MAGIC: &[u8] = b"\x93NUMPY";

/// A tensor as the bytes of an `.npy` file.
///
/// # Errors
/// It cannot be encoded, in words.
pub fn to_bytes(tensor: &Tensor) -> Result<Vec<u8>, String> {
    let shape: Vec<u64> = tensor.dims.iter().map(|&size| size.into()).collect();
    match &tensor.elements {
        Elements::F32(all) => written(&shape, all),
        Elements::I8(all) => written(&shape, all),
        Elements::U8(all) => written(&shape, all),
        Elements::I32(all) => written(&shape, all),
        Elements::I64(all) => written(&shape, all),
        Elements::F16(_) => Ok(halves(&shape, &tensor.elements.to_le_bytes())),
    }
}

/// A file of 16-bit floats, which the crate does not write: version 1 of the format, as NumPy documents it.
fn halves(shape: &[u64], data: &[u8]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|size| format!("{size}, ")).collect();
    let header = format!("{{'descr': '<f2', 'fortran_order': False, 'shape': ({sizes}), }}");
    // What stands before the data is of whole blocks of 64 bytes, the line end included.
    let length = (MAGIC.len() + 4 + header.len() + 1).next_multiple_of(64) - MAGIC.len() - 4;
    let header = format!("{header:<width$}\n", width = length - 1);
    [MAGIC, &[1, 0], &(length as u16).to_le_bytes(), header.as_bytes(), data].concat()
}

/// The data of a file of 16-bit floats, which the crate does not read; none if it is cut short.
fn data_of(bytes: &[u8]) -> Option<&[u8]> {
    let (&[version, _], rest) = bytes.get(MAGIC.len()..)?.split_first_chunk()?;
    // The length of the header has two bytes in the first version, and four since.
    let (length, rest) = if version == 1 {
        let (length, rest) = rest.split_first_chunk()?;
        (u16::from_le_bytes(*length).into(), rest)
    } else {
        let (length, rest) = rest.split_first_chunk()?;
        (u32::from_le_bytes(*length) as usize, rest)
    };
    rest.get(length..)
}

fn written<T: npyz::AutoSerialize + Copy>(shape: &[u64], all: &[T]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let options = npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes);
    let mut writer = options.begin_nd().map_err(|error| error.to_string())?;
    writer.extend(all.iter().copied()).map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The tensor of an `.npy` file; 64-bit floats become 32-bit ones.
///
/// # Errors
/// The bytes are none, or hold what no tensor here does, in words.
pub fn from_bytes(bytes: &[u8]) -> Result<Tensor, String> {
    let file = NpyFile::new(bytes).map_err(|error| error.to_string())?;
    if file.order() != Order::C && file.shape().len() > 1 {
        return Err("its numbers are column by column; write it row by row".to_owned());
    }
    let dims = file.shape().iter().map(|&size| u32::try_from(size).ok());
    let dims = dims.collect::<Option<Vec<u32>>>().ok_or("it is too large")?;
    let kind = match file.dtype() {
        Kind::Plain(kind) => (kind.type_char(), kind.size_field()),
        other => return Err(format!("it holds {other:?}")),
    };
    let elements = match kind {
        (TypeChar::Float, 2) => {
            Elements::from_le_bytes(DType::F16, data_of(bytes).ok_or("it is cut short")?)
        }
        (TypeChar::Float, 4) => Elements::F32(read(file)?),
        (TypeChar::Float, 8) => {
            Elements::F32(read::<f64>(file)?.into_iter().map(|x| x as f32).collect())
        }
        (TypeChar::Int, 1) => Elements::I8(read(file)?),
        (TypeChar::Uint, 1) => Elements::U8(read(file)?),
        (TypeChar::Int, 4) => Elements::I32(read(file)?),
        (TypeChar::Int, 8) => Elements::I64(read(file)?),
        (kind, size) => {
            let known: Vec<String> = DType::ALL.iter().map(ToString::to_string).collect();
            return Err(format!("it holds {kind:?} of {size} bytes, and not {}", known.join(", ")));
        }
    };
    let tensor = Tensor { dims, elements };
    if tensor.is_full() { Ok(tensor) } else { Err("it is cut short".to_owned()) }
}

fn read<T: npyz::Deserialize>(file: NpyFile<&[u8]>) -> Result<Vec<T>, String> {
    file.into_vec().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_come_back_as_they_were() {
        let tensors = [
            Tensor::of_floats([2, 3], vec![1.0, -2.5, 0.0, f32::MAX, 1e-30, 7.0]),
            Tensor { dims: vec![1, 2], elements: Elements::U8(vec![0, 255]) },
            Tensor { dims: vec![2], elements: Elements::I64(vec![-1, i64::MAX]) },
            Tensor { dims: vec![], elements: Elements::I32(vec![5]) },
            Tensor { dims: vec![3], elements: Elements::F16(vec![0x3c00, 0, 0xfbff]) },
            Tensor { dims: vec![1, 1], elements: Elements::F16(vec![0x3c00]) },
        ];
        for tensor in tensors {
            assert_eq!(from_bytes(&to_bytes(&tensor).unwrap()).unwrap(), tensor);
        }
        let cut = to_bytes(&Tensor::of_floats([4], vec![1.0; 4])).unwrap();
        assert!(from_bytes(&cut[..cut.len() - 4]).is_err());
        assert!(from_bytes(b"no numbers").is_err());
    }
}
