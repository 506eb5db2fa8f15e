//! The text of types and conditions for the catalog, spaced as a person would write it.
//!
//! The compiler's own text of tokens that went through a macro has spaces everywhere (`Vec < u8 >`).

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

const OPERATORS: [&str; 19] = [
    "..=", "::", "->", "=>", "==", "!=", "<=", ">=", "&&", "||", "..", "+=", "-=", "*=", "/=",
    "|=", "&=", "^=", "%=",
];

/// The text of a type, like `Vec<Option<u8>>`.
pub(crate) fn of_type(ty: &impl ToTokens) -> String {
    let mut writer = Writer::new(true);
    writer.tokens(ty.to_token_stream());
    writer.out
}

/// The text of an expression, like `|e| e.total > 100`.
pub(crate) fn of_expr(tokens: TokenStream) -> String {
    let mut writer = Writer::new(false);
    writer.tokens(tokens);
    writer.out
}

#[derive(Clone, Copy, PartialEq)]
enum Last {
    Start,
    /// A name, a literal or a closed group: something an operator can follow.
    Operand,
    Keyword,
    /// An operator that has a space on either side.
    Binary,
    /// A token that the next one follows without a space.
    Tight,
    /// `,`, `;` or `:`.
    Separator,
}

struct Writer {
    out: String,
    types: bool,
    last: Last,
    in_pipes: bool,
}

impl Writer {
    fn new(types: bool) -> Self {
        Self {
            out: String::new(),
            types,
            last: Last::Start,
            in_pipes: false,
        }
    }

    fn put(&mut self, spaced: bool, text: &str, last: Last) {
        if spaced && !matches!(self.last, Last::Start | Last::Tight) {
            self.out.push(' ');
        }
        self.out.push_str(text);
        self.last = last;
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let mut trees = tokens.into_iter().peekable();
        while let Some(tree) = trees.next() {
            match tree {
                TokenTree::Ident(word) => self.word(&word),
                TokenTree::Literal(literal) => self.put(true, &literal.to_string(), Last::Operand),
                TokenTree::Group(group) => self.group(group.delimiter(), group.stream()),
                TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                    let name = trees.next().map(|name| format!("'{name}"));
                    self.put(true, &name.unwrap_or_default(), Last::Operand);
                }
                TokenTree::Punct(punct) => {
                    let mut operator = punct.as_char().to_string();
                    let mut joint = punct.spacing() == Spacing::Joint;
                    while let Some(TokenTree::Punct(next)) = trees.peek().filter(|_| joint) {
                        let longer = format!("{operator}{}", next.as_char());
                        if !OPERATORS.contains(&longer.as_str()) {
                            break;
                        }
                        joint = next.spacing() == Spacing::Joint;
                        operator = longer;
                        trees.next();
                    }
                    self.operator(&operator);
                }
            }
        }
    }

    fn word(&mut self, word: &Ident) {
        let word = word.to_string();
        let keyword = matches!(
            word.as_str(),
            "as" | "dyn"
                | "else"
                | "for"
                | "if"
                | "impl"
                | "in"
                | "let"
                | "match"
                | "move"
                | "mut"
                | "return"
        );
        self.put(
            true,
            &word,
            if keyword {
                Last::Keyword
            } else {
                Last::Operand
            },
        );
    }

    fn group(&mut self, delimiter: Delimiter, inner: TokenStream) {
        let (open, close) = match delimiter {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::Brace => ("{ ", " }"),
            Delimiter::None => return self.tokens(inner),
        };
        let called = self.last == Last::Operand && delimiter != Delimiter::Brace;
        self.put(!called, open, Last::Start);
        self.tokens(inner);
        self.out.push_str(close);
        self.last = Last::Operand;
    }

    fn operator(&mut self, operator: &str) {
        let after_operand = self.last == Last::Operand;
        match operator {
            "," | ";" | ":" => self.put(false, operator, Last::Separator),
            "?" => self.put(false, operator, Last::Operand),
            "." | "::" | ".." | "..=" => self.put(!after_operand, operator, Last::Tight),
            "<" if self.types => self.put(!after_operand, operator, Last::Tight),
            ">" if self.types => self.put(false, operator, Last::Operand),
            "!" if after_operand => self.put(false, operator, Last::Tight),
            "|" if self.in_pipes => {
                self.in_pipes = false;
                self.put(false, operator, Last::Binary);
            }
            "|" if !after_operand => {
                self.in_pipes = true;
                self.put(true, operator, Last::Tight);
            }
            "&" | "*" | "-" | "!" | "#" if !after_operand => self.put(true, operator, Last::Tight),
            "||" if !after_operand => self.put(true, operator, Last::Binary),
            _ => self.put(true, operator, Last::Binary),
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::{of_expr, of_type};

    #[test]
    fn types_read_as_written() {
        for (tokens, text) in [
            (quote!(u64), "u64"),
            (quote!(Vec<Option<u8>>), "Vec<Option<u8>>"),
            (quote!(&'static mut [u8; 3]), "&'static mut [u8; 3]"),
            (
                quote!(HashMap<String, Box<dyn Fn(u8) -> u8 + Send>>),
                "HashMap<String, Box<dyn Fn(u8) -> u8 + Send>>",
            ),
            (quote!(::std::sync::Arc<T>), "::std::sync::Arc<T>"),
            (quote!((u32, Vec<u8>)), "(u32, Vec<u8>)"),
            (quote!({ a: u32, b: &str }), "{ a: u32, b: &str }"),
        ] {
            assert_eq!(of_type(&tokens), text);
        }
    }

    #[test]
    fn conditions_read_as_written() {
        for (tokens, text) in [
            (quote!(|e| e.total > 100), "|e| e.total > 100"),
            (
                quote!(|e| !e.items.is_empty() && e.id != -1),
                "|e| !e.items.is_empty() && e.id != -1",
            ),
            (
                quote!(|Placed { total, .. }| *total > 1),
                "|Placed { total, .. }| *total > 1",
            ),
            (
                quote!(move |e| matches!(e.kind, Kind::A | Kind::B)),
                "move |e| matches!(e.kind, Kind::A | Kind::B)",
            ),
            (
                quote!(|e| e.a[0] == "x" || f(&e.b)?),
                "|e| e.a[0] == \"x\" || f(&e.b)?",
            ),
        ] {
            assert_eq!(of_expr(tokens), text);
        }
    }
}
