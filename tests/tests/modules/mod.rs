//! The modules of a crate and what they import of each other, read from their tokens. Tests are
//! left out. An item that a module hands on (`pub use`) counts for the module that defines it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path of names: `crate::shape::Shape`.
type Names = Vec<String>;

/// What a file says of others.
#[derive(Default)]
struct Mentions {
    /// The paths that stand in it, those of `use` spelt out.
    paths: BTreeSet<Names>,
    /// What it hands on, by the name under which it does.
    handed_on: Vec<(String, Names)>,
}

/// The modules of a crate by path, each a file.
pub(crate) struct Modules(BTreeMap<Names, Mentions>);

impl Modules {
    /// Those of the files below a folder.
    pub(crate) fn below(folder: &Path) -> Self {
        let mut modules = BTreeMap::new();
        add_files(folder, &mut Vec::new(), &mut modules);
        Self(modules)
    }

    /// The first names of all paths: crates among them.
    pub(crate) fn crates(&self) -> BTreeSet<String> {
        let paths = self.0.values().flat_map(|mentions| &mentions.paths);
        paths.filter_map(|path| path.first().cloned()).collect()
    }

    /// For each pair of modules of which one imports from the other: the names.
    pub(crate) fn imports(&self) -> BTreeMap<(String, String), BTreeSet<String>> {
        let mut imports: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for (module, mentions) in &self.0 {
            for path in &mentions.paths {
                if let Some((target, name)) = self.defined_in(module, path)
                    && target != *module
                {
                    let key = (shown(module), shown(&target));
                    imports.entry(key).or_default().insert(name);
                }
            }
        }
        imports
    }

    /// The module that defines what a path in a module means, and the name there; `*` for the
    /// module itself.
    fn defined_in(&self, from: &[String], path: &[String]) -> Option<(Names, String)> {
        let (mut module, mut rest) = self.resolved(from, path)?;
        // No chain of `pub use` is as long.
        for _ in 0..8 {
            let Some(name) = rest.first() else { break };
            let handed_on = &self.0.get(&module)?.handed_on;
            let Some((_, target)) = handed_on.iter().find(|(as_name, _)| as_name == name) else {
                break;
            };
            let Some((next, after)) = self.resolved(&module, target) else { break };
            rest.remove(0);
            rest.splice(0..0, after);
            module = next;
        }
        let name = rest.into_iter().next().unwrap_or_else(|| "*".to_owned());
        Some((module, name))
    }

    /// The longest beginning of a path that is a module of this crate, and the rest.
    fn resolved(&self, from: &[String], path: &[String]) -> Option<(Names, Names)> {
        let mut path = path.iter().map(String::as_str).peekable();
        let mut whole: Names = match *path.peek()? {
            "crate" => {
                path.next();
                Vec::new()
            }
            "self" => {
                path.next();
                from.to_vec()
            }
            "super" => from.to_vec(),
            child => {
                let mut whole = from.to_vec();
                whole.push(child.to_owned());
                self.0.contains_key(&whole).then_some(())?;
                from.to_vec()
            }
        };
        while path.next_if_eq(&"super").is_some() {
            whole.pop()?;
        }
        whole.extend(path.map(str::to_owned));
        let length = (0..=whole.len()).rev().find(|&n| self.0.contains_key(&whole[..n]))?;
        let rest = whole.split_off(length);
        Some((whole, rest))
    }
}

fn shown(module: &[String]) -> String {
    if module.is_empty() { "the root".to_owned() } else { module.join("::") }
}

/// Adds the files of a folder that is this module.
fn add_files(folder: &Path, module: &mut Names, modules: &mut BTreeMap<Names, Mentions>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name == "tests" {
            continue;
        }
        if path.is_dir() {
            module.push(name);
            add_files(&path, module, modules);
            module.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let tokens: TokenStream =
                text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let mut mentions = Mentions::default();
            read(&tokens.into_iter().collect::<Vec<_>>(), &mut mentions);
            let mut key = module.clone();
            if !matches!(name.as_str(), "mod" | "lib" | "main") {
                key.push(name);
            }
            modules.insert(key, mentions);
        }
    }
}

