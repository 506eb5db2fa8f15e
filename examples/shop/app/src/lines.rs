use std::io::{self, BufRead, Read};

/// The longest line that is read. A purchase needs 31 bytes; a file without line ends must not fill the memory.
const LONGEST: u64 = 1024;

/// Lines of a file as bytes, with their numbers.
pub(crate) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    number: u64,
}

/// One line without its end, or `None` in place of one that is too long.
pub(crate) struct Line<'a> {
    pub(crate) number: u64,
    pub(crate) bytes: Option<&'a [u8]>,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            number: 0,
        }
    }

    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let limit = LONGEST + 2;
        let read = (&mut self.input)
            .take(limit)
            .read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let ended = self.buffer.last() == Some(&b'\n');
        if !ended && read as u64 == limit {
            self.input.skip_until(b'\n')?;
            return Ok(Some(self.line(false)));
        }
        while matches!(self.buffer.last(), Some(b'\n' | b'\r')) {
            self.buffer.pop();
        }
        Ok(Some(self.line(self.buffer.len() as u64 <= LONGEST)))
    }

    fn line(&self, whole: bool) -> Line<'_> {
        Line {
            number: self.number,
            bytes: whole.then_some(&*self.buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Lines};

    fn read(text: &[u8]) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut lines = Lines::new(text);
        let mut read = Vec::new();
        while let Some(line) = lines.next().expect("a slice can always be read") {
            read.push((line.number, line.bytes.map(<[u8]>::to_vec)));
        }
        read
    }

    #[test]
    fn both_line_ends_are_taken_off_and_the_last_line_needs_none() {
        let expected = [(1, "a"), (2, ""), (3, "b"), (4, "c")]
            .map(|(number, text)| (number, Some(text.as_bytes().to_vec())));

        assert_eq!(read(b"a\r\n\nb\nc"), expected);
        assert_eq!(read(b""), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_as_one_line() {
        let longest = "x".repeat(usize::try_from(LONGEST).expect("the limit is small"));

        for more in ["y", "yy", "yyy", &"y".repeat(100_000)] {
            let text = format!("{longest}\r\n{longest}{more}\r\nlast\n");

            let lines = read(text.as_bytes());

            assert_eq!(lines.len(), 3);
            assert_eq!(lines[0], (1, Some(longest.clone().into_bytes())));
            assert_eq!(lines[1], (2, None));
            assert_eq!(lines[2], (3, Some(b"last".to_vec())));
        }
    }
}
