//! A light scan of the text: comments, brackets and words, without the grammar.
//!
//! The grammar says nothing about comments, and its parser recurses; what has to know where
//! comments stand, or how deep brackets nest before anything recurses, asks here.

/// The words that begin an item.
pub(crate) const ITEM_WORDS: [&str; 9] =
    ["use", "const", "block", "cell", "space", "arch", "target", "search", "expect"];

/// One token that matters to a scan. The characters of strings are no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// `(`, `[`, `{`, and the `{` of an interpolation.
    Open,
    /// `)`, `]`, `}`, and the `}` of an interpolation.
    Close(char),
    /// A name or a word of the language.
    Word,
    /// A word that begins an item, at the start of a line.
    ItemWord,
    /// `//` and the rest of the line.
    Comment,
    /// Any other character.
    Other(char),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Plain,
    Interpolation,
}

/// The tokens of a text, in order.
pub(crate) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// Whether the text at `at` is the rest of a string, after an interpolation.
    in_string: bool,
    open: Vec<Bracket>,
}

impl<'t> Scanner<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0, in_string: false, open: Vec::new() }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Past the characters of a string, to its quote, its line's end or an interpolation's `{`.
    fn string(&mut self) -> Option<Token> {
        while let Some(c) = self.rest().chars().next() {
            let start = self.at;
            match c {
                '\n' => return None,
                '"' => {
                    self.at += 1;
                    return None;
                }
                '{' => {
                    self.at += 1;
                    self.open.push(Bracket::Interpolation);
                    return Some(Token { kind: TokenKind::Open, start, end: self.at });
                }
                '\\' => {
                    self.at += 1;
                    self.at +=
                        self.rest().chars().next().filter(|&c| c != '\n').map_or(0, char::len_utf8);
                }
                _ => self.at += c.len_utf8(),
            }
        }
        None
    }

    fn comment(&mut self) -> Token {
        let start = self.at;
        let line = self.rest().split('\n').next().unwrap_or_default();
        self.at += line.len();
        Token { kind: TokenKind::Comment, start, end: start + line.trim_end().len() }
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        let word = leading_word(self.rest());
        self.at += word.len();
        let at_line_start =
            start == 0 || self.text.get(..start).is_some_and(|t| t.ends_with(['\n', '\u{feff}']));
        let is_item = at_line_start && ITEM_WORDS.contains(&word);
        if is_item {
            // INVARIANT: the parser gets past such a word inside brackets only where it is an
            // `expect` of an `arch`, one bracket deep; so whatever else is open was not closed.
            self.open.truncate(usize::from(word == "expect"));
        }
        let kind = if is_item { TokenKind::ItemWord } else { TokenKind::Word };
        Token { kind, start, end: self.at }
    }

    fn open(&mut self) -> Token {
        self.open.push(Bracket::Plain);
        self.at += 1;
        Token { kind: TokenKind::Open, start: self.at - 1, end: self.at }
    }

    fn close(&mut self, bracket: char) -> Token {
        self.at += 1;
        Token { kind: TokenKind::Close(bracket), start: self.at - 1, end: self.at }
    }
}

impl Iterator for Scanner<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            if std::mem::take(&mut self.in_string)
                && let Some(open) = self.string()
            {
                return Some(open);
            }
            let rest = self.rest();
            let c = rest.chars().next()?;
            match c {
                '"' => {
                    self.at += 1;
                    self.in_string = true;
                }
                '/' if rest.starts_with("//") => return Some(self.comment()),
                '(' | '[' | '{' => return Some(self.open()),
                '}' if self.open.last() == Some(&Bracket::Interpolation) => {
                    self.in_string = true;
                    self.open.pop();
                    return Some(self.close(c));
                }
                ')' | ']' | '}' => {
                    if self.open.last() == Some(&Bracket::Plain) {
                        self.open.pop();
                    }
                    return Some(self.close(c));
                }
                c if c.is_ascii_alphanumeric() || c == '_' => return Some(self.word()),
                c if c.is_whitespace() => self.at += c.len_utf8(),
                c => {
                    let start = self.at;
                    self.at += c.len_utf8();
                    return Some(Token { kind: TokenKind::Other(c), start, end: self.at });
                }
            }
        }
    }
}

/// The name, number or word that a text begins with; it may be empty.
pub(crate) fn leading_word(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
}
