//! A library that registers nothing.

/// What a library without events has: a function.
pub fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_adds() {
        assert_eq!(super::add(1, 2), 3);
    }
}
