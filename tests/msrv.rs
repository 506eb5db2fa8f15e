//! The oldest Rust that the published packages promise: nothing they depend on asks for more, and none of their own sources uses what
//! came later.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The published packages and the folders of their sources.
const PUBLISHED: [(&str, &str); 5] = [
    ("tidings", "src"),
    ("event-core", "event-core/src"),
    ("event-macros", "event-macros/src"),
    ("event-runtime", "event-runtime/src"),
    ("event-transport", "event-transport/src"),
];

const OLDEST: (u32, u32) = (1, 85);

/// The platform of this machine: for another one, cargo would have to download what it needs there.
fn host() -> String {
    let output = Command::new(env!("CARGO"))
        .arg("-vV")
        .output()
        .expect("cargo runs");
    let text = String::from_utf8(output.stdout).expect("cargo prints text");
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("cargo names the host").to_owned()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--all-features",
            "--locked",
            "--filter-platform",
            &host(),
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("cargo prints a list here")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("cargo prints text here")
}

/// `1.85` or `1.85.0` as numbers.
fn version(text: &str) -> (u32, u32) {
    let mut parts = text
        .split('.')
        .map(|part| part.parse().expect("a version has numbers"));
    (
        parts.next().expect("a version has a first number"),
        parts.next().unwrap_or(0),
    )
}

/// Every package that a user of the published packages compiles, with the Rust that it asks for.
fn needed(metadata: &Value) -> BTreeMap<String, Option<(u32, u32)>> {
    let packages: BTreeMap<&str, &Value> = list(&metadata["packages"])
        .iter()
        .map(|package| (text(&package["id"]), package))
        .collect();
    let nodes: BTreeMap<&str, &Value> = list(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| (text(&node["id"]), node))
        .collect();
    let published = |name: &str| PUBLISHED.iter().any(|(published, _)| *published == name);
    let members: BTreeSet<&str> = list(&metadata["workspace_members"])
        .iter()
        .map(text)
        .collect();
    let mut open: Vec<&str> = members
        .into_iter()
        .filter(|id| published(text(&packages[id]["name"])))
        .collect();
    assert_eq!(open.len(), PUBLISHED.len());
    let mut found = BTreeMap::new();
    while let Some(id) = open.pop() {
        let package = packages[id];
        let name = format!("{} {}", text(&package["name"]), text(&package["version"]));
        if found
            .insert(name, package["rust_version"].as_str().map(version))
            .is_none()
        {
            let serves_users = |dep: &&Value| {
                list(&dep["dep_kinds"])
                    .iter()
                    .any(|kind| kind["kind"].as_str() != Some("dev"))
            };
            open.extend(
                list(&nodes[id]["deps"])
                    .iter()
                    .filter(serves_users)
                    .map(|dep| text(&dep["pkg"])),
            );
        }
    }
    found
}

#[test]
fn no_dependency_of_the_published_packages_asks_for_a_newer_rust() {
    let needed = needed(&metadata());

    assert!(
        needed.len() > 10,
        "the dependencies were not found: {needed:?}"
    );
    for known in ["inventory", "syn", "serde_json", "arc-swap", "fastrand"] {
        assert!(
            needed
                .keys()
                .any(|name| name.starts_with(&format!("{known} "))),
            "{known} is not in {needed:?}"
        );
    }
    let newer: Vec<_> = needed
        .iter()
        .filter(|(_, asked)| asked.is_some_and(|asked| asked > OLDEST))
        .collect();
    assert!(
        newer.is_empty(),
        "these ask for a Rust newer than {OLDEST:?}: {newer:?}"
    );
}

#[test]
fn the_published_packages_declare_the_oldest_rust() {
    let metadata = metadata();
    for (name, _) in PUBLISHED {
        let package = list(&metadata["packages"])
            .iter()
            .find(|package| text(&package["name"]) == name)
            .expect("it is a member");

        assert_eq!(version(text(&package["rust_version"])), OLDEST, "{name}");
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder of a package can be read");
    let paths = entries.map(|entry| entry.expect("an entry can be read").path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The places of let chains, which edition 2024 has from Rust 1.88 on: the compiler of the day accepts them in silence.
fn let_chains(source: &str) -> Vec<usize> {
    let code: Vec<&str> = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let mut lines = Vec::new();
    for (at, line) in code.iter().enumerate() {
        let next = code.get(at + 1).map_or("", |next| next.trim_start());
        let here = line.contains("&& let ")
            || (line.trim_end().ends_with("&&") && next.starts_with("let "));
        let begins = ["if let ", "while let "]
            .iter()
            .any(|word| line.contains(word));
        // What follows `if let` up to the block: a `&&` outside of parentheses continues the chain.
        let condition: String = code[at..]
            .iter()
            .flat_map(|line| line.chars().chain(['\n']))
            .take_while(|c| *c != '{')
            .collect();
        let head = begins.then(|| condition.split("let ").nth(1).unwrap_or_default());
        if here || head.is_some_and(chained) {
            lines.push(at + 1);
        }
    }
    lines
}

/// Whether a `&&` stands in a condition outside of parentheses.
fn chained(condition: &str) -> bool {
    let mut depth = 0_i32;
    let mut before = ' ';
    for c in condition.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '&' if before == '&' && depth == 0 => return true,
            _ => {}
        }
        before = c;
    }
    false
}

#[test]
fn no_source_of_the_published_packages_has_a_let_chain() {
    for (name, folder) in PUBLISHED {
        let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));

        assert!(!files.is_empty(), "{name} has no sources");
        for file in files {
            let source = std::fs::read_to_string(&file).expect("a source can be read");
            let lines = let_chains(&source);
            assert!(
                lines.is_empty(),
                "{} has let chains in the lines {lines:?}",
                file.display()
            );
        }
    }
}

#[test]
fn a_let_chain_is_found_where_there_is_one() {
    assert_eq!(let_chains("if a && let Some(b) = c {}"), [1]);
    assert_eq!(let_chains("\nif let Some(b) = c && b {}"), [2]);
    assert_eq!(let_chains("if a\n    &&\n    let Some(b) = c {}"), [2]);
    assert_eq!(let_chains("while let Some(b) = c()\n    && b {}"), [1]);
    assert!(
        let_chains("if let Some(b) = c(a && d) {}\nif a && b {}\nlet d = a && b; // && let x")
            .is_empty()
    );
}
