//! The comments of a file, handed out from its beginning to its end.

use crate::scan::{Scanner, TokenKind};

/// One comment as written, from `//` to the end of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Comment<'s> {
    pub(super) text: &'s str,
    start: usize,
}

impl Comment<'_> {
    /// Whether it would document something if it stood between items.
    pub(super) fn is_doc(self) -> bool {
        self.text.starts_with("///") || self.text.starts_with("//!")
    }
}

/// All comments. Each is handed out once, in order; what no node in an expression takes is
/// stashed until the statement or element around it takes it.
pub(super) struct Comments<'s> {
    source: &'s str,
    all: Vec<Comment<'s>>,
    next: usize,
    stash: Vec<Comment<'s>>,
}

impl<'s> Comments<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        let all = Scanner::new(source)
            .filter(|token| token.kind == TokenKind::Comment)
            .filter_map(|token| {
                let text = source.get(token.start..token.end)?;
                Some(Comment { text, start: token.start })
            })
            .collect();
        Self { source, all, next: 0, stash: Vec::new() }
    }

    /// The comments before an offset that nobody has taken.
    pub(super) fn before(&mut self, offset: usize) -> Vec<Comment<'s>> {
        let rest = self.all.get(self.next..).unwrap_or_default();
        let taken: Vec<_> = rest.iter().take_while(|c| c.start < offset).copied().collect();
        self.next += taken.len();
        taken
    }

    /// The comment behind a node that ends at an offset, on the same line.
    pub(super) fn behind(&mut self, end: usize) -> Option<Comment<'s>> {
        let comment = self.all.get(self.next).copied()?;
        let between = self.source.get(end..comment.start)?;
        let is_behind = between.bytes().all(|b| matches!(b, b' ' | b'\t' | b','));
        self.next += usize::from(is_behind);
        is_behind.then_some(comment)
    }

    /// Puts the comments before an offset aside, for the node around to take.
    pub(super) fn stash_before(&mut self, offset: usize) {
        let odd = self.before(offset);
        self.stash.extend(odd);
    }

    /// Puts comments aside that were taken.
    pub(super) fn put_aside(&mut self, comments: Vec<Comment<'s>>) {
        self.stash.extend(comments);
    }

    /// How many comments are put aside.
    pub(super) fn stashed(&self) -> usize {
        self.stash.len()
    }

    /// The comments that were put aside since there were so many.
    pub(super) fn unstash(&mut self, since: usize) -> Vec<Comment<'s>> {
        self.stash.split_off(since.min(self.stash.len()))
    }

    /// Whether a comment begins between two offsets.
    pub(super) fn any_between(&self, start: usize, end: usize) -> bool {
        let first = self.all.partition_point(|c| c.start < start);
        self.all.get(first).is_some_and(|c| c.start < end)
    }

    /// Whether a blank line stands before a comment.
    pub(super) fn blank_above(&self, comment: Comment<'_>) -> bool {
        self.blank_before(comment.start)
    }

    /// Whether a blank line stands before an offset.
    pub(super) fn blank_before(&self, offset: usize) -> bool {
        self.space_before(offset).matches('\n').count() > 1
    }

    /// Whether what stands at an offset is the first on its line.
    pub(super) fn starts_line(&self, offset: usize) -> bool {
        self.space_before(offset).contains('\n')
    }

    fn space_before(&self, offset: usize) -> &'s str {
        let before = self.source.get(..offset).unwrap_or_default();
        before.get(before.trim_end().len()..).unwrap_or_default()
    }

    /// Whether a range of the source stands on one line.
    pub(super) fn one_line(&self, start: usize, end: usize) -> bool {
        self.source.get(start..end).is_some_and(|text| !text.contains('\n'))
    }

    /// Where the next token begins after an offset, beyond white space and comments.
    pub(super) fn next_token(&self, mut offset: usize) -> usize {
        loop {
            let rest = self.source.get(offset..).unwrap_or_default();
            let token = rest.trim_start();
            offset = self.source.len() - token.len();
            if !token.starts_with("//") {
                return offset;
            }
            offset += token.find('\n').unwrap_or(token.len());
        }
    }

    /// Where the bracket stands that closes a list whose last element ends at an offset: the next
    /// token, or the one after a comma.
    pub(super) fn closing(&self, offset: usize) -> usize {
        let token = self.next_token(offset);
        let is_comma = self.source.get(token..).is_some_and(|rest| rest.starts_with(','));
        if is_comma { self.next_token(token + 1) } else { token }
    }

    /// Where the last `word` before an offset begins.
    pub(super) fn word_before(&self, word: &str, offset: usize) -> usize {
        self.source.get(..offset).and_then(|text| text.rfind(word)).unwrap_or(offset)
    }
}
