//! Live streams passed on to other servers, by rule.

use live::relay::{RelayFigures, RelayState};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// What the relays of the node have done.
#[derive(Debug)]
pub struct Relays(pub Vec<RelayFigures>);

impl Collector for Relays {
    fn encode(&self, mut e: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let help = "Live streams on their way to a target, by rule and state";
        let mut metric = e.encode_descriptor("relays", help, None, ConstGauge::<i64>::TYPE)?;
        for (relay, state) in self.0.iter().flat_map(|relay| RelayState::ALL.map(|state| (relay, state))) {
            let count = relay.states.iter().find(|(s, _)| *s == state).map_or(0, |(_, count)| *count);
            let labels = [("relay", relay.name.as_str()), ("state", state.as_str())];
            ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX))
                .encode(metric.encode_family(&labels)?)?;
        }
        type Read = fn(&RelayFigures) -> u64;
        let counters: [(&str, &str, Read); 5] = [
            ("relay_bytes_out", "Bytes sent to targets", |relay| relay.bytes_out),
            ("relay_frames", "Frames sent to targets", |relay| relay.frames),
            ("relay_skipped_frames", "Frames left out for targets that were too slow", |relay| relay.skipped),
            ("relay_reconnects", "Connections to targets beyond the first of each stream", |relay| {
                relay.reconnects
            }),
            ("relay_failures", "Connections that failed, or that targets ended", |relay| relay.failures),
        ];
        for (name, help, read) in counters {
            let mut metric = e.encode_descriptor(name, help, None, ConstCounter::<u64>::TYPE)?;
            for relay in &self.0 {
                let labels = [("relay", relay.name.as_str())];
                ConstCounter::new(read(relay)).encode(metric.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn relays_are_counted_by_rule_and_state() {
        let relay = RelayFigures {
            name: "backup".to_owned(),
            states: vec![(RelayState::Live, 2)],
            bytes_out: 7,
            frames: 6,
            skipped: 5,
            reconnects: 4,
            failures: 3,
        };
        let mut registry = Registry::with_prefix("lastframe");
        registry.register_collector(Box::new(Relays(vec![relay])));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "lastframe_relays{relay=\"backup\",state=\"live\"} 2",
            "lastframe_relays{relay=\"backup\",state=\"failed\"} 0",
            "lastframe_relay_skipped_frames_total{relay=\"backup\"} 5",
            "lastframe_relay_failures_total{relay=\"backup\"} 3",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing in\n{text}");
        }
    }
}
