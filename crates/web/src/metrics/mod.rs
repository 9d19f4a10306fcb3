//! `/metrics` in the text form of OpenMetrics. Counters live where things happen and are read at each scrape, so that
//! nothing is paid per frame and no label outlives its stream.

mod callbacks;
mod certificates;
mod nodes;
mod pulls;
mod relays;
mod shipping;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use cause::Cause;
use live::{DrainPhase, LiveCounters, PlayCounters};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::Registry;
use store::JournalStats;

use crate::api::v1::bearer;
use crate::client::Client;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The figures: for this machine itself, and for others with a key.
pub async fn scrape(
    client: Client,
    State(state): State<WebState>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !client.local {
        client.require_safe_transport(&state)?;
        if bearer(&state, &headers).is_none() {
            return Err(Problem::new(
                Kind::Unauthorized,
                "from another machine send a key of the catalog as `Authorization: Bearer <id>:<secret>`",
            ));
        }
    }
    let mut registry = Registry::with_prefix("lastframe");
    registry.register_collector(Box::new(Figures {
        live: state.live().counters(),
        draining: state.live().drain_state().phase != DrainPhase::Open,
        journal: state.journal().stats(),
    }));
    registry.register_collector(Box::new(callbacks::Callbacks::read(&state)));
    registry.register_collector(Box::new(certificates::Expiries::read(&state)));
    registry.register_collector(Box::new(relays::Relays(state.live().relay_figures())));
    let nodes = state.live().registry_is_connected().map(|connected| (connected, state.live().nodes()));
    registry.register_collector(Box::new(nodes::Nodes(nodes)));
    registry.register_collector(Box::new(pulls::Pulls(state.live().pull_figures())));
    registry.register_collector(Box::new(shipping::Shipping(state.journal().shipping())));
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| {
        tracing::error!(%error, "metrics cannot be written");
        Problem::new(Kind::Internal, "the metrics cannot be written; the server's log says why")
    })?;
    Ok(([(header::CONTENT_TYPE, TEXT)], text).into_response())
}

#[derive(Debug)]
struct Figures {
    live: LiveCounters,
    draining: bool,
    journal: JournalStats,
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let (live, journal) = (&self.live, &self.journal);
        let e = &mut encoder;
        gauge(e, "pushes_live", "Pushes that are live or wait as backups", live.pushes_live)?;
        gauge(
            e,
            "draining",
            "1 while no new pushes are taken, since the node drains",
            usize::from(self.draining),
        )?;
        gauge(e, "connections", "Connections that are open", live.connections)?;
        counter(e, "connections_accepted", "Connections accepted", live.accepted)?;
        counter(e, "connections_overloaded", "Connections turned away because of a limit", live.overloaded)?;
        counter(e, "pushes_admitted", "Pushes that went live", live.admitted)?;
        ended(e, &live.ended)?;
        events(e, &live.events)?;
        let unknown =
            live.ended.iter().find(|(cause, _)| *cause == Cause::Unknown).map_or(0, |(_, count)| *count);
        counter(e, "unknown_causes", "Ends with cause 0/0: defects, expected never", unknown)?;
        played(e, &live.played)?;
        gauge(e, "media_held_bytes", "Media held for viewers, framed copies included", live.media_held)?;
        gauge(e, "hls_held_bytes", "Media in segments and parts of HLS", live.hls_held)?;
        let (bounds, counts) = (live::LATENCY_BOUNDS_US.iter(), single(&live.admission_buckets));
        let bounds = bounds.map(|us| *us as f64 / 1e6).chain([f64::INFINITY]);
        let sum = live.admission_sum_us as f64 / 1e6;
        let buckets: Vec<_> = bounds.zip(counts).collect();
        histogram(e, "admission_seconds", "Time from publish to Publish.Start", sum, &buckets)?;
        let bound = |d: std::time::Duration| {
            if d == std::time::Duration::MAX { f64::INFINITY } else { d.as_secs_f64() }
        };
        let buckets: Vec<_> = journal.commit_latency.buckets.iter().map(|(d, n)| (bound(*d), *n)).collect();
        let sum = journal.commit_latency.sum.as_secs_f64();
        histogram(e, "commit_seconds", "Time a batch of the journal took until durable", sum, &buckets)?;
        gauge(e, "journal_writable", "1 if pushes can be recorded, else 0", usize::from(journal.writable))?;
        gauge(e, "journal_queue", "Operations that wait for the journal's writer", journal.queue)?;
        gauge(e, "journal_open", "Pushes between open and the commit of their end", journal.open)?;
        counter(e, "journal_commits", "Batches committed", journal.commits)?;
        counter(
            e,
            "journal_failed_batches",
            "Batches that failed and were written again",
            journal.failed_batches,
        )?;
        counter(e, "records", "Records committed", journal.records.values().sum())?;
        counter(e, "records_folded", "Ends folded into a record that was there already", journal.folded)?;
        counter(e, "records_ignored", "Ends left out by configuration", journal.ignored)?;
        counter(
            e,
            "evidence_thinned",
            "Records whose evidence was dropped under load",
            journal.evidence_thinned,
        )?;
        counter(e, "records_unstorable", "Rows the database would not take: defects", journal.unstorable)
    }
}

/// Counts up to each bound, turned into counts between the bounds.
fn single(cumulative: &[u64]) -> impl Iterator<Item = u64> {
    let before = std::iter::once(&0).chain(cumulative);
    cumulative.iter().zip(before).map(|(to, from)| to.saturating_sub(*from))
}

