//! Where items begin and what nests too deeply for the parser's recursion, found before it runs.

use std::ops::Range;

use crate::scan::{Scanner, Token, TokenKind};

/// How deep brackets may nest.
pub const MAX_NESTING: usize = 64;

/// What one scan of a file tells the parser.
#[derive(Default)]
pub(crate) struct Outline {
    /// Where an item's word begins and ends that stands at the start of a line outside all
    /// brackets, or that can stand in none.
    bounds: Vec<Range<usize>>,
    too_deep: Vec<TooDeep>,
}

/// A place where nesting passes the limit.
struct TooDeep {
    at: usize,
    /// Where an item must begin to be the one that holds the place.
    item_starts: Range<usize>,
}

impl Outline {
    pub(crate) fn new(text: &str) -> Self {
        let mut outline = Self::default();
        let (mut depth, mut segment, mut reported) = (Depth::default(), 0, false);
        for token in Scanner::new(text) {
            if token.kind == TokenKind::ItemWord {
                let is_expect = text.get(token.start..token.end) == Some("expect");
                if !is_expect || depth.frames.is_empty() {
                    (segment, reported) = (token.start, false);
                    outline.bounds.push(token.start..token.end);
                }
                depth.unwind(usize::from(is_expect));
            }
            depth.see(text, token);
            if !reported && depth.value() > MAX_NESTING {
                reported = true;
                let item_starts = segment..token.start + 1;
                outline.too_deep.push(TooDeep { at: token.start, item_starts });
            }
        }
        outline
    }

    /// The bracket or word that nests too deeply in the item that begins at `start`.
    pub(crate) fn too_deep(&self, start: usize) -> Option<usize> {
        let next = self.too_deep.partition_point(|deep| deep.item_starts.end <= start);
        let deep = self.too_deep.get(next)?;
        deep.item_starts.contains(&start).then_some(deep.at)
    }

    /// The end of the word that begins the item after `start`: the item at `start` cannot reach
    /// beyond it.
    pub(crate) fn reach(&self, start: usize) -> Option<usize> {
        let next = self.bounds.partition_point(|word| word.start <= start);
        self.bounds.get(next).map(|word| word.end)
    }
}

/// Brackets, and the words that make the parser recurse without one: in `if if if a …` each
/// condition holds the next `if`.
#[derive(Default)]
struct Depth {
    frames: Vec<Frame>,
    outside: Frame,
    /// The sum over the frames of the words beyond the first.
    extra: usize,
    after_else: bool,
    /// Whether the next bracket holds the alternatives of a choice.
    after_choose: bool,
}

/// What is known of an open bracket or the outside.
#[derive(Default)]
struct Frame {
    /// The words in it whose `{ }` is still to come.
    waiting: usize,
    /// Whether it holds the alternatives of a choice, so that no word waits for it.
    is_choice: bool,
}

impl Depth {
    fn value(&self) -> usize {
        self.frames.len() + self.extra
    }

    fn waiting(&mut self) -> &mut usize {
        &mut self.frames.last_mut().unwrap_or(&mut self.outside).waiting
    }

    fn set_waiting(&mut self, words: usize) {
        let before = std::mem::replace(self.waiting(), words);
        self.extra = self.extra + words.saturating_sub(1) - before.saturating_sub(1);
    }

    fn unwind(&mut self, frames: usize) {
        while self.frames.len() > frames {
            self.set_waiting(0);
            self.frames.pop();
        }
        self.set_waiting(0);
    }

    fn see(&mut self, text: &str, token: Token) {
        let after_else = std::mem::take(&mut self.after_else);
        let after_choose = std::mem::take(&mut self.after_choose);
        let waiting = *self.waiting();
        match token.kind {
            TokenKind::Open => self.frames.push(Frame { waiting: 0, is_choice: after_choose }),
            TokenKind::Close(bracket) => {
                self.set_waiting(0);
                let is_choice = self.frames.pop().is_some_and(|frame| frame.is_choice);
                if bracket == '}' && !is_choice {
                    let waiting = *self.waiting();
                    self.set_waiting(waiting.saturating_sub(1));
                }
            }
            // The `if` after a candidate has no `{ }`; the next candidate's `:` ends it.
            TokenKind::Other(':') => self.set_waiting(0),
            TokenKind::Word => match text.get(token.start..token.end) {
                Some("if") if after_else => {}
                Some("if" | "for" | "repeat") => self.set_waiting(waiting + 1),
                Some("choose" | "elastic") => self.after_choose = true,
                Some("else") => {
                    self.after_else = true;
                    self.set_waiting(waiting + 1);
                }
                // A count or a label.
                _ => self.after_choose = after_choose,
            },
            TokenKind::Comment => {
                (self.after_else, self.after_choose) = (after_else, after_choose);
            }
            TokenKind::ItemWord | TokenKind::Other(_) => {}
        }
    }
}
