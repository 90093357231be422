//! The reference pages of diagnostics, embedded: what each code means, an example, its cure.

use include_dir::{Dir, include_dir};

static ERRORS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/reference/errors");

/// The page of a code, `nas::shape::groups`, as Markdown; `None` if there is no such code.
#[must_use]
pub fn error_page(code: &str) -> Option<&'static str> {
    ERRORS.get_file(format!("{}.md", code.replace("::", "__")))?.contents_utf8()
}

/// All codes that have a page, sorted.
#[must_use]
pub fn error_codes() -> Vec<String> {
    let stems = ERRORS.files().filter_map(|file| file.path().file_stem()?.to_str());
    let mut codes: Vec<String> = stems.map(|stem| stem.replace("__", "::")).collect();
    codes.sort_unstable();
    codes
}

#[cfg(test)]
mod tests {
    use super::{error_codes, error_page};

    #[test]
    fn every_listed_code_has_its_page() {
        assert!(!error_codes().is_empty());
        for code in error_codes() {
            let page = error_page(&code).unwrap();
            assert!(page.starts_with(&format!("# {code}\n")), "{code}");
        }
        assert_eq!(error_page("nas::no::such"), None);
        assert_eq!(error_page("../errors"), None);
    }
}
