//! What comments attach to: statements, arms, fields, elements; and the brackets around them.

use super::Formatter;
use super::comments::Comment;
use super::layout::Piece;

/// One statement, item or element with its comments.
pub(super) struct Node<'a, 's> {
    /// The comments above it; true where a blank line stands above the comment.
    above: Vec<(bool, Comment<'s>)>,
    /// Whether a blank line stands between it and what is above, its comments included.
    blank: bool,
    pub(super) piece: Piece<'a>,
    behind: Option<Comment<'s>>,
}

impl Node<'_, '_> {
    /// Whether a blank line stands above all of it.
    pub(super) fn blank_above(&self) -> bool {
        self.above.first().map_or(self.blank, |(blank, _)| *blank)
    }

    /// The node right below its comments.
    pub(super) fn without_blank(self) -> Self {
        Self { blank: false, ..self }
    }

    /// Whether the node after it may stand beside it on its line.
    pub(super) fn takes(&self, next: &Self) -> bool {
        self.behind.is_none() && next.above.is_empty() && !next.blank
    }

    fn has_comments(&self) -> bool {
        !self.above.is_empty() || self.behind.is_some()
    }
}

/// How the elements between brackets are laid out.
#[derive(Clone, Copy)]
pub(super) struct Brackets {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    /// The widest element of those that fill lines; with a wider one each stands on its own.
    pub(super) fill: usize,
    /// Whether one element alone has a comma behind it.
    pub(super) lone_comma: bool,
}

pub(super) const LIST: Brackets = Brackets { open: "[", close: "]", fill: 32, lone_comma: false };
pub(super) const TUPLE: Brackets = Brackets { open: "(", close: ")", fill: 32, lone_comma: true };
pub(super) const ARGUMENTS: Brackets =
    Brackets { open: "(", close: ")", fill: 48, lone_comma: false };
pub(super) const NAMES: Brackets = Brackets { open: "{", close: "}", fill: 48, lone_comma: false };

/// Columns of the elements before a last one with braces that keep their line.
const BEFORE_LAST: usize = 60;

impl<'a, 's> Formatter<'a, 's> {
    /// A node between two offsets, with the comments above, in and behind it.
    pub(super) fn node(
        &mut self,
        start: usize,
        end: usize,
        build: impl FnOnce(&mut Self) -> Piece<'a>,
    ) -> Node<'a, 's> {
        let mut node = self.node_before_comment(start, end, build);
        node.behind = if self.flat { None } else { self.comments.behind(end) };
        node
    }

    /// A node that leaves the comment behind it to the node around.
    pub(super) fn node_before_comment(
        &mut self,
        start: usize,
        end: usize,
        build: impl FnOnce(&mut Self) -> Piece<'a>,
    ) -> Node<'a, 's> {
        if self.flat {
            return Node { above: Vec::new(), blank: false, piece: build(self), behind: None };
        }
        let above = self.comments.before(start);
        let stashed = self.comments.stashed();
        let piece = build(self);
        self.comments.stash_before(end);
        let moved = self.comments.unstash(stashed);
        self.assemble(start, above, moved, piece, None)
    }

    /// A node of its parts. `moved` are the comments from its inside, which go above it.
    pub(super) fn assemble(
        &self,
        start: usize,
        above: Vec<Comment<'s>>,
        moved: Vec<Comment<'s>>,
        piece: Piece<'a>,
        behind: Option<Comment<'s>>,
    ) -> Node<'a, 's> {
        let mut blank = self.comments.blank_before(start);
        let mut above: Vec<_> =
            above.into_iter().map(|c| (self.comments.blank_above(c), c)).collect();
        for comment in moved {
            above.push((std::mem::take(&mut blank), comment));
        }
        Node { above, blank, piece, behind }
    }

