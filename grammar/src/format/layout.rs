//! Pieces of layout: a document of `pretty`, and what the formatter asks of it beforehand.

use pretty::{Arena, Doc, DocAllocator, RefDoc};

/// Spaces of one level.
pub(super) const INDENT: isize = 4;
/// Columns of a line.
pub(super) const COLUMNS: usize = 100;
/// A bracket beyond this column does not have its elements aligned behind it.
const LAST_ALIGNED_COLUMN: usize = 60;

/// A document, and the same on one line where it can stand on one.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) doc: RefDoc<'a, ()>,
    flat: Option<RefDoc<'a, ()>>,
    width: usize,
    /// Its columns before the first place where a line may end.
    head: usize,
    has_lines: bool,
    /// Whether it holds `{ }`, which, once broken over lines, stay broken.
    pub(super) braces: bool,
}

impl<'a> Piece<'a> {
    /// Its columns on one line, if it can stand on one.
    pub(super) fn width(&self) -> Option<usize> {
        self.flat.map(|_| self.width)
    }

    pub(super) fn must_break(&self) -> bool {
        self.flat.is_none()
    }

    /// The piece on one line, however long; where it cannot be, as it is.
    pub(super) fn flattened(self) -> Self {
        Self { doc: self.flat.unwrap_or(self.doc), ..self }
    }

    pub(super) fn with_braces(self) -> Self {
        Self { braces: true, ..self }
    }

    /// The piece where its braces matter to nobody outside: they are never broken.
    pub(super) fn without_braces(self) -> Self {
        Self { braces: false, ..self }
    }

    /// The piece where it may be broken: a group around it never puts it on one line.
    pub(super) fn broken(self) -> Self {
        Self { flat: None, ..self }
    }
}

/// Makes pieces.
#[derive(Clone, Copy)]
pub(super) struct Layout<'a>(&'a Arena<'a, ()>);

impl<'a> Layout<'a> {
    pub(super) fn new(arena: &'a Arena<'a, ()>) -> Self {
        Self(arena)
    }

