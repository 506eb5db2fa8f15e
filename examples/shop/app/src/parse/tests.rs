use shop_events::{Cents, Date, Purchased};

use super::{Layout, Parser, Reason};

fn parsed(line: &str) -> Result<Option<Purchased>, Reason> {
    Parser::default().parse(Some(line.as_bytes()))
}

fn reason(line: &str) -> String {
    match parsed(line) {
        Err(reason) => reason.to_string(),
        Ok(other) => panic!("{line:?} was taken as {other:?}"),
    }
}

#[test]
fn both_layouts_give_the_same_purchase() {
    let expected = Purchased {
        customer: 4,
        date: Date::new(1997, 1, 18).expect("the day exists because January has 31 days"),
        cds: 2,
        total: Cents::new(2973),
    };

    assert_eq!(
        parsed(" 00004 0001 19970118  2   29.73"),
        Ok(Some(expected))
    );
    assert_eq!(parsed("00004\t19970118 2 29.73"), Ok(Some(expected)));
}

#[test]
fn amounts_are_exact_cents() {
    for (text, cents) in [
        ("0.00", 0),
        ("0.07", 7),
        ("12", 1200),
        ("12.5", 1250),
        ("29.33", 2933),
        ("42949672.95", u64::from(u32::MAX)),
    ] {
        let purchase = parsed(&format!("1 19970101 1 {text}"));

        let total = purchase.map(|purchase| purchase.map(|purchase| purchase.total));
        assert_eq!(total, Ok(Some(Cents::new(cents))), "{text}");
    }
}

#[test]
fn blank_lines_and_the_header_hold_no_purchase() {
    let mut parser = Parser::default();

    for line in [
        "",
        "  \t ",
        " customer_id  date number_of_cds  dollar_value",
    ] {
        assert_eq!(parser.parse(Some(line.as_bytes())), Ok(None), "{line:?}");
    }

    assert_eq!(parser.layout, Some(Layout::Master));
}

#[test]
fn every_broken_field_is_named_with_its_text() {
    for (line, expected) in [
        ("1 19970101 1", "4 or 5 columns were expected, 3 found"),
        (
            "1 1 19970101 1 1.00 x",
            "4 or 5 columns were expected, 6 found",
        ),
        ("x 19970101 1 1.00", r#"customer id "x" is not a number"#),
        ("1 x 19970101 1 1.00", r#"sample id "x" is not a number"#),
        ("-1 19970101 1 1.00", r#"customer id "-1" is negative"#),
        (
            "4294967296 19970101 1 1.00",
            r#"customer id "4294967296" is too large"#,
        ),
        (
            "1 1997011 1 1.00",
            r#"date "1997011" is not of the form yyyymmdd"#,
        ),
        (
            "1 1997-1-1 1 1.00",
            r#"date "1997-1-1" is not of the form yyyymmdd"#,
        ),
        (
            "1 -9970101 1 1.00",
            r#"date "-9970101" is not of the form yyyymmdd"#,
        ),
        (
            "1 19971301 1 1.00",
            r#"date "19971301" is not in the calendar"#,
        ),
        (
            "1 19970230 1 1.00",
            r#"date "19970230" is not in the calendar"#,
        ),
        (
            "1 00000101 1 1.00",
            r#"date "00000101" is not in the calendar"#,
        ),
        (
            "1 19970101 +1 1.00",
            r#"number of CDs "+1" is not a number"#,
        ),
        (
            "1 19970101 1.5 1.00",
            r#"number of CDs "1.5" is not a number"#,
        ),
        ("1 19970101 -2 1.00", r#"number of CDs "-2" is negative"#),
        (
            "1 19970101 99999999999999999999 1.00",
            r#"number of CDs "99999999999999999999" is too large"#,
        ),
        ("1 19970101 1 -1.00", r#"dollars "-1.00" is negative"#),
        ("1 19970101 1 1.005", r#"dollars "1.005" is not a number"#),
        ("1 19970101 1 1.", r#"dollars "1." is not a number"#),
        ("1 19970101 1 .50", r#"dollars ".50" is not a number"#),
        ("1 19970101 1 1e3", r#"dollars "1e3" is not a number"#),
        ("1 19970101 1 1,50", r#"dollars "1,50" is not a number"#),
        ("1 19970101 1 NaN", r#"dollars "NaN" is not a number"#),
        (
            "1 19970101 1 42949672.96",
            r#"dollars "42949672.96" is too large"#,
        ),
        (
            "1 19970101 1 1\u{1b}[2J",
            r#"dollars "1\u{1b}[2J" is not a number"#,
        ),
    ] {
        assert_eq!(reason(line), expected, "{line:?}");
    }
}

#[test]
fn a_line_that_is_no_text_is_told_apart() {
    let mut parser = Parser::default();

    assert_eq!(
        parser.parse(Some(b"1 19970101 1 \xff")),
        Err(Reason::NotUtf8)
    );
    assert_eq!(parser.parse(None), Err(Reason::TooLong));
}

#[test]
fn the_first_purchase_decides_the_layout_and_a_broken_line_does_not() {
    let mut parser = Parser::default();
    let mut parse = |line: &str| parser.parse(Some(line.as_bytes()));

    assert!(parse("1 1 19970101 1 wrong").is_err());
    assert!(parse("1 19970101 1 1.00").is_ok());
    assert_eq!(
        parse("1 1 19970101 1 1.00"),
        Err(Reason::Mixed {
            found: 5,
            expected: 4
        }),
    );
    assert_eq!(
        parse("1 19970101"),
        Err(Reason::ColumnCount {
            found: 2,
            expected: Some(4)
        }),
    );
    assert_eq!(
        parse("customer_id date number_of_cds dollar_value"),
        Err(Reason::SecondHeader),
    );
    assert!(parse("1 19970101 1 1.00").is_ok());
}
