//! The files of a program: parsing, imports, and what each name means in each file.

use std::sync::Arc;

use indexmap::IndexMap;
use nas_diagnostics::{Edit, Fix, Help, Place, Problems, Step};
use nas_diagnostics::{diagnostics, nearest, suggested};
use nas_grammar::ast::{
    Arch, Block, Const, File, Ident, ItemKind, Search, Space, Span, Target, Use,
};
use nas_grammar::{Problem, Source, parse};
use nas_ir::{Precision, ops};
use rustc_hash::FxHashMap as HashMap;

diagnostics! {
    /// A `use` names a file that cannot be read.
    Error UnknownModule [nas::names::module] "cannot import `{module}`: {reason}" { module: String, reason: String }
    /// A `use` names something that its module does not have.
    Error UnknownImport [nas::names::import] "module `{module}` has no item `{name}`" { module: String, name: String }
    /// Files import each other in a circle.
    Error ImportCycle [nas::names::cycle] "`{module}` imports itself{through}" { module: String, through: String }
    /// Two things of one name.
    Error Duplicate [nas::names::duplicate] "`{name}` is defined twice" { name: String }
    /// A name that belongs to the language.
    Error Shadowed [nas::names::shadowed] "`{name}` is the name of {what}" { name: String, what: String }
}

/// Functions on static values and lists that the language has.
pub const FUNCTIONS: [&str; 6] = ["len", "loose_ends", "max", "min", "round_to", "sum"];

/// The first part of the paths of modules of the standard library.
const LIBRARY: &str = "std";

/// Finds the file of a module: given the name of the importing source and the module's path,
/// returns the module's source.
pub type Load<'a> = dyn Fn(&str, &[&str]) -> Result<Source, LoadError> + 'a;

/// Finds a latency table: given the name of the source of the target and the path that stands there,
/// returns the table's source.
pub type LoadTable<'a> = dyn Fn(&str, &str) -> Result<Source, LoadError> + 'a;

/// Why a module could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such module among those that there are.
    #[error("there is no such module")]
    Unknown(Vec<String>),
    /// There is no such file, or it could not be read: in words.
    #[error("{0}")]
    Missing(String),
    /// The file is not text.
    #[error("{0}")]
    Unreadable(Problem),
}

/// A file of the program. Prints as its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModuleId(pub(crate) usize);

/// One file.
#[derive(Debug)]
pub struct Module {
    /// Its text.
    pub source: Source,
    /// What was parsed.
    pub file: Arc<File>,
    /// What its names mean.
    pub symbols: HashMap<String, Symbol>,
}

impl Module {
    /// Whether an import, or text, that could not be read may define a name: then that was reported.
    #[must_use]
    pub fn may_define(&self, name: &str) -> bool {
        let was_imported = self.file.items.iter().any(|item| {
            matches!(&item.kind, ItemKind::Use(import) if import.names.iter().any(|n| n.name == name))
        });
        let is_known = self.symbols.contains_key(name);
        (was_imported && !is_known) || self.file.may_define(name)
    }
}

/// What a name of a file means: an item of this file or of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// The file that has the item.
    pub module: ModuleId,
    /// The item's position in that file.
    pub item: usize,
}

/// A program: the main file and everything that it imports.
#[derive(Debug, Default)]
pub struct Program {
    /// The files; the first is the main file.
    pub modules: Vec<Module>,
}

impl Program {
    /// Reads the main file and its imports. What cannot be read is reported and left out.
    #[must_use]
    pub fn load(main: Source, load: &Load<'_>, problems: &mut Problems) -> Self {
        let mut loader =
            Loader { program: Program::default(), load, loaded: HashMap::default(), problems };
        loader.module(main, &mut Vec::new());
        loader.program
    }

    /// The main file.
    #[must_use]
    pub fn main(&self) -> ModuleId {
        ModuleId(0)
    }

    /// The file of this id.
    #[must_use]
    pub fn module(&self, id: ModuleId) -> Option<&Module> {
        self.modules.get(id.0)
    }

    fn item(&self, symbol: Symbol) -> Option<&ItemKind> {
        Some(&self.module(symbol.module)?.file.items.get(symbol.item)?.kind)
    }

    fn lookup(&self, module: ModuleId, name: &str) -> Option<(Symbol, &ItemKind)> {
        let symbol = *self.module(module)?.symbols.get(name)?;
        Some((symbol, self.item(symbol)?))
    }

    /// The block of this name as seen from a file, and the file that it stands in.
    #[must_use]
    pub fn block(&self, from: ModuleId, name: &str) -> Option<(ModuleId, &Block)> {
        match self.lookup(from, name)? {
            (symbol, ItemKind::Block(block)) => Some((symbol.module, block)),
            _ => None,
        }
    }

    /// The constant of this name as seen from a file, and the file that it stands in.
    #[must_use]
    pub fn constant(&self, from: ModuleId, name: &str) -> Option<(ModuleId, &Const)> {
        match self.lookup(from, name)? {
            (symbol, ItemKind::Const(constant)) => Some((symbol.module, constant)),
            _ => None,
        }
    }