    fn sized(self, doc: RefDoc<'a, ()>, flat: RefDoc<'a, ()>, width: usize) -> Piece<'a> {
        let (head, has_lines, braces) = (width, false, false);
        Piece { doc, flat: Some(flat), width, head, has_lines, braces }
    }

    fn wide(self, text: &str, width: usize) -> RefDoc<'a, ()> {
        let text = self.0.alloc(Doc::OwnedText(text.into()));
        self.0.alloc(Doc::RenderLen(width, text))
    }

    pub(super) fn text(self, text: &str) -> Piece<'a> {
        let width = text.chars().count();
        let doc = self.wide(text, width);
        self.sized(doc, doc, width)
    }

    pub(super) fn nil(self) -> Piece<'a> {
        let nil = self.0.alloc(Doc::Nil);
        self.sized(nil, nil, 0)
    }

    /// Text that ends its line and does not count in its width: a comment.
    pub(super) fn comment(self, text: &str) -> Piece<'a> {
        Piece { flat: None, ..self.sized(self.wide(text, 0), self.wide(text, 0), 0) }
    }

    pub(super) fn hardline(self) -> Piece<'a> {
        let doc = self.0.alloc(Doc::Hardline);
        Piece { flat: None, has_lines: true, ..self.sized(doc, doc, 0) }
    }

    /// A newline where the group around it is broken, else the text.
    pub(super) fn line_or(self, flat: &str) -> Piece<'a> {
        let flat = self.text(flat);
        let doc = self.0.alloc(Doc::FlatAlt(self.0.alloc(Doc::Hardline), flat.doc));
        Piece { head: 0, has_lines: true, ..self.sized(doc, flat.doc, flat.width) }
    }

    pub(super) fn line(self) -> Piece<'a> {
        self.line_or(" ")
    }

    /// The text where the group around it is broken, else nothing.
    pub(super) fn if_broken(self, text: &str) -> Piece<'a> {
        let nil = self.0.alloc(Doc::Nil);
        let doc = self.0.alloc(Doc::FlatAlt(self.text(text).doc, nil));
        self.sized(doc, nil, 0)
    }

    pub(super) fn concat(self, pieces: impl IntoIterator<Item = Piece<'a>>) -> Piece<'a> {
        let mut whole = self.nil();
        for piece in pieces {
            let append = |a, b| self.0.alloc(Doc::Append(a, b));
            whole = Piece {
                doc: append(whole.doc, piece.doc),
                flat: whole.flat.zip(piece.flat).map(|(a, b)| append(a, b)),
                width: whole.width + piece.width,
                head: whole.head + if whole.has_lines { 0 } else { piece.head },
                has_lines: whole.has_lines || piece.has_lines,
                braces: whole.braces || piece.braces,
            };
        }
        whole
    }

    pub(super) fn group(self, piece: Piece<'a>) -> Piece<'a> {
        Piece { doc: self.0.alloc(Doc::Group(piece.doc)), ..piece }
    }

    pub(super) fn nest(self, piece: Piece<'a>) -> Piece<'a> {
        Piece { doc: self.0.alloc(Doc::Nest(INDENT, piece.doc)), ..piece }
    }

    /// Pieces after a first one, each with the operator before it: as many on a line as fit, the
    /// operator going to the next line with its piece.
    pub(super) fn chain(self, first: Piece<'a>, rest: &[(&str, Piece<'a>)]) -> Piece<'a> {
        let links = rest.iter().map(|&(operator, piece)| {
            let operator = self.text(&format!("{operator} "));
            let link = self.concat([operator, piece]);
            if piece.braces || piece.must_break() {
                self.hanging_link(link)
            } else {
                self.group(self.nest(self.concat([self.line(), link])))
            }
        });
        let links: Vec<Piece<'a>> = links.collect();
        self.concat([first, self.concat(links)])
    }

    /// A link with braces: what is in them moves to other lines and is indented from the line
    /// of the opening one, so the link goes to the next line only if even its head is too long.
    fn hanging_link(self, link: Piece<'a>) -> Piece<'a> {
        let behind = self.concat([self.text(" "), link]);
        let below = self.nest(self.concat([self.hardline(), link]));
        let doc = self.column(
            move |_, column, _| {
                if column + behind.head > COLUMNS { below.doc } else { behind.doc }
            },
        );
        let doc = match behind.flat {
            Some(flat) => self.0.alloc(Doc::FlatAlt(doc, flat)),
            None => doc,
        };
        // Before it is laid out there may be a line's end before it.
        Piece { doc, head: 0, has_lines: true, ..behind }
    }

    /// Elements between brackets, as many on a line as fit; they are aligned behind the bracket
    /// if there is room. No element is broken.
    pub(super) fn filled(self, open: &str, elements: &[Piece<'a>], close: &str) -> Piece<'a> {
        let widest = elements.iter().map(|e| e.width).max().unwrap_or(0);
        let mut fill = Vec::new();
        for (i, element) in elements.iter().enumerate() {
            let element = element.flattened();
            if i == 0 {
                fill.push(element);
            } else {
                fill.push(self.text(","));
                fill.push(self.group(self.concat([self.line(), element])));
            }
        }
        let fill = self.concat(fill);
        let hanging =
            self.concat([self.nest(self.concat([self.hardline(), fill])), self.hardline()]);
        let behind = self.column(move |layout, column, indent| {
            if column <= LAST_ALIGNED_COLUMN && column + widest < COLUMNS {
                let offset = column as isize - indent as isize;
                layout.0.alloc(Doc::Nest(offset, fill.doc))
            } else {
                hanging.doc
            }
        });
        let flat = fill.flat.unwrap_or(fill.doc);
        let inner = self.sized(self.0.alloc(Doc::FlatAlt(behind, flat)), flat, fill.width);
        self.group(self.concat([self.text(open), inner, self.text(close)]))
    }

    /// A document that depends on the column and the indent where it begins.
    fn column(
        self,
        choose: impl Fn(Self, usize, usize) -> RefDoc<'a, ()> + Copy + 'a,
    ) -> RefDoc<'a, ()> {
        let arena = self.0;
        let at_column = move |column| {
            let at_indent = move |indent| choose(self, column, indent);
            arena.alloc(Doc::Nesting(arena.alloc_column_fn(at_indent)))
        };
        arena.alloc(Doc::Column(arena.alloc_column_fn(at_column)))
    }

    /// One of two layouts of a statement: `ladder` where all its rungs fit below each other and
    /// it is preferred or the statement does not fit on one line.
    pub(super) fn ladder(
        self,
        one_line: Piece<'a>,
        ladder: Piece<'a>,
        widest: usize,
        preferred: bool,
    ) -> Piece<'a> {
        let doc = self.column(move |_, _, indent| {
            let room = COLUMNS.saturating_sub(indent);
            let is_ladder = (preferred || one_line.width > room) && widest <= room;
            if is_ladder { ladder.doc } else { one_line.doc }
        });
        if preferred { Piece { doc, ..one_line.broken() } } else { Piece { doc, ..one_line } }
    }

    /// The text of a document, each line without spaces at its end.
    pub(super) fn print(piece: Piece<'a>) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = piece.doc.render_fmt(COLUMNS, &mut text);
        let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        lines.iter().flat_map(|line| [line, "\n"]).collect()
    }
}
