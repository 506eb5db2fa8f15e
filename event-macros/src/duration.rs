//! Times as attributes write them: `"5s"`, `"1h30m"`, `"250ms"`.

const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
    ("d", 86_400 * 1_000_000_000),
];

/// The nanoseconds that a text says, more than none, or what is wrong with it.
pub(crate) fn nanos(text: &str) -> Result<u64, String> {
    let expected = "write numbers with units, like `\"5s\"`, `\"250ms\"` or `\"1h30m\"` (ns, us, ms, s, m, h, d)";
    if text.trim_start().starts_with('-') {
        return Err(format!("a time is not negative: {expected}"));
    }
    let mut rest = text.trim();
    let mut sum: u64 = 0;
    if rest.is_empty() {
        return Err(format!("there is no time here: {expected}"));
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        if number.is_empty() {
            let found = rest.chars().next().unwrap_or_default();
            return Err(format!("a number is missing before `{found}`: {expected}"));
        }
        let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(if unit.is_empty() && tail.starts_with(['.', ',']) {
                format!("a time has whole numbers: {expected}")
            } else if unit.is_empty() {
                format!("`{number}` has no unit behind it: {expected}")
            } else {
                format!("`{unit}` is no unit: {expected}")
            });
        };
        let part = number.parse::<u64>().ok();
        let part = part.and_then(|number| number.checked_mul(*factor));
        sum = part
            .and_then(|part| sum.checked_add(part))
            .ok_or_else(|| format!("`{text}` is longer than 584 years: {expected}"))?;
        rest = tail.trim_start();
    }
    if sum == 0 {
        return Err(format!("the time is zero: {expected}"));
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::nanos;

    #[test]
    fn a_time_is_a_sum_of_numbers_with_units() {
        assert_eq!(nanos("5s"), Ok(5_000_000_000));
        assert_eq!(nanos("1h30m"), Ok(5_400_000_000_000));
        assert_eq!(nanos(" 1s 250ms "), Ok(1_250_000_000));
        assert_eq!(nanos("7ns"), Ok(7));
    }

    #[test]
    fn what_is_no_time_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", "there is no time"),
            ("5", "`5` has no unit"),
            ("s", "a number is missing before `s`"),
            ("5 parsecs", "`5` has no unit"),
            ("5parsecs", "`parsecs` is no unit"),
            ("-5s", "not negative"),
            ("0s", "the time is zero"),
            ("1.5s", "a time has whole numbers"),
            ("5 s", "`5` has no unit behind it"),
            ("999999999999d", "longer than 584 years"),
            ("99999999999999999999s", "longer than 584 years"),
        ] {
            let error = nanos(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
