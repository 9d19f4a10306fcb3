//! How far records have been shipped to the database of all nodes.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use store::ShippingStats;

use super::{counter, gauge};

/// The shipper's figures; `None` where there is no such database.
#[derive(Debug)]
pub struct Shipping(pub Option<ShippingStats>);

impl Collector for Shipping {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(stats) = &self.0 else { return Ok(()) };
        let e = &mut encoder;
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let help = "1 while the last try reached the database of all nodes";
        gauge(e, "shipping_connected", help, usize::from(stats.connected))?;
        gauge(
            e,
            "shipping_waiting",
            "Records that the database of all nodes does not have yet",
            size(stats.waiting),
        )?;
        gauge(e, "shipping_lag_seconds", "Age of the end that waits longest", size(stats.lag.as_secs()))?;
        let help = "Record files from before shipping began that are still to be shipped";
        gauge(e, "shipping_backfill_days", help, size(stats.backfill_days))?;
        gauge(e, "shipping_stuck", "Records that the database does not take", size(stats.stuck))?;
        counter(e, "shipped_records", "Records shipped", stats.shipped)?;
        counter(e, "shipped_events", "Events shipped", stats.events)?;
        counter(e, "shipping_failures", "Tries to ship that failed", stats.failures)
    }
}