    /// A node's lines: comments, the node, what follows it, the comment behind.
    pub(super) fn lines(&self, node: &Node<'a, 's>, suffix: Piece<'a>) -> Piece<'a> {
        let layout = self.layout;
        let mut pieces = Vec::new();
        for (i, (blank, comment)) in node.above.iter().enumerate() {
            if *blank && i > 0 {
                pieces.push(layout.hardline());
            }
            pieces.extend([layout.comment(comment.text), layout.hardline()]);
        }
        if node.blank && !node.above.is_empty() {
            pieces.push(layout.hardline());
        }
        pieces.extend([node.piece, suffix]);
        if let Some(comment) = node.behind {
            pieces.push(layout.comment(&format!(" {}", comment.text)));
        }
        layout.concat(pieces)
    }

    /// Nodes below each other, blank lines as they were.
    pub(super) fn stacked(&self, nodes: &[Node<'a, 's>], suffix: &str) -> Piece<'a> {
        let layout = self.layout;
        let mut pieces = Vec::new();
        for (i, node) in nodes.iter().enumerate() {
            if i > 0 {
                pieces.push(self.hardline());
                pieces.extend(node.blank_above().then(|| layout.hardline()));
            }
            pieces.push(self.lines(node, layout.text(suffix)));
        }
        layout.concat(pieces)
    }

    /// Two nodes as one, a comma between them: on one line if both fit.
    pub(super) fn beside(&self, node: &Node<'a, 's>, next: Node<'a, 's>) -> Node<'a, 's> {
        let layout = self.layout;
        let link = layout.group(layout.concat([self.line_or(" "), next.piece]));
        let piece = layout.concat([node.piece, layout.text(","), link]);
        Node { piece, behind: next.behind, ..node.borrowed() }
    }

    /// A newline, if there may be one.
    pub(super) fn hardline(&self) -> Piece<'a> {
        if self.flat { self.layout.text(" ") } else { self.layout.hardline() }
    }

