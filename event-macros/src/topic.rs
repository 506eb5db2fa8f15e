//! The grammar of topics, patterns and ids, checked where the literal stands.

const SEGMENTS: usize = 16;
const BYTES: usize = 255;

/// Says what is wrong with the topic of an event.
pub(crate) fn check_topic(topic: &str) -> Result<(), String> {
    if topic.contains('*') {
        return Err(format!(
            "`{topic}` is a pattern, an event has one topic: patterns belong in `#[listener(\"{topic}\")]`"
        ));
    }
    check_size(topic, "topic")?;
    topic
        .split('.')
        .try_for_each(|segment| check_segment(topic, segment, "topic"))
}

/// Says what is wrong with a topic or pattern on the listening side.
pub(crate) fn check_pattern(pattern: &str) -> Result<(), String> {
    check_size(pattern, "pattern")?;
    let mut segments = pattern.split('.').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "*" => {}
            "**" if segments.peek().is_none() => {}
            "**" => {
                return Err(format!(
                    "`**` in the pattern `{pattern}` is not the last segment: write `*` for one segment"
                ));
            }
            mixed if mixed.contains('*') => {
                return Err(format!(
                    "`{mixed}` in the pattern `{pattern}` mixes `*` with other characters: write `*` for a whole segment, \
                     or `**` as the last segment for one or more"
                ));
            }
            plain => check_segment(pattern, plain, "pattern")?,
        }
    }
    Ok(())
}

/// Says what is wrong with the id of a listener.
pub(crate) fn check_id(id: &str) -> Result<(), String> {
    if id.is_empty() {
        return Err("the id is empty: write one like `billing.charge`".to_owned());
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    match id.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(format!(
            "the id `{id}` contains `{}`: write letters, digits, `_`, `-`, `.` and `:`",
            c.escape_debug()
        )),
        None => Ok(()),
    }
}

fn check_size(text: &str, what: &str) -> Result<(), String> {
    let segments = text.split('.').count();
    if text.is_empty() {
        Err(format!(
            "the {what} is empty: write one like `orders.placed`"
        ))
    } else if text.len() > BYTES {
        Err(format!(
            "the {what} is {} bytes long: write at most {BYTES}",
            text.len()
        ))
    } else if segments > SEGMENTS {
        Err(format!(
            "the {what} has {segments} segments: write at most {SEGMENTS}"
        ))
    } else {
        Ok(())
    }
}

fn check_segment(whole: &str, segment: &str, what: &str) -> Result<(), String> {
    if segment.is_empty() {
        return Err(format!(
            "the {what} `{whole}` has an empty segment: join segments by single dots, like `orders.placed`"
        ));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match segment.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(format!(
            "the {what} `{}` contains `{}`: write letters, digits, `_` and `-`, and `.` between segments",
            whole.escape_debug(),
            c.escape_debug()
        )),
        None => Ok(()),
    }
}

/// `NewOrder` to `new_order`, `HTTPServer` to `http_server`.
pub(crate) fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| chars[i]);
        let starts_word = c.is_uppercase()
            && before.is_some_and(|b| {
                let ends_acronym =
                    b.is_uppercase() && chars.get(i + 1).is_some_and(|n| n.is_lowercase());
                b.is_lowercase() || b.is_numeric() || ends_acronym
            });
        if starts_word {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::{check_id, check_pattern, check_topic, snake_case};

    #[test]
    fn topics_are_segments_joined_by_dots() {
        for good in ["a", "orders.placed", "A-1.b_2.c", &vec!["x"; 16].join(".")] {
            assert_eq!(check_topic(good), Ok(()), "{good}");
        }
        let long = "x".repeat(256);
        for (bad, part) in [
            ("", "is empty"),
            (".", "empty segment"),
            ("a..b", "empty segment"),
            ("orders placed", "contains ` `"),
            ("größe", "contains `ö`"),
            ("a\nb", "contains `\\n`"),
            (&vec!["x"; 17].join("."), "17 segments: write at most 16"),
            (&long, "256 bytes long"),
            ("orders.*", "patterns belong in `#[listener(\"orders.*\")]`"),
        ] {
            let message = check_topic(bad).expect_err(bad);
            assert!(message.contains(part), "{bad}: {message}");
        }
    }

    #[test]
    fn patterns_know_two_wildcards() {
        for good in ["*", "**", "orders.*", "*.placed", "orders.*.**"] {
            assert_eq!(check_pattern(good), Ok(()), "{good}");
        }
        for (bad, part) in [
            ("**.placed", "not the last segment"),
            ("orders.pl*", "`pl*` in the pattern `orders.pl*` mixes"),
            ("orders.***", "`***` in the pattern"),
            ("orders.", "empty segment"),
            ("orders/*", "mixes"),
            ("a b.*", "contains ` `"),
        ] {
            let message = check_pattern(bad).expect_err(bad);
            assert!(message.contains(part), "{bad}: {message}");
        }
    }

    #[test]
    fn ids_are_words_dots_and_colons() {
        assert_eq!(check_id("crate::billing.charge-1"), Ok(()));
        assert!(check_id("").is_err());
        assert!(check_id("a b").is_err_and(|m| m.contains("contains ` `")));
    }

    #[test]
    fn snake_case_keeps_acronyms_together() {
        for (name, topic) in [
            ("NewOrder", "new_order"),
            ("HTTPServer", "http_server"),
            ("A", "a"),
            ("AB", "ab"),
            ("ABTest", "ab_test"),
            ("Order2Placed", "order2_placed"),
            ("Order_Placed", "order_placed"),
            ("r", "r"),
        ] {
            assert_eq!(snake_case(name), topic);
        }
    }
}
