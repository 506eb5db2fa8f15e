use shop_events::{Cents, Date};

use super::Reason;

/// A whole number without a sign.
pub(super) fn count(column: &'static str, text: &str) -> Result<u32, Reason> {
    check_number(column, text, text)?;
    text.parse()
        .map_err(|_| Reason::TooLarge(column, text.into()))
}

/// Dollars, with at most two digits of cents.
///
/// One amount is kept below 2^32 cents, so that no file that fits a disk can overflow a sum of 64 bits.
pub(super) fn dollars(column: &'static str, text: &str) -> Result<Cents, Reason> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    check_number(column, text, whole)?;
    let cents = match fraction.as_bytes() {
        [tens @ b'0'..=b'9'] => u32::from(tens - b'0') * 10,
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => u32::from((tens - b'0') * 10 + (ones - b'0')),
        _ => return Err(Reason::NotANumber(column, text.into())),
    };
    whole
        .parse::<u32>()
        .ok()
        .and_then(|whole| whole.checked_mul(100)?.checked_add(cents))
        .map(|cents| Cents::new(cents.into()))
        .ok_or_else(|| Reason::TooLarge(column, text.into()))
}

/// A day as `yyyymmdd`.
pub(super) fn date(text: &str) -> Result<Date, Reason> {
    let not_a_date = || Reason::NotADate(text.into());
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(not_a_date());
    }
    let number: u32 = text.parse().map_err(|_| not_a_date())?;
    let part = |divisor: u32, modulus: u32| u16::try_from(number / divisor % modulus);
    let (Ok(year), Ok(month), Ok(day)) = (part(10_000, 10_000), part(100, 100), part(1, 100))
    else {
        return Err(not_a_date());
    };
    let small = |number: u16| u8::try_from(number).map_err(|_| not_a_date());
    Date::new(year, small(month)?, small(day)?).ok_or_else(|| Reason::NoSuchDay(text.into()))
}

/// Tells a negative number from what is no number, and lets digits pass. `text` is what the reason shows.
fn check_number(column: &'static str, text: &str, digits: &str) -> Result<(), Reason> {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if number(digits) {
        Ok(())
    } else if digits.strip_prefix('-').is_some_and(number) {
        Err(Reason::Negative(column, text.into()))
    } else {
        Err(Reason::NotANumber(column, text.into()))
    }
}
