// SPDX-License-Identifier: Apache-2.0
//! The check language: from text, or from the old lists of lists, to a tree.
//!
//! A text is words between blanks; parentheses belong to a word's edges, so `(role:a)` is three tokens and `%(x)s` is none of them.
//! `not` binds closest, then `and`, then `or`. An empty text allows everything.
//!
//! oslo.policy turns what it does not understand into a check that fails and goes on. [`parse`] refuses it and says where;
//! [`parse_lenient`] does as oslo.policy does and returns what was wrong beside the tree.

use std::{fmt, sync::Arc};

use crate::{
    check::{Check, Leaf, Test},
    language::Language,
    literal::Subject,
    nearest::hint,
    template::Template,
};

/// How long a check string may be, in bytes.
const MAX_TEXT: usize = 64 * 1024;
/// How deep parentheses and `not` may nest.
pub(crate) const MAX_NESTING: usize = 64;

/// What is wrong with a check string, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The character, from 1; of a list, the entry, from 1.
    pub position: usize,
    pub message: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "character {}: {}", self.position, self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// Reads a check string.
///
/// # Errors
/// The first thing that is not understood.
pub fn parse(text: &str, language: &Language) -> Result<Check, SyntaxError> {
    let (check, errors) = parse_lenient(text, language);
    errors.into_iter().next().map_or(Ok(check), Err)
}

/// Reads a check string as oslo.policy does: a check that is not understood fails, and so does a whole text whose words do not fit
/// together. The errors are in the order of the text.
#[must_use]
pub fn parse_lenient(text: &str, language: &Language) -> (Check, Vec<SyntaxError>) {
    if text.is_empty() {
        return (Check::Always, Vec::new());
    }
    if text.len() > MAX_TEXT {
        let message = format!("a check string has at most {MAX_TEXT} bytes, this has {}", text.len());
        return (Check::Never, vec![SyntaxError { position: 1, message }]);
    }
    let mut parser = Parser { language, errors: Vec::new(), tokens: tokenize(text), at: 0, end: text.chars().count() + 1 };
    let whole = parser.alternatives(0).and_then(|check| match parser.peek() {
        None => Ok(check),
        Some((position, Token::Close)) => Err(SyntaxError { position, message: "this ) closes nothing".to_owned() }),
        Some((position, token)) => {
            Err(SyntaxError { position, message: format!("expected \"and\", \"or\" or the end, found {}", token.shown()) })
        }
    });
    let mut errors = parser.errors;
    let check = whole.unwrap_or_else(|error| {
        errors.push(error);
        errors.sort_by_key(|e| e.position);
        Check::Never
    });
    (check, errors)
}

