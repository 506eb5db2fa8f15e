//! `cargo xtask test`: runs the steps one after the other and stops at the first that fails.

use std::{error::Error, time::Instant};

use crate::{
    examples,
    steps::{Outcome, STEPS, Step},
    tools,
};

const BLESS: &str = "--bless";

/// Runs the steps that `arguments` name, or all of them.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    if arguments == ["--list"] {
        for step in STEPS {
            println!("{:<16} {}", step.name, step.about);
        }
        return Ok(());
    }
    if arguments.iter().any(|argument| argument == BLESS) {
        let other = arguments
            .iter()
            .find(|argument| *argument != BLESS && *argument != examples::NAME);
        return match other {
            None => examples::bless(),
            Some(other) => {
                Err(format!("`{BLESS}` writes the examples' output, not `{other}`").into())
            }
        };
    }
    let steps = chosen(arguments)?;
    tools::check_components()?;

    let mut passed = 0;
    let mut skipped = Vec::new();
    for step in &steps {
        println!("==> {}: {}", step.name, step.about);
        let started = Instant::now();
        let outcome = (step.run)();
        let seconds = started.elapsed().as_secs_f64();
        match outcome {
            Ok(Outcome::Passed) => {
                passed += 1;
                println!("==> {} passed in {seconds:.1} s\n", step.name);
            }
            Ok(Outcome::Skipped(missing)) => {
                println!("==> {} skipped: {missing}\n", step.name);
                skipped.push(format!("skipped {}: {missing}", step.name));
            }
            Err(error) => {
                eprintln!("==> {} failed in {seconds:.1} s: {error}\n", step.name);
                println!("{passed} passed, 1 failed");
                return Err(format!("step `{}` failed", step.name).into());
            }
        }
    }
    for line in skipped {
        println!("{line}");
    }
    if arguments.is_empty() {
        tools::name_missing();
    }
    println!("{passed} passed, 0 failed");
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Step>, String> {
    if names.is_empty() {
        return Ok(STEPS.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            STEPS.iter().find(|step| step.name == name).ok_or_else(|| {
                let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
                format!(
                    "no step is named `{name}`; the steps are {}",
                    known.join(", ")
                )
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{STEPS, chosen};

    #[test]
    fn no_name_chooses_every_step_and_a_name_chooses_one() {
        let all = chosen(&[]).expect("all steps are known");
        let one = chosen(&["fmt".into()]).expect("the step is known");

        assert_eq!(all.len(), STEPS.len());
        assert_eq!(one.len(), 1);
        assert_eq!(one[0].name, "fmt");
    }

    #[test]
    fn an_unknown_step_is_answered_with_the_known_ones() {
        let error = chosen(&["fmd".into()]).expect_err("no step has this name");

        assert!(error.starts_with("no step is named `fmd`"), "{error}");
        assert!(error.contains("fmt, clippy"), "{error}");
    }

    #[test]
    fn every_step_has_its_own_name() {
        for (index, step) in STEPS.iter().enumerate() {
            let first = STEPS.iter().position(|other| other.name == step.name);

            assert_eq!(first, Some(index), "{}", step.name);
        }
    }
}
