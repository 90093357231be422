//! Sizes of memory on the command line and in what is told.

/// The units of a size, and their bytes.
const UNITS: [(&str, f64); 7] = [
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("KB", 1e3),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
];

/// Reads a number of bytes with its unit, such as `8GiB` or `600MB`.
///
/// # Errors
/// In words: there is no number, or no unit, or no byte.
pub fn bytes(text: &str) -> Result<u64, String> {
    let unit = UNITS.iter().find_map(|(unit, of)| Some((text.strip_suffix(unit)?, *of)));
    let Some((number, of)) = unit else {
        return Err("give a number with its unit, such as `8GiB` or `600MB`".to_owned());
    };
    let number = number.trim_end();
    match number.parse::<f64>().map(|number| number * of) {
        Ok(bytes) if bytes.is_finite() && bytes >= 1.0 => Ok(bytes as u64),
        Ok(_) => Err("give at least a byte".to_owned()),
        Err(_) => Err(format!("`{number}` is no number; give one, such as `8GiB` or `600MB`")),
    }
}

/// In gigabytes: with three digits below one, and one behind the point above ten.
#[must_use]
pub fn gigabytes(bytes: u64) -> String {
    let gigabytes = bytes as f64 / 1e9;
    match gigabytes {
        ..1.0 => format!("{gigabytes:.3} GB"),
        ..10.0 => format!("{gigabytes:.2} GB"),
        _ => format!("{gigabytes:.1} GB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_number_and_a_unit() {
        for (text, wanted) in [
            ("8GiB", 8 << 30),
            ("8GB", 8_000_000_000),
            ("500MB", 500_000_000),
            ("1.5 GB", 1_500_000_000),
            ("64KiB", 65_536),
        ] {
            assert_eq!(bytes(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_by_what_they_lack() {
        for (text, wanted) in [
            ("plenty", "with its unit"),
            ("0", "with its unit"),
            ("8", "with its unit"),
            ("0MB", "at least a byte"),
            ("-1GB", "at least a byte"),
            ("infGB", "at least a byte"),
            ("manyGB", "`many` is no number"),
        ] {
            let said = bytes(text).unwrap_err();
            assert!(said.contains(wanted), "{text}: {said}");
        }
    }
}
