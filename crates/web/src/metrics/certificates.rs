//! Until when certificates are good, and how orders for them came out.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::state::WebState;

#[derive(Debug)]
pub(super) struct Expiries {
    /// By the name of the file, s since 1970.
    expiries: Vec<(String, i64)>,
    orders: (u64, u64),
}

impl Expiries {
    pub(super) fn read(state: &WebState) -> Self {
        let expiries = state.certificates().iter().flat_map(|certificates| certificates.validities());
        let mut expiries: Vec<_> = expiries.map(|(name, validity)| (name, validity.until.secs())).collect();
        expiries.sort();
        expiries.dedup();
        Self { expiries, orders: state.challenges().orders() }
    }
}

impl Collector for Expiries {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let help = "When each certificate in use ends, seconds since 1970";
        let name = "certificate_expires_timestamp_seconds";
        let mut family = encoder.encode_descriptor(name, help, None, ConstGauge::<i64>::TYPE)?;
        for (name, expires) in &self.expiries {
            let labels = [("certificate", name.as_str())];
            ConstGauge::new(*expires).encode(family.encode_family(&labels)?)?;
        }
        let help = "Orders to the ACME authority, by how they came out";
        let mut family = encoder.encode_descriptor("acme_orders", help, None, ConstCounter::<u64>::TYPE)?;
        for (outcome, count) in [("issued", self.orders.0), ("failed", self.orders.1)] {
            ConstCounter::new(count).encode(family.encode_family(&[("outcome", outcome)])?)?;
        }
        Ok(())
    }
}