    /// What the item of this name is, as seen from a file: "a space".
    #[must_use]
    pub fn item_word(&self, from: ModuleId, name: &str) -> Option<&'static str> {
        Some(match self.lookup(from, name)?.1 {
            ItemKind::Const(_) => "a constant",
            ItemKind::Block(_) => "a block",
            ItemKind::Space(_) => "a space",
            ItemKind::Arch(_) => "an `arch`",
            ItemKind::Search(_) => "a `search`",
            ItemKind::Target(_) => "a target",
            ItemKind::Use(_) | ItemKind::Expect(_) => return None,
        })
    }

    /// The space of this name as seen from a file, and the file that it stands in.
    #[must_use]
    pub fn space(&self, from: ModuleId, name: &str) -> Option<(ModuleId, &Space)> {
        match self.lookup(from, name)? {
            (symbol, ItemKind::Space(space)) => Some((symbol.module, space)),
            _ => None,
        }
    }

    /// The target of this name as seen from a file, and the file that it stands in.
    #[must_use]
    pub fn target(&self, from: ModuleId, name: &str) -> Option<(ModuleId, &Target)> {
        match self.lookup(from, name)? {
            (symbol, ItemKind::Target(target)) => Some((symbol.module, target)),
            _ => None,
        }
    }

    fn main_items(&self) -> impl Iterator<Item = &ItemKind> {
        self.modules.first().into_iter().flat_map(|m| &m.file.items).map(|item| &item.kind)
    }

    /// The spaces of the main file.
    pub fn spaces(&self) -> impl Iterator<Item = &Space> {
        self.main_items().filter_map(|k| if let ItemKind::Space(s) = k { Some(s) } else { None })
    }

    /// The `arch` items of the main file.
    pub fn archs(&self) -> impl Iterator<Item = &Arch> {
        self.main_items().filter_map(|k| if let ItemKind::Arch(a) = k { Some(a) } else { None })
    }

    /// The targets of the main file.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.main_items().filter_map(|k| if let ItemKind::Target(t) = k { Some(t) } else { None })
    }

    /// The recipes of the main file.
    pub fn recipes(&self) -> impl Iterator<Item = &Search> {
        self.main_items().filter_map(|k| if let ItemKind::Search(s) = k { Some(s) } else { None })
    }

    /// The `expect` items of the main file.
    pub fn expects(&self) -> impl Iterator<Item = &nas_grammar::ast::Expect> {
        self.main_items().filter_map(|k| if let ItemKind::Expect(e) = k { Some(e) } else { None })
    }
}

struct Loader<'a, 'p> {
    program: Program,
    load: &'a Load<'a>,
    /// Modules by the name of their source.
    loaded: HashMap<String, ModuleId>,
    problems: &'p mut Problems,
}

impl Loader<'_, '_> {
    /// Loads a file and, before its names are resolved, the files that it imports.
    fn module(&mut self, source: Source, importing: &mut Vec<Importing>) -> ModuleId {
        let parsed = parse(&source);
        self.problems.allow(&source);
        self.problems.extend(parsed.problems);
        let id = ModuleId(self.program.modules.len());
        self.loaded.insert(source.name().to_owned(), id);
        importing.push(Importing { source: source.clone(), at: Span::default() });
        let file = Arc::new(parsed.file);
        let symbols = HashMap::default();
        self.program.modules.push(Module {
            source: source.clone(),
            file: Arc::clone(&file),
            symbols,
        });

        let mut symbols: IndexMap<String, (Symbol, Span)> = IndexMap::new();
        for (index, item) in file.items.iter().enumerate() {
            if let ItemKind::Use(import) = &item.kind {
                if let Some(module) = self.imported_module(&source, (import, item.span), importing)
                {
                    for name in &import.names {
                        let symbol = self.imported_item(&source, import, module, name);
                        self.define(&source, &mut symbols, name, symbol);
                    }
                }
            } else if let Some(name) = item_name(&item.kind) {
                let symbol = Some(Symbol { module: id, item: index });
                self.define(&source, &mut symbols, name, symbol);
            }
        }
        importing.pop();
        if let Some(module) = self.program.modules.get_mut(id.0) {
            module.symbols =
                symbols.into_iter().map(|(name, (symbol, _))| (name, symbol)).collect();
        }
        id
    }

