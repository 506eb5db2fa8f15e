//! The parts of a struct or an enum that the macro reads.

use proc_macro2::{Group, TokenStream};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Error, Field, Fields, Generics, Ident, Result, Token, Type, Variant, Visibility,
    token,
};

use crate::attrs::keyword;
use crate::text;

pub(crate) struct Head {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) fields: Vec<Entry>,
}

/// A field, or a variant of an enum.
pub(crate) struct Entry {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) name: String,
    pub(crate) ty: String,
}

pub(crate) fn parse(item: TokenStream) -> Result<Head> {
    let keyword = keyword(&item).ok_or_else(|| {
        Error::new(
            proc_macro2::Span::call_site(),
            "`#[event]` goes on a struct or an enum",
        )
    })?;
    let message = match keyword.to_string().as_str() {
        "struct" | "enum" => return head.parse2(item),
        "union" => "a union cannot be an event: declare a struct or an enum",
        "fn" | "async" | "unsafe" | "extern" => {
            "`#[event]` goes on a struct or an enum: a function takes `#[listener]`"
        }
        "impl" => "`#[event]` goes on the struct or enum itself, not on its impl block",
        "type" => "`#[event]` goes on the struct or enum itself, not on an alias",
        _ => "`#[event]` goes on a struct or an enum",
    };
    Err(Error::new(keyword.span(), message))
}

fn head(input: ParseStream<'_>) -> Result<Head> {
    let attrs = input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    let is_enum = input.parse::<Option<Token![enum]>>()?.is_some();
    if !is_enum {
        input.parse::<Token![struct]>()?;
    }
    let ident = input.parse()?;
    let mut generics: Generics = input.parse()?;
    generics.where_clause = input.parse()?;
    let tuple = input.peek(token::Paren);
    let body: Option<Group> = if tuple || input.peek(token::Brace) {
        Some(input.parse()?)
    } else {
        None
    };
    if tuple {
        generics.where_clause = input.parse()?;
    }
    input.parse::<TokenStream>()?;
    // A body that does not parse is half typed: the compiler says so itself, and completion needs the rest of the output.
    let fields = body.and_then(|body| entries(is_enum, tuple, body.stream()).ok());
    Ok(Head {
        attrs,
        ident,
        generics,
        fields: fields.unwrap_or_default(),
    })
}

fn entries(is_enum: bool, tuple: bool, body: TokenStream) -> Result<Vec<Entry>> {
    if is_enum {
        let variants = Punctuated::<Variant, Token![,]>::parse_terminated.parse2(body)?;
        return Ok(variants.into_iter().map(variant).collect());
    }
    let field = if tuple {
        Field::parse_unnamed
    } else {
        Field::parse_named
    };
    let read = |input: ParseStream<'_>| input.parse_terminated(field, Token![,]);
    let entry = |(index, field): (usize, Field)| Entry {
        name: field.ident.as_ref().map_or_else(|| index.to_string(), name),
        ty: text::of_type(&field.ty),
        attrs: field.attrs,
    };
    Ok(read
        .parse2(body)?
        .into_iter()
        .enumerate()
        .map(entry)
        .collect())
}

fn variant(variant: Variant) -> Entry {
    let join = |texts: Vec<String>| texts.join(", ");
    let types = |ty: &Type| text::of_type(ty);
    let ty = match &variant.fields {
        Fields::Unit => String::new(),
        Fields::Unnamed(fields) => {
            format!(
                "({})",
                join(
                    fields
                        .unnamed
                        .iter()
                        .map(|field| types(&field.ty))
                        .collect()
                )
            )
        }
        Fields::Named(fields) => {
            let pair = |field: &Field| {
                format!(
                    "{}: {}",
                    field.ident.as_ref().map_or_else(String::new, name),
                    types(&field.ty)
                )
            };
            format!("{{ {} }}", join(fields.named.iter().map(pair).collect()))
        }
    };
    Entry {
        attrs: variant.attrs,
        name: name(&variant.ident),
        ty,
    }
}

fn name(ident: &Ident) -> String {
    syn::ext::IdentExt::unraw(ident).to_string()
}
