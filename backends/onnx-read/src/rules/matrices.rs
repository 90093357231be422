//! Products of matrices, and recurrent layers.

use super::elementwise::broadcast;
use super::site::{Made, Site, dim, overflow, size};
use crate::element::Element;
use crate::fact::Fact;

/// `alpha A B + beta C`, either transposed.
pub(crate) fn gemm(site: &Site<'_, '_>) -> Made {
    let [rows, inner] = matrix(site.first()?, site.int("transA", 0) != 0)?;
    let [other, columns] = matrix(site.operand(1)?, site.int("transB", 0) != 0)?;
    if inner != other {
        let (a, b) = (site.first()?.in_words(), site.operand(1)?.in_words());
        return Err(format!("{a} and {b} have no product"));
    }
    let dims = vec![rows, columns];
    if let Some(added) = site.given(2)
        && broadcast(&dims, &added.dims)? != dims
    {
        return Err(format!("{} cannot be added to {dims:?}", added.in_words()));
    }
    site.first_with(dims)
}

fn matrix(fact: &Fact, is_transposed: bool) -> Result<[u64; 2], String> {
    match *fact.dims.as_slice() {
        [rows, columns] if is_transposed => Ok([columns, rows]),
        [rows, columns] => Ok([rows, columns]),
        _ => Err(format!("{} is no matrix", fact.in_words())),
    }
}

/// The product of two operands as NumPy has it.
pub(crate) fn mat_mul(site: &Site<'_, '_>, places: [usize; 2], element: Element) -> Made {
    let [a, b] = [site.operand(places[0])?, site.operand(places[1])?];
    let unfit = || format!("{} and {} have no product", a.in_words(), b.in_words());
    let (mut left, mut right) = (a.dims.clone(), b.dims.clone());
    let [is_row, is_column] = [left.len() == 1, right.len() == 1];
    if is_row {
        left.insert(0, 1);
    }
    if is_column {
        right.push(1);
    }
    let ([before @ .., rows, inner], [behind @ .., other, columns]) =
        (left.as_slice(), right.as_slice())
    else {
        return Err(unfit());
    };
    if inner != other {
        return Err(unfit());
    }
    let mut dims = broadcast(before, behind)?;
    if !is_row {
        dims.push(*rows);
    }
    if !is_column {
        dims.push(*columns);
    }
    Ok(Fact::new(element, dims))
}

/// A product along axes that letters name.
pub(crate) fn einsum(site: &Site<'_, '_>) -> Made {
    let (sizes, result) = letters(site)?;
    let dims = result.chars().map(|letter| {
        let found = sizes.iter().find(|(known, _)| *known == letter).map(|(_, size)| *size);
        found.ok_or_else(|| format!("nothing says how large `{letter}` is"))
    });
    site.first_with(dims.collect::<Result<Vec<_>, _>>()?)
}

/// The sizes that the letters of an equation stand for, and those of the result.
pub(crate) fn letters(site: &Site<'_, '_>) -> Result<(Vec<(char, u64)>, String), String> {
    let equation = site.node.text("equation").ok_or("it has no equation")?;
    let equation: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
    let (terms, result) = equation.split_once("->").ok_or("its equation has no result")?;
    if !equation.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, ',' | '-' | '>')) {
        return Err(format!("its equation `{equation}` is more than letters"));
    }
    let mut sizes: Vec<(char, u64)> = Vec::new();
    for (place, term) in terms.split(',').enumerate() {
        let operand = site.operand(place)?;
        if operand.dims.len() != term.len() {
            return Err(format!("`{term}` does not fit {}", operand.in_words()));
        }
        for (letter, &dim) in term.chars().zip(&operand.dims) {
            match sizes.iter().find(|(known, _)| *known == letter) {
                Some(&(_, size)) if size != dim => {
                    return Err(format!("`{letter}` is {size} and {dim}"));
                }
                Some(_) => {}
                None => sizes.push((letter, dim)),
            }
        }
    }
    Ok((sizes, result.to_owned()))
}

/// All steps, the last one, and of an LSTM its cell.
pub(crate) fn recurrent(site: &Site<'_, '_>) -> Result<Vec<Fact>, String> {
    let input = site.first()?;
    let [steps, batch, _] = *input.dims.as_slice() else {
        return Err(format!("{} is no sequence", input.in_words()));
    };
    let directions = dim(site.operand(1)?, 0)?;
    let hidden = size(site.int("hidden_size", 0))?;
    let (all, last) = match site.int("layout", 0) {
        0 => (vec![steps, directions, batch, hidden], vec![directions, batch, hidden]),
        _ => (vec![steps, batch, directions, hidden], vec![steps, directions, hidden]),
    };
    let fact = |dims: Vec<u64>| Fact::new(input.element, dims);
    Ok(vec![fact(all), fact(last.clone()), fact(last)])
}

/// Multiply-accumulates of a recurrent layer: the kernels `[directions, gates * hidden, …]` of operand and state, once for
/// each step and image.
pub(crate) fn recurrent_macs(site: &Site<'_, '_>) -> Result<u64, String> {
    let input = site.first()?;
    let places = dim(input, 0)?.checked_mul(dim(input, 1)?).ok_or_else(overflow)?;
    let kernels =
        [site.operand(1)?, site.operand(2)?].map(|kernel| kernel.count().unwrap_or(u64::MAX));
    let taps = kernels.into_iter().fold(0, u64::saturating_add);
    Ok(taps.saturating_mul(places))
}