fn is_punct(token: Option<&TokenTree>, punct: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == punct)
}

fn word(token: Option<&TokenTree>) -> Option<String> {
    if let Some(TokenTree::Ident(ident)) = token { Some(ident.to_string()) } else { None }
}

/// Whether `#` at this place is `#[cfg(test)]`.
fn is_test(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), '#')
        && tokens
            .get(at + 1)
            .is_some_and(|group| group.to_string().replace(' ', "") == "[cfg(test)]")
}

/// Where the item that begins at a place ends: after its braces or its semicolon.
fn end_of_item(tokens: &[TokenTree], at: usize) -> usize {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_punct(Some(token), ';'),
    };
    let end = tokens[at..].iter().position(is_end);
    end.map_or(tokens.len(), |end| at + end + 1)
}

/// Notes the paths and the `use` items among tokens.
fn read(tokens: &[TokenTree], mentions: &mut Mentions) {
    let mut at = 0;
    let mut is_public = false;
    while let Some(token) = tokens.get(at) {
        if is_test(tokens, at) {
            at = end_of_item(tokens, at + 2);
            continue;
        }
        match token {
            TokenTree::Group(group) => {
                read(&group.stream().into_iter().collect::<Vec<_>>(), mentions);
                at += 1;
            }
            TokenTree::Ident(ident) if ident == "pub" => {
                is_public = true;
                at += 1;
                // `pub(crate)`
                at += usize::from(matches!(tokens.get(at), Some(TokenTree::Group(_))));
                continue;
            }
            TokenTree::Ident(ident) if ident == "use" => {
                let end = end_of_use(tokens, at);
                let tree = tokens.get(at + 1..end).unwrap_or_default();
                read_use(tree, &[], is_public, mentions);
                at = end;
            }
            TokenTree::Ident(_) => at = read_path(tokens, at, mentions),
            _ => at += 1,
        }
        is_public = false;
    }
}

fn end_of_use(tokens: &[TokenTree], at: usize) -> usize {
    let end = tokens[at..].iter().position(|token| is_punct(Some(token), ';'));
    end.map_or(tokens.len(), |end| at + end)
}

/// Notes the path that begins at a place, if it has more than one name; returns where it ends.
fn read_path(tokens: &[TokenTree], mut at: usize, mentions: &mut Mentions) -> usize {
    let mut path = Vec::new();
    while let Some(name) = word(tokens.get(at)) {
        path.push(name);
        at += 1;
        if !(is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')) {
            break;
        }
        at += 2;
    }
    if path.len() > 1 {
        mentions.paths.insert(path);
    }
    at.max(1)
}

/// Notes the paths of a tree of imports: `a::{b, c::d as e}`.
fn read_use(tree: &[TokenTree], before: &[String], is_public: bool, mentions: &mut Mentions) {
    for branch in tree.split(|token| is_punct(Some(token), ',')) {
        let mut path = before.to_vec();
        let mut renamed = None;
        let mut is_whole = !branch.is_empty();
        let mut tokens = branch.iter();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => {
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    read_use(&inner, &path, is_public, mentions);
                    is_whole = false;
                }
                TokenTree::Ident(ident) if ident == "as" => renamed = word(tokens.next()),
                // `a::{self}` is `a`.
                TokenTree::Ident(ident) if ident == "self" && !path.is_empty() => {}
                TokenTree::Ident(ident) => path.push(ident.to_string()),
                _ => {}
            }
        }
        if is_whole && let Some(last) = path.last() {
            if is_public {
                mentions.handed_on.push((renamed.unwrap_or_else(|| last.clone()), path.clone()));
            }
            mentions.paths.insert(path);
        }
    }
}