    fn imported_module(
        &mut self,
        source: &Source,
        (import, whole): (&Use, Span),
        importing: &mut Vec<Importing>,
    ) -> Option<ModuleId> {
        let segments: Vec<&str> = import.module.iter().map(|s| s.name.as_str()).collect();
        let path = segments.join(".");
        let ends = import.module.first().zip(import.module.last());
        let span = ends.map_or_else(Span::default, |(first, last)| first.span.to(last.span));
        let place = Place::new(source, span, "imported here");
        let is_library = segments.first() == Some(&LIBRARY);
        let found = (self.load)(source.name(), &segments);
        match found.map(|found| if is_library { found.of_library() } else { found }) {
            Err(LoadError::Unreadable(problem)) => {
                self.problems.push(problem);
                None
            }
            Err(error) => {
                let help = match &error {
                    LoadError::Unknown(known) => {
                        suggested(source.at(span), &path, known, "the modules are")
                    }
                    _ => Help::advice(format!(
                        "a module is a file: `{path}` is {}.nas",
                        segments.join("/")
                    )),
                };
                let reason = error.to_string();
                self.problems.push(UnknownModule::at(place.help(help), path, reason));
                None
            }
            Ok(found) if importing.iter().any(|file| file.source.name() == found.name()) => {
                let place = place.help(cycle_help(&found, source, whole));
                self.problems.push(import_cycle(place, path, &found, importing));
                None
            }
            Ok(found) => match self.loaded.get(found.name()) {
                Some(&id) => Some(id),
                None => {
                    if let Some(file) = importing.last_mut() {
                        file.at = span;
                    }
                    Some(self.module(found, importing))
                }
            },
        }
    }

    fn imported_item(
        &mut self,
        source: &Source,
        import: &Use,
        module: ModuleId,
        name: &Ident,
    ) -> Option<Symbol> {
        let there = self.program.module(module)?;
        if let Some(symbol) = there.symbols.get(&name.name) {
            return Some(*symbol);
        }
        if there.file.may_define(&name.name) {
            return None;
        }
        let segments: Vec<&str> = import.module.iter().map(|s| s.name.as_str()).collect();
        let mut names: Vec<&str> = there.symbols.keys().map(String::as_str).collect();
        names.sort_unstable();
        let help = match names.as_slice() {
            [] => Help::advice("it has no items"),
            names => {
                let help = suggested(source.at(name.span), &name.name, names, "it has");
                // What was meant is used under the same name.
                let near = nearest(&name.name, names.iter().copied());
                near.map_or(help.clone(), |near| {
                    let places = source.places_of(&name.name).into_iter();
                    let edits = places.map(|place| Edit::new(place, near));
                    Fix::of(source, edits.collect(), help.to_string()).into()
                })
            }
        };
        let place = Place::new(source, name.span, "not found there").help(help);
        self.problems.push(UnknownImport::at(place, segments.join("."), name.name.clone()));
        None
    }

    fn define(
        &mut self,
        source: &Source,
        symbols: &mut IndexMap<String, (Symbol, Span)>,
        name: &Ident,
        symbol: Option<Symbol>,
    ) {
        if let Some(what) = language_name(&name.name) {
            let place =
                Place::new(source, name.span, "this name is taken").advice("use another name");
            self.problems.push(Shadowed::at(place, name.name.clone(), what));
            return;
        }
        if let Some((_, first)) = symbols.get(&name.name) {
            let place = Place::new(source, name.span, "defined again here")
                .label(*first, "first defined here")
                .advice("rename one of them");
            self.problems.push(Duplicate::at(place, name.name.clone()));
            return;
        }
        // What could not be imported is unknown, and was reported.
        if let Some(symbol) = symbol {
            symbols.insert(name.name.clone(), (symbol, name.span));
        }
    }
}

/// A file that is being read, and what it imports at the moment.
struct Importing {
    source: Source,
    at: Span,
}

/// The report of a `use` that leads back to `found`, with the others on the way, the last one first.
fn import_cycle(place: Place, path: String, found: &Source, importing: &[Importing]) -> Problem {
    let is_other = |file: &&Importing| file.source.name() != found.name();
    let ring: Vec<&Importing> = importing.iter().skip_while(is_other).collect();
    let others: Vec<&str> = ring.iter().skip(1).map(|file| file.source.name()).collect();
    let through = match others.as_slice() {
        [] => String::new(),
        others => format!(" through {}", others.join(", ")),
    };
    let uses = ring.iter().rev().skip(1).map(|file| Step::Use(file.source.clone(), file.at));
    let place = Place { steps: uses.collect(), ..place };
    ImportCycle::at(place, path, through)
}

/// What to do about a `use` of a file that leads back to it.
fn cycle_help(found: &Source, importing: &Source, whole: Span) -> Help {
    if found.name() == importing.name() {
        let words = "remove this `use`: a file sees its own items".to_owned();
        Fix::remove_line(importing.at(whole), |_| words).into()
    } else {
        Help::advice("move what both files need into a third file")
    }
}

/// What the language itself means by a name, if it means something.
#[must_use]
pub fn language_name(name: &str) -> Option<&'static str> {
    if ops::find(name).is_some() {
        Some("an operator")
    } else if FUNCTIONS.contains(&name) {
        Some("a function of the language")
    } else if Precision::named(name).is_some() {
        Some("a precision")
    } else {
        None
    }
}

fn item_name(kind: &ItemKind) -> Option<&Ident> {
    match kind {
        ItemKind::Const(item) => Some(&item.name),
        ItemKind::Block(item) => Some(&item.name),
        ItemKind::Space(item) => Some(&item.name),
        ItemKind::Arch(item) => Some(&item.name),
        ItemKind::Target(item) => Some(&item.name),
        ItemKind::Search(item) => Some(&item.name),
        ItemKind::Use(_) | ItemKind::Expect(_) => None,
    }
}