/// The old form: the outer list's parts are alternatives, an inner list's must all hold. Without any part it allows, with none but empty
/// ones it refuses, as in oslo.policy.
pub(crate) fn parse_lists(lists: &[Vec<String>], language: &Language) -> (Check, Vec<SyntaxError>) {
    if lists.is_empty() {
        return (Check::Always, Vec::new());
    }
    let mut errors = Vec::new();
    let mut alternatives = Vec::new();
    for (at, list) in lists.iter().enumerate() {
        let mut all: Vec<Check> = list
            .iter()
            .map(|text| {
                let (check, error) = single(text, language);
                errors.extend(error.map(|(_, message)| SyntaxError { position: at + 1, message }));
                check
            })
            .collect();
        match all.len() {
            0 => {}
            1 => alternatives.append(&mut all),
            _ => alternatives.push(Check::And(all)),
        }
    }
    let check = match alternatives.len() {
        0 => Check::Never,
        1 => alternatives.remove(0),
        _ => Check::Or(alternatives),
    };
    (check, errors)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    And,
    Or,
    Not,
    Word(&'a str),
    Quoted(&'a str),
}

impl Token<'_> {
    fn shown(self) -> String {
        match self {
            Token::Open => "(".to_owned(),
            Token::Close => ")".to_owned(),
            Token::And => "\"and\"".to_owned(),
            Token::Or => "\"or\"".to_owned(),
            Token::Not => "\"not\"".to_owned(),
            Token::Word(word) | Token::Quoted(word) => word.to_owned(),
        }
    }
}

/// What Python's `\s` matches.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// The tokens with their positions in characters, from 1.
fn tokenize(text: &str) -> Vec<(usize, Token<'_>)> {
    let mut tokens = Vec::new();
    let mut position = 1;
    for piece in text.split(is_blank) {
        let length = piece.chars().count();
        let inner = piece.trim_start_matches('(');
        let opens = piece.len() - inner.len();
        tokens.extend((0..opens).map(|at| (position + at, Token::Open)));
        let word = inner.trim_end_matches(')');
        if !word.is_empty() {
            let token = if word.eq_ignore_ascii_case("and") {
                Token::And
            } else if word.eq_ignore_ascii_case("or") {
                Token::Or
            } else if word.eq_ignore_ascii_case("not") {
                Token::Not
            } else if is_quoted(inner) {
                Token::Quoted(word)
            } else {
                Token::Word(word)
            };
            tokens.push((position + opens, token));
        }
        let closes = inner.len() - word.len();
        tokens.extend((0..closes).map(|at| (position + length - closes + at, Token::Close)));
        position += length + 1;
    }
    tokens
}

fn is_quoted(word: &str) -> bool {
    word.len() >= 2 && ['"', '\''].iter().any(|q| word.starts_with(*q) && word.ends_with(*q))
}

struct Parser<'a> {
    language: &'a Language,
    errors: Vec<SyntaxError>,
    tokens: Vec<(usize, Token<'a>)>,
    at: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<(usize, Token<'a>)> {
        self.tokens.get(self.at).copied()
    }

    fn take(&mut self, wanted: Token<'_>) -> bool {
        let found = self.peek().is_some_and(|(_, token)| token == wanted);
        self.at += usize::from(found);
        found
    }

    fn alternatives(&mut self, depth: usize) -> Result<Check, SyntaxError> {
        let first = self.conjunction(depth, false)?;
        let mut parts = vec![first];
        while self.take(Token::Or) {
            parts.push(self.conjunction(depth, true)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Check::Or(parts) })
    }

    /// After an `or`, oslo.policy extends a conjunction in parentheses instead of nesting it; the text of the tree shows it.
    fn conjunction(&mut self, depth: usize, extends: bool) -> Result<Check, SyntaxError> {
        let first = self.negation(depth)?;
        if !self.take(Token::And) {
            return Ok(first);
        }
        let mut parts = match first {
            Check::And(parts) if extends => parts,
            first => vec![first],
        };
        loop {
            parts.push(self.negation(depth)?);
            if !self.take(Token::And) {
                return Ok(Check::And(parts));
            }
        }
    }

    fn negation(&mut self, depth: usize) -> Result<Check, SyntaxError> {
        let Some((position, token)) = self.peek() else {
            return Err(SyntaxError { position: self.end, message: "the text ends where a check is expected".to_owned() });
        };
        if depth > MAX_NESTING {
            return Err(SyntaxError { position, message: format!("nested deeper than {MAX_NESTING}") });
        }
        self.at += 1;
        match token {
            Token::Not => Ok(Check::Not(Box::new(self.negation(depth + 1)?))),
            Token::Open => {
                let inner = self.alternatives(depth + 1)?;
                if self.take(Token::Close) {
                    return Ok(inner);
                }
                match self.peek() {
                    None => Err(SyntaxError { position, message: "this ( is never closed".to_owned() }),
                    Some((position, token)) => {
                        let message = format!("expected \"and\", \"or\" or ), found {}", token.shown());
                        Err(SyntaxError { position, message })
                    }
                }
            }
            Token::Word(word) => {
                let (check, error) = single(word, self.language);
                self.errors.extend(error.map(|(offset, message)| SyntaxError { position: position + offset, message }));
                Ok(check)
            }
            Token::Quoted(word) => Err(SyntaxError { position, message: format!("{word} is a quoted text, not a check") }),
            Token::Close | Token::And | Token::Or => {
                Err(SyntaxError { position, message: format!("expected a check, found {}", token.shown()) })
            }
        }
    }
}

/// One check: `@`, `!`, or `kind:match`; and what is wrong with it, the offset in characters.
fn single(text: &str, language: &Language) -> (Check, Option<(usize, String)>) {
    match text {
        "@" => return (Check::Always, None),
        "!" => return (Check::Never, None),
        _ => {}
    }
    let Some((kind, rest)) = text.split_once(':') else {
        return (Check::Never, Some((0, format!("{text} is not a check: write kind:match, @ or !"))));
    };
    if kind == "rule" {
        return (Check::Rule(rest.into()), None);
    }
    let (test, error) = match test(text, kind, rest, language) {
        Ok(test) => (test, None),
        Err(error) => (Test::Broken, Some(error)),
    };
    (Check::Leaf(Arc::new(Leaf { text: text.into(), test })), error)
}

fn test(text: &str, kind: &str, rest: &str, language: &Language) -> Result<Test, (usize, String)> {
    let template = |source: &str, skipped: &str| {
        let offset = |at| skipped.chars().count() + source.get(..at).map_or(0, |s| s.chars().count());
        Template::parse(source).map_err(|(at, message)| (offset(at), message))
    };
    let before = &text[..=kind.len()];
    Ok(match (kind, language.kind(kind)) {
        ("role", _) => Test::Role(template(rest, before)?),
        ("http" | "https", _) => Test::Http(template(text, "")?),
        (_, Some(custom)) => Test::Custom(custom.compile(kind, rest).map_err(|message| (0, message))?),
        (_, None) => {
            let subject = Subject::parse(kind).map_err(|message| (0, message))?;
            Test::Compare { subject, with: template(rest, before)? }
        }
    })
}

/// A warning for a check of a credential that nothing sets, which never holds.
pub(crate) fn doubt(leaf: &Leaf, language: &Language) -> Option<String> {
    let Test::Compare { subject: Subject::Path(path), .. } = &leaf.test else { return None };
    let first = path.first().filter(|first| !language.knows_credential(first))?;
    Some(format!("{leaf} never holds: there is no credential \"{first}\"{}", hint(first, language.words())))
}

#[cfg(test)]
mod tests;
