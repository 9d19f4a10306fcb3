//! Refusals by the signature of the push URL.

use std::time::Duration;

use cause::{Cause, DetailKey};
use model::sign::{Algorithm, signed_query, tx_secret_md5};
use model::{Clock, SystemClock, Timestamp};

use super::refusal::refused;
use crate::error::LabError;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{KEY, Profile};
use crate::site::APP;
use crate::trial::Trial;

const HOST: &str = "signed.lab.test";
/// A `txTime` of the year 2020.
const LONG_AGO: &str = "5F000000";

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{Expired, ExpiryMissing, SignatureMissing, SignatureWrong};
    use DetailKey as D;
    let rows = vec![
        Scenario::new(
            "tx_time_missing",
            ExpiryMissing,
            D::TimeMissing,
            "Pushes with txSecret and without txTime.",
            |t| Box::pin(push(t, |stream| format!("txSecret={}", tx_secret_md5(KEY, stream, "")))),
        ),
        Scenario::new(
            "tx_time_malformed",
            ExpiryMissing,
            D::TimeMalformed,
            "Pushes with a txTime of nine digits.",
            |t| {
                Box::pin(push(t, |stream| {
                    let time = format!("0{}", later_text());
                    format!("txSecret={}&txTime={time}", tx_secret_md5(KEY, stream, &time))
                }))
            },
        ),
        Scenario::new("expired", Expired, D::ExpiredAt, "Pushes with a URL that has expired.", |t| {
            Box::pin(push(t, |stream| {
                format!("txSecret={}&txTime={LONG_AGO}", tx_secret_md5(KEY, stream, LONG_AGO))
            }))
        }),
        Scenario::new(
            "tx_secret_missing",
            SignatureMissing,
            D::SecretMissing,
            "Pushes with txTime and without txSecret.",
            |t| Box::pin(push(t, |_| format!("txTime={}", later_text()))),
        ),
        Scenario::new(
            "wrong_key",
            SignatureWrong,
            D::SecretMismatch,
            "Pushes with a URL that another key has signed.",
            |t| Box::pin(push(t, |stream| signed_query("another-key", stream, later(), Algorithm::Md5))),
        ),
        Scenario::new(
            "signature_in_capitals",
            SignatureWrong,
            D::SecretUpperCase,
            "Pushes with a txSecret in capital letters.",
            |t| {
                Box::pin(push(t, |stream| {
                    let secret = tx_secret_md5(KEY, stream, &later_text()).to_ascii_uppercase();
                    format!("txSecret={secret}&txTime={}", later_text())
                }))
            },
        ),
        Scenario::new(
            "signature_of_the_path",
            SignatureWrong,
            D::SecretForPath,
            "Pushes with a txSecret made over app and stream name.",
            |t| {
                Box::pin(push(t, |stream| {
                    signed_query(KEY, &format!("{APP}/{stream}"), later(), Algorithm::Md5)
                }))
            },
        ),
    ];
    rows.into_iter().map(|row| row.needing(Needs::Own)).collect()
}

/// Valid for a day, and the same text for a day: whole days.
fn later() -> Timestamp {
    const DAY: i64 = 86_400_000;
    let today = SystemClock.now().millis().div_euclid(DAY).saturating_mul(DAY);
    Timestamp(today).plus(Duration::from_secs(2 * 86_400))
}

fn later_text() -> String {
    format!("{:08X}", later().secs())
}

async fn push(trial: Trial, query: fn(&str) -> String) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let name = format!("{}?{}", trial.stream(), query(trial.stream()));
    refused(&site, HOST, APP, trial.stream(), &name).await
}