fn gauge(e: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: usize) -> std::fmt::Result {
    let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    gauge.encode(e.encode_descriptor(name, help, None, gauge.metric_type())?)
}

fn counter(e: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> std::fmt::Result {
    let counter = ConstCounter::new(value);
    counter.encode(e.encode_descriptor(name, help, None, counter.metric_type())?)
}

fn ended(e: &mut DescriptorEncoder<'_>, ended: &[(Cause, u64)]) -> std::fmt::Result {
    let help = "Pushes that ended or were refused, by cause and side";
    let mut metric = e.encode_descriptor("pushes_ended", help, None, ConstCounter::<u64>::TYPE)?;
    for (cause, count) in ended {
        let labels = [("code", cause.code().to_string()), ("side", cause.side().as_str().to_owned())];
        let family = metric.encode_family(&labels)?;
        ConstCounter::new(*count).encode(family)?;
    }
    Ok(())
}

fn played(e: &mut DescriptorEncoder<'_>, kinds: &[PlayCounters]) -> std::fmt::Result {
    let mut metric =
        e.encode_descriptor("viewers", "Viewers, by how they watch", None, ConstGauge::<i64>::TYPE)?;
    for of in kinds {
        let viewers = i64::try_from(of.viewers).unwrap_or(i64::MAX);
        ConstGauge::new(viewers).encode(metric.encode_family(&[("format", of.kind.as_str())])?)?;
    }
    type Read = fn(&PlayCounters) -> u64;
    let counters: [(&str, &str, Read); 3] = [
        ("viewers_joined", "Viewers that came", |of| of.joined),
        ("viewer_bytes_out", "Media bytes sent to viewers", |of| of.bytes_out),
        ("viewer_frames_skipped", "Frames that viewers missed because they were too slow", |of| of.skipped),
    ];
    for (name, help, read) in counters {
        let mut metric = e.encode_descriptor(name, help, None, ConstCounter::<u64>::TYPE)?;
        for of in kinds {
            ConstCounter::new(read(of)).encode(metric.encode_family(&[("format", of.kind.as_str())])?)?;
        }
    }
    Ok(())
}

fn events(e: &mut DescriptorEncoder<'_>, events: &[(cause::EventKind, u64)]) -> std::fmt::Result {
    let help = "Events of live pushes, by type";
    let mut metric = e.encode_descriptor("push_events", help, None, ConstCounter::<u64>::TYPE)?;
    for (kind, count) in events {
        let labels = [("type", kind.number().to_string()), ("name", kind.key().to_owned())];
        let family = metric.encode_family(&labels)?;
        ConstCounter::new(*count).encode(family)?;
    }
    Ok(())
}

fn histogram(
    e: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    sum: f64,
    buckets: &[(f64, u64)],
) -> std::fmt::Result {
    let count = buckets.iter().map(|(_, n)| n).sum();
    let mut metric = e.encode_descriptor(name, help, None, MetricType::Histogram)?;
    metric.encode_histogram::<NoLabelSet>(sum, count, buckets, None)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use store::Latency;

    use live::feed::ViewerKind;

    use super::*;

    #[test]
    fn figures_read_as_openmetrics() {
        let live = LiveCounters {
            pushes_live: 3,
            connections: 4,
            accepted: 9,
            overloaded: 1,
            admitted: 5,
            ended: vec![(Cause::DeleteStream, 2), (Cause::SignatureWrong, 7)],
            events: vec![(cause::EventKind::VideoBack, 11)],
            admission_buckets: vec![1, 1, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5],
            admission_sum_us: 2_500_000,
            played: vec![PlayCounters {
                kind: ViewerKind::Flv,
                viewers: 2,
                joined: 3,
                bytes_out: 99,
                skipped: 4,
            }],
            media_held: 1234,
            hls_held: 567,
        };
        let commit_latency = Latency {
            buckets: vec![(Duration::from_millis(1), 2), (Duration::MAX, 1)],
            count: 3,
            sum: Duration::from_secs(1),
            ..Latency::default()
        };
        let journal = JournalStats { commit_latency, writable: true, ..JournalStats::default() };
        let mut registry = Registry::with_prefix("lastframe");
        registry.register_collector(Box::new(Figures { live, draining: true, journal }));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "lastframe_pushes_live 3",
            "lastframe_draining 1",
            "lastframe_pushes_ended_total{code=\"18/503\",side=\"policy\"} 7",
            "lastframe_push_events_total{type=\"1\",name=\"video_back\"} 11",
            "lastframe_unknown_causes_total 0",
            "lastframe_admission_seconds_bucket{le=\"0.001\"} 4",
            "lastframe_admission_seconds_bucket{le=\"+Inf\"} 5",
            "lastframe_admission_seconds_count 5",
            "lastframe_admission_seconds_sum 2.5",
            "lastframe_commit_seconds_bucket{le=\"0.001\"} 2",
            "lastframe_commit_seconds_bucket{le=\"+Inf\"} 3",
            "lastframe_journal_writable 1",
            "lastframe_viewers{format=\"flv\"} 2",
            "lastframe_viewers_joined_total{format=\"flv\"} 3",
            "lastframe_viewer_bytes_out_total{format=\"flv\"} 99",
            "lastframe_viewer_frames_skipped_total{format=\"flv\"} 4",
            "lastframe_media_held_bytes 1234",
            "lastframe_hls_held_bytes 567",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing in\n{text}");
        }
    }
}
