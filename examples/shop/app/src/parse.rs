//! From a line to a purchase, or to the reason why it is none.

mod fields;
mod reason;
#[cfg(test)]
mod tests;

use shop_events::Purchased;

pub(crate) use reason::Reason;

/// The columns of a file with its header line.
const HEADER: [&str; 4] = ["customer_id", "date", "number_of_cds", "dollar_value"];

/// How a file arranges its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Master id, sample id, date, CDs, dollars; no header.
    Sample,
    /// Customer id, date, CDs, dollars; one header line.
    Master,
}

/// Reads the lines of one file, which must all have one layout.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    layout: Option<Layout>,
}

impl Parser {
    /// The purchase in a line, or nothing if the line is the header or blank.
    ///
    /// The header or the first purchase decides the layout, so a broken first line decides nothing.
    pub(crate) fn parse(&mut self, line: Option<&[u8]>) -> Result<Option<Purchased>, Reason> {
        let bytes = line.ok_or(Reason::TooLong)?;
        let text = std::str::from_utf8(bytes).map_err(|_| Reason::NotUtf8)?;
        let columns: Vec<&str> = text.split_ascii_whitespace().collect();
        if columns.is_empty() {
            return Ok(None);
        }
        if columns == HEADER {
            if self.layout.is_some() {
                return Err(Reason::SecondHeader);
            }
            self.layout = Some(Layout::Master);
            return Ok(None);
        }
        let (layout, purchase) = match (self.layout, columns.as_slice()) {
            (None | Some(Layout::Sample), [customer, sample, date, cds, total]) => {
                // Both ids name the same customer. The master id is the one that both files share.
                fields::count("sample id", sample)?;
                (Layout::Sample, purchase(customer, date, cds, total)?)
            }
            (None | Some(Layout::Master), [customer, date, cds, total]) => {
                (Layout::Master, purchase(customer, date, cds, total)?)
            }
            (known, other) => return Err(wrong_count(known, other.len())),
        };
        self.layout = Some(layout);
        Ok(Some(purchase))
    }
}

fn purchase(customer: &str, date: &str, cds: &str, total: &str) -> Result<Purchased, Reason> {
    Ok(Purchased {
        customer: fields::count("customer id", customer)?,
        date: fields::date(date)?,
        cds: fields::count("number of CDs", cds)?,
        total: fields::dollars("dollars", total)?,
    })
}

fn wrong_count(known: Option<Layout>, found: usize) -> Reason {
    let expected = match known {
        None => None,
        Some(Layout::Sample) => Some(5),
        Some(Layout::Master) => Some(4),
    };
    match expected {
        // The number of columns of the other layout.
        Some(expected) if found == 4 || found == 5 => Reason::Mixed { found, expected },
        expected => Reason::ColumnCount { found, expected },
    }
}
