//! `docs/errors.md` is complete: every message of the compile-fail cases, every code and every kind of failure of the source.

use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A message without what differs from case to case: names in backticks and numbers.
fn shape(message: &str) -> String {
    let message = message
        .strip_prefix("evaluation panicked: ")
        .unwrap_or(message);
    let outside = message.split('`').step_by(2);
    let shape = outside.collect::<Vec<_>>().join("`..`");
    shape.replace(|c: char| c.is_ascii_digit(), "")
}

/// The text behind `error: ` or `error[E0277]: `.
fn message(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("error")?;
    let rest = match rest.strip_prefix('[') {
        Some(code) => code.split_once(']')?.1,
        None => rest,
    };
    rest.strip_prefix(": ")
}

/// The names of an enum's variants, read from the source so that a new one cannot be forgotten.
fn variants(source: &str, name: &str) -> Vec<String> {
    let (_, rest) = source
        .split_once(&format!("pub enum {name} {{"))
        .expect("the enum is there");
    let (body, _) = rest.split_once("\n}").expect("the enum ends");
    let names = body
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with(char::is_uppercase));
    names
        .map(|line| line.trim_end_matches(',').to_owned())
        .collect()
}

#[test]
fn every_compile_error_is_explained() {
    let docs = read("docs/errors.md");
    let explained: Vec<_> = docs
        .lines()
        .filter_map(|line| line.strip_prefix("- "))
        .filter_map(message)
        .map(shape)
        .collect();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui/fail");
    let mut seen = 0;
    for entry in fs::read_dir(cases).expect("the cases are there") {
        let path = entry.expect("the case is there").path();
        if path
            .extension()
            .is_none_or(|extension| extension != "stderr")
        {
            continue;
        }
        let text = fs::read_to_string(&path).expect("the snapshot can be read");
        for message in text.lines().filter_map(message) {
            seen += 1;
            assert!(
                explained.contains(&shape(message)),
                "{}: `docs/errors.md` lacks: {message}",
                path.display()
            );
        }
    }
    assert!(seen >= 50, "{seen} messages");
}

#[test]
fn every_code_of_a_build_error_is_explained() {
    let docs = read("docs/errors.md");
    let source = read("event-core/src/build/error.rs");
    let codes = variants(&source, "Code");
    assert!(codes.len() >= 13, "{codes:?}");
    for code in codes {
        let (_, text) = source
            .split_once(&format!("Code::{code} => \""))
            .expect("a code has a text");
        let (text, _) = text.split_once('"').expect("the text ends");
        assert!(docs.contains(&format!("\n| `{text}` | ")), "{text}");
    }
}

#[test]
fn every_kind_of_failure_is_explained() {
    let docs = read("docs/errors.md");
    let source = read("event-core/src/dispatch/failure.rs");
    let kinds = variants(&source, "FailureKind");
    assert!(kinds.len() >= 9, "{kinds:?}");
    for kind in kinds {
        let (_, text) = source
            .split_once(&format!("FailureKind::{kind} => \""))
            .expect("a kind has a text");
        let (text, _) = text.split_once('"').expect("the text ends");
        assert!(
            docs.contains(&format!("\n| `{kind}` | `{text}` | ")),
            "{kind}: {text}"
        );
    }
}

#[test]
fn every_kind_of_error_of_a_connection_is_explained() {
    let docs = read("docs/errors.md");
    for (file, name) in [
        ("error", "TransportErrorKind"),
        ("error", "ConnectionErrorKind"),
        ("tls/error", "TlsErrorKind"),
        ("stream/transport", "WriteError"),
        ("datagram/error", "SendError"),
    ] {
        let kinds = variants(&read(&format!("event-transport/src/{file}.rs")), name);
        assert!(kinds.len() >= 3, "{name}: {kinds:?}");
        for kind in kinds {
            let kind = kind.split(['(', ' ']).next().unwrap_or(&kind);
            assert!(
                docs.contains(&format!("\n| `{name}::{kind}` | ")),
                "{name}::{kind}"
            );
        }
    }
}
