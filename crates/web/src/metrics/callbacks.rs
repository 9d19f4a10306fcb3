//! What became of the events that are told to others.

use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::ConstCounter;

use crate::state::WebState;

/// The figures of one scrape.
#[derive(Debug)]
pub(super) struct Callbacks {
    tries: [(&'static str, u64); 4],
    waiting: u64,
    suppressed: u64,
    history_left_out: u64,
}

impl Callbacks {
    pub fn read(state: &WebState) -> Self {
        Self {
            tries: state.callback_figures().read(),
            waiting: state.callback_figures().waiting.load(Ordering::Relaxed),
            suppressed: state.outbox().suppressed(),
            history_left_out: state.journal().stats().history_left_out,
        }
    }
}

impl Collector for Callbacks {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let help = "Tries to tell an event, by outcome; overflow: given up because too many waited";
        let mut metric = encoder.encode_descriptor("callbacks", help, None, ConstCounter::<u64>::TYPE)?;
        for (outcome, count) in self.tries {
            ConstCounter::new(count).encode(metric.encode_family(&[("outcome", outcome)])?)?;
        }
        let e = &mut encoder;
        let waiting = usize::try_from(self.waiting).unwrap_or(usize::MAX);
        super::gauge(e, "callbacks_waiting", "Events that wait for their receivers", waiting)?;
        super::counter(e, "callbacks_suppressed", "Events that the flap filter kept back", self.suppressed)?;
        super::counter(
            e,
            "history_left_out",
            "Deliveries and events of live pushes that were not kept because more came than the disk took",
            self.history_left_out,
        )
    }
}
