//! What is wrong with a certificate, in words that say what to do.

use tokio_rustls::rustls::CertificateError;
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage};

use crate::connection::Side;

/// Why this side does not accept the certificate of the other one; `None` if the error's own words are the best ones.
pub(super) fn words(error: &CertificateError, own: Option<Side>) -> Option<String> {
    let (whose, roots) = match own {
        Some(Side::Client) => ("server's", "`roots`"),
        Some(Side::Server) => ("client's", "`client_roots`"),
        None => ("peer's", "the roots of this side"),
    };
    let says = match error {
        CertificateError::UnknownIssuer => format!("is signed by nobody in {roots}"),
        CertificateError::BadSignature => format!(
            "names an authority of {roots} that has not signed it: was the authority made anew under its old name?"
        ),
        CertificateError::Expired => "has expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("has expired: it was valid until {}", date(*not_after))
        }
        CertificateError::NotValidYet => "is not valid yet".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("is not valid yet, but from {} on", date(*not_before))
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let names: Vec<_> = presented.iter().map(|name| plain(name)).collect();
            let expected = expected.to_str();
            match names.first() {
                None => format!("has no name, and should have `{expected}`"),
                Some(first) => format!(
                    "is not one for `{expected}` but for `{}`: connect to that name, or write `.server_name({first:?})`",
                    names.join("`, `")
                ),
            }
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is not one for a side of its kind, server or client".to_owned()
        }
        CertificateError::Revoked => "was revoked".to_owned(),
        _ => return None,
    };
    Some(format!("the {whose} certificate {says}"))
}

/// The last moment of a certificate that has expired.
pub(super) fn expired(certificate: &CertificateDer<'_>) -> Option<UnixTime> {
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    // The time is looked at before anybody who may have signed it, so that none is needed.
    let (now, usage) = (UnixTime::now(), KeyUsage::server_auth());
    match certificate.verify_for_usage(&[], &[], &[], now, usage, None, None) {
        Err(webpki::Error::CertExpired { not_after, .. }) => Some(not_after),
        _ => None,
    }
}

/// A name out of the words for it, such as `DnsName("localhost")`.
fn plain(name: &str) -> &str {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

/// The day, as everybody writes it who writes for programs.
pub(super) fn date(time: UnixTime) -> String {
    // Days are counted in years that begin with March, so that the odd day is their last, and in spans of 400 years, which are all alike.
    let days = time.as_secs() / 86_400 + 719_468;
    let (span, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = span * 400 + year + next;
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_rustls::rustls::pki_types::{ServerName, UnixTime};

    use super::*;

    #[test]
    fn a_day_is_told_by_its_date() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (978_307_199, "2000-12-31"),
            (978_307_200, "2001-01-01"),
            (1_795_298_924, "2026-11-21"),
            (4_107_542_400, "2100-03-01"),
        ] {
            let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            assert_eq!(date(time), day);
        }
    }

    #[test]
    fn a_wrong_name_is_told_with_the_one_to_write() {
        let error = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("127.0.0.1").unwrap(),
            presented: vec!["DnsName(\"localhost\")".to_owned()],
        };
        assert_eq!(
            words(&error, Some(Side::Client)).unwrap(),
            "the server's certificate is not one for `127.0.0.1` but for `localhost`: connect to that name, or write `.server_name(\"localhost\")`"
        );
    }
}
