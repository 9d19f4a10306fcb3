//! Streams of other nodes, fetched for viewers of this one.

use live::pull::{ENDS, PullFigures};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::ConstCounter;

use super::gauge;

/// What fetching has come to; `None` for a node that stands alone.
#[derive(Debug)]
pub struct Pulls(pub Option<PullFigures>);

impl Collector for Pulls {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(figures) = &self.0 else { return Ok(()) };
        let e = &mut encoder;
        gauge(e, "pulls", "Streams of other nodes that are fetched now", figures.pulls)?;
        let counters = [
            ("pulls_begun", "Streams of other nodes that were fetched since the start", figures.begun),
            ("pull_bytes_in", "Bytes that came from other nodes", figures.bytes_in),
            ("pull_restarts", "Connections to owners beyond the first of each pull", figures.restarts),
            ("pull_failures", "Connections to owners that failed, or that owners ended", figures.failures),
            ("pulls_served", "Times that another node was given a stream of this one", figures.served),
            ("pulls_refused", "Askers in the name of a node that were turned away", figures.refused),
        ];
        for (name, help, count) in counters {
            let metric = e.encode_descriptor(name, help, None, ConstCounter::<u64>::TYPE)?;
            ConstCounter::new(count).encode(metric)?;
        }
        let help = "Streams of other nodes that are no longer fetched, by why";
        let mut metric = e.encode_descriptor("pulls_ended", help, None, ConstCounter::<u64>::TYPE)?;
        for (why, count) in ENDS.iter().zip(figures.ended) {
            ConstCounter::new(count).encode(metric.encode_family(&[("why", why.as_str())])?)?;
        }
        Ok(())
    }
}
