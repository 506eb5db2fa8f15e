//! The two kinds of tables: ratios of contestants, and single figures.

use std::error::Error;
use std::fmt::{self, Write as _};

use super::measured::Measured;

/// A ratio of two contestants, and how small it should be.
pub(super) struct Reach {
    pub(super) work: &'static str,
    pub(super) ours: &'static str,
    pub(super) reference: &'static str,
    /// At most this, or nothing if the ratio is only reported.
    pub(super) most: Option<f64>,
}

pub(super) const fn reach(
    work: &'static str,
    ours: &'static str,
    reference: &'static str,
    most: Option<f64>,
) -> Reach {
    Reach {
        work,
        ours,
        reference,
        most,
    }
}

/// A row of what the programs print beside the ratios.
pub(super) type Figure = (&'static str, &'static str, &'static str, Option<f64>);

pub(super) fn ratios(
    page: &mut String,
    measured: &Measured,
    rows: &[Reach],
) -> Result<(), Box<dyn Error>> {
    page.push_str("| work | reference | its ns | ours, ns | ratio | reach | reached |\n|---|---|--:|--:|--:|--:|---|\n");
    for reach in rows {
        let Reach {
            work,
            ours,
            reference,
            most,
        } = reach;
        let (theirs, nanoseconds) = (
            measured.get(&format!("ns {reference}"))?,
            measured.get(&format!("ns {ours}"))?,
        );
        let ratio = measured.get(&format!("ratio {ours} {reference}"))?;
        let verdict = Verdict(ratio, *most);
        writeln!(
            page,
            "| {work} | {reference} | {theirs:.1} | {nanoseconds:.1} | {ratio:.2} | {verdict} |"
        )?;
    }
    Ok(())
}

pub(super) fn figures(
    page: &mut String,
    measured: &Measured,
    rows: &[Figure],
) -> Result<(), Box<dyn Error>> {
    page.push_str("| what | measured | reach | reached |\n|---|--:|--:|---|\n");
    for (what, key, unit, most) in rows {
        let value = measured.get(key)?;
        let verdict = Verdict(value, *most);
        writeln!(
            page,
            "| {what} | {value:.*} {unit} | {verdict} |",
            digits(unit)
        )?;
    }
    Ok(())
}

fn digits(unit: &str) -> usize {
    match unit {
        "" | "ns" => 0,
        _ => 2,
    }
}

pub(super) fn yes(reached: bool) -> &'static str {
    if reached { "yes" } else { "**no**" }
}

/// The last two columns of a row: the reach, and whether it was reached to two digits.
struct Verdict(f64, Option<f64>);

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(most) => write!(f, "≤ {most} | {}", yes(self.0 < most + 0.005)),
            None => f.write_str("reported |"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict;

    #[test]
    fn a_reach_is_judged_to_two_digits() {
        assert_eq!(Verdict(1.304, Some(1.3)).to_string(), "≤ 1.3 | yes");
        assert_eq!(Verdict(1.31, Some(1.3)).to_string(), "≤ 1.3 | **no**");
        assert_eq!(Verdict(9.0, None).to_string(), "reported |");
    }
}