    pub(super) fn line_or(&self, flat: &str) -> Piece<'a> {
        if self.flat { self.layout.text(flat) } else { self.layout.line_or(flat) }
    }

    /// The comments that stand alone before a closing bracket, as nodes without a piece.
    pub(super) fn dangling(&mut self, close: usize) -> Vec<Node<'a, 's>> {
        if self.flat {
            return Vec::new();
        }
        let comments = self.comments.before(close);
        self.alone(comments)
    }

    /// Comments as nodes of their own.
    pub(super) fn alone(&self, comments: Vec<Comment<'s>>) -> Vec<Node<'a, 's>> {
        let node = |c: Comment<'s>| Node {
            above: Vec::new(),
            blank: self.comments.blank_above(c),
            piece: self.layout.comment(c.text),
            behind: None,
        };
        comments.into_iter().map(node).collect()
    }

    /// Statements, arms or fields in the braces from `open` to `close`: on one line if they were
    /// and there are at most `most`, with `separator` between them.
    pub(super) fn braces(
        &mut self,
        (open, close): (usize, usize),
        mut nodes: Vec<Node<'a, 's>>,
        most: usize,
        separator: &str,
    ) -> Piece<'a> {
        let layout = self.layout;
        let count = nodes.len();
        nodes.extend(self.dangling(close));
        if nodes.is_empty() {
            return layout.text("{}");
        }
        let one_line = self.flat || (count <= most && self.comments.one_line(open, close));
        let inner = if one_line {
            let mut pieces = vec![self.line_or(" ")];
            for (i, node) in nodes.iter().enumerate() {
                pieces.extend((i > 0).then(|| self.line_or(separator)));
                pieces.push(node.piece);
            }
            [layout.nest(layout.concat(pieces)), self.line_or(" ")]
        } else {
            let stacked = layout.concat([self.hardline(), self.stacked(&nodes, "")]);
            [layout.nest(stacked), self.hardline()]
        };
        layout.concat([layout.text("{"), layout.concat(inner), layout.text("}")]).with_braces()
    }

    /// Elements between brackets. `end` is where the last one ends, or the opening bracket.
    pub(super) fn sequence(
        &mut self,
        brackets: Brackets,
        nodes: Vec<Node<'a, 's>>,
        end: usize,
    ) -> Piece<'a> {
        let close = self.comments.closing(end);
        let dangling = self.dangling(close);
        let commented = !dangling.is_empty() || nodes.iter().any(Node::has_comments);
        if commented {
            return self.commented_sequence(brackets, &nodes, dangling);
        }
        let mut pieces: Vec<_> = nodes.iter().map(|node| node.piece).collect();
        if let ([only], true) = (pieces.as_mut_slice(), brackets.lone_comma) {
            *only = self.layout.concat([*only, self.layout.text(",")]);
            return self.layout.group(self.joined(brackets, &pieces));
        }
        if self.flat || pieces.is_empty() {
            return self.joined(brackets, &pieces);
        }
        let fills = |p: &Piece<'a>| p.width().is_some_and(|width| width <= brackets.fill);
        if pieces.iter().all(fills) {
            // Here no element is broken, so braces in them matter to nobody outside.
            let filled = self.layout.filled(brackets.open, &pieces, brackets.close);
            return filled.without_braces();
        }
        match pieces.split_last() {
            Some((last, before)) if last.braces && hugs(before) => {
                self.layout.group(self.joined(brackets, &pieces))
            }
            _ => self.column_of(brackets, &pieces),
        }
    }

    fn joined(&self, brackets: Brackets, pieces: &[Piece<'a>]) -> Piece<'a> {
        let layout = self.layout;
        let mut all = vec![layout.text(brackets.open)];
        for (i, piece) in pieces.iter().enumerate() {
            all.extend((i > 0).then(|| layout.text(", ")));
            all.push(*piece);
        }
        all.push(layout.text(brackets.close));
        layout.concat(all)
    }

    /// One element a line, unless all fit on one.
    fn column_of(&self, brackets: Brackets, pieces: &[Piece<'a>]) -> Piece<'a> {
        let layout = self.layout;
        let mut inner = vec![layout.line_or("")];
        for (i, piece) in pieces.iter().enumerate() {
            inner.extend((i > 0).then(|| layout.concat([layout.text(","), layout.line()])));
            inner.push(layout.group(*piece));
        }
        inner.push(layout.if_broken(","));
        layout.group(layout.concat([
            layout.text(brackets.open),
            layout.nest(layout.concat(inner)),
            layout.line_or(""),
            layout.text(brackets.close),
        ]))
    }

    fn commented_sequence(
        &self,
        brackets: Brackets,
        nodes: &[Node<'a, 's>],
        dangling: Vec<Node<'a, 's>>,
    ) -> Piece<'a> {
        let layout = self.layout;
        let fills = |n: &Node<'a, 's>| n.piece.width().is_some_and(|w| w <= brackets.fill);
        let inner = if nodes.iter().all(fills) {
            self.filled_rows(nodes)
        } else {
            self.stacked(nodes, ",")
        };
        let mut pieces = vec![layout.hardline(), inner];
        if !dangling.is_empty() {
            pieces.extend((!nodes.is_empty()).then(|| layout.hardline()));
            let blank = dangling.first().is_some_and(Node::blank_above) && !nodes.is_empty();
            pieces.extend(blank.then(|| layout.hardline()));
            pieces.push(self.stacked(&dangling, ""));
        }
        let inner = layout.nest(layout.concat(pieces));
        let (open, close) = (layout.text(brackets.open), layout.text(brackets.close));
        layout.concat([open, inner, layout.hardline(), close]).with_braces()
    }

    /// Short elements that fill lines, each comment ending one: tables with a comment a row.
    fn filled_rows(&self, nodes: &[Node<'a, 's>]) -> Piece<'a> {
        let layout = self.layout;
        let mut pieces = Vec::new();
        let mut after_comment = false;
        for (i, node) in nodes.iter().enumerate() {
            let node_piece = Node { piece: node.piece.flattened(), ..node.borrowed() };
            let lines = self.lines(&node_piece, layout.text(","));
            if i == 0 {
                pieces.push(lines);
            } else if after_comment || !node.above.is_empty() {
                pieces.push(layout.hardline());
                let blank = node.blank_above() && !node.above.is_empty();
                pieces.extend(blank.then(|| layout.hardline()));
                pieces.push(lines);
            } else if node.behind.is_some() {
                pieces.extend([layout.group(layout.line()), lines]);
            } else {
                pieces.push(layout.group(layout.concat([layout.line(), lines])));
            }
            after_comment = node.behind.is_some();
        }
        layout.concat(pieces)
    }
}

impl<'a, 's> Node<'a, 's> {
    fn borrowed(&self) -> Self {
        Self {
            above: self.above.clone(),
            blank: self.blank,
            piece: self.piece,
            behind: self.behind,
        }
    }
}

/// Whether elements are short enough to keep the line of a last one with braces.
fn hugs(before: &[Piece<'_>]) -> bool {
    let width: Option<usize> = before.iter().map(Piece::width).sum();
    width.is_some_and(|w| w <= BEFORE_LAST) && before.iter().all(|piece| !piece.braces)
}
