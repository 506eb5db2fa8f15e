//! Questions about order, asked of our loop and of asyncio's: where the contract says that an answer is kept, both give the same one.
//!
//! `tests/probe/answers.txt` has our answers; `UPDATE_SNAPSHOTS=1` writes it anew.
#![cfg(feature = "runtime")]

#[path = "probe/mod.rs"]
mod probe;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::process::Command;
use std::{env, fs};

use probe::questions;

const ANSWERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/probe/answers.txt");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/probe/asyncio_probe.py");

/// Of how many timers a machine that stalls may change the order in asyncio, which runs on the real clock: a line that differs is asked again.
const TRIES: u32 = 3;

#[test]
fn our_answers_are_the_recorded_ones() {
    let mut answers = String::new();
    for question in questions() {
        let line = format!("{}: {}\n", question.name, question.answer());
        answers.push_str(&line);
        if let Some(why) = question.differs {
            answers.extend(["    (asyncio differs: ", why, ")\n"]);
        }
    }
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(ANSWERS, &answers).unwrap();
    }
    assert_eq!(answers, fs::read_to_string(ANSWERS).unwrap());
    assert!(questions().count() >= 40);
}

#[test]
fn every_question_is_asked_of_both() {
    let script = fs::read_to_string(SCRIPT).unwrap();
    let asked: Vec<_> = script
        .lines()
        .filter_map(|line| line.strip_prefix("@question(\"")?.split('"').next())
        .collect();
    let ours: Vec<_> = questions().map(|question| question.name).collect();
    assert_eq!(asked, ours);
}

/// What asyncio answers; `Err` with the least version if it is too old for the question. `None` without Python.
fn asyncio() -> Option<BTreeMap<String, Result<String, String>>> {
    let output = match Command::new("python3")
        .args(["-W", "ignore", SCRIPT])
        .output()
    {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        output => output.unwrap(),
    };
    let text = |bytes| String::from_utf8(bytes).unwrap();
    assert!(output.status.success(), "{}", text(output.stderr));
    let line = |line: &str| {
        let answer = line.split_once(": ").map(|(name, said)| (name, Ok(said)));
        let older = || {
            line.split_once("? ")
                .map(|(name, least)| (name, Err(least)))
        };
        let (name, said) = answer.or_else(older).expect("a line is an answer");
        let said = said.map(str::to_owned).map_err(str::to_owned);
        (name.to_owned(), said)
    };
    Some(text(output.stdout).lines().map(line).collect())
}

/// What is not the same, and what was not compared.
fn compare() -> Option<(Vec<String>, Vec<String>)> {
    let theirs = asyncio()?;
    let (mut wrong, mut left) = (Vec::new(), Vec::new());
    for question in questions() {
        let name = question.name;
        match (question.differs, &theirs[name]) {
            (Some(why), _) => left.push(format!("{name}: {why}")),
            (None, Err(least)) => left.push(format!("{name}: needs CPython {least}")),
            (None, Ok(theirs)) => {
                let ours = question.answer();
                if ours != *theirs {
                    wrong.push(format!(
                        "{name}\n    ours:    {ours}\n    asyncio: {theirs}"
                    ));
                }
            }
        }
    }
    Some((wrong, left))
}

#[test]
fn what_the_contract_keeps_asyncio_answers_too() {
    let mut wrong = Vec::new();
    for _ in 0..TRIES {
        let Some((differs, left)) = compare() else {
            println!("not compared with asyncio: there is no `python3`");
            return;
        };
        wrong = differs;
        if wrong.is_empty() {
            for line in left {
                println!("not compared: {line}");
            }
            return;
        }
    }
    panic!("asyncio answers otherwise:\n{}", wrong.join("\n"));
}
