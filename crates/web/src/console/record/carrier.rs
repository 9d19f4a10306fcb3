//! What transports other than plain TCP counted of their path and of the stream in them.

use cause::Evidence;
use cause::evidence::{CarrierFacts, SrtFacts, TsFacts, WebRtcFacts};

use super::Fact;
use crate::console::frame::Frame;
use crate::console::show::grouped;

/// What was counted, as names and values; faults that never happened are left out.
pub(super) fn facts(evidence: &Evidence, f: &Frame) -> Vec<Fact> {
    let rows = match &evidence.carrier {
        Some(CarrierFacts::Srt(facts)) => srt(facts, f),
        Some(CarrierFacts::WebRtc(facts)) => webrtc(facts),
        Some(CarrierFacts::Tls(_)) | None => Vec::new(),
    };
    rows.into_iter().map(|(key, value)| Fact { name: f.t(key), value, mono: false }).collect()
}

type Row = (&'static str, String);

fn srt(facts: &SrtFacts, f: &Frame) -> Vec<Row> {
    let packets = [
        ("carrier-packets", facts.packets),
        ("carrier-lost", facts.lost),
        ("carrier-retransmitted", facts.retransmitted),
        ("carrier-dropped", facts.dropped),
    ];
    let faults = [
        ("carrier-belated", facts.belated),
        ("carrier-undecrypted", facts.undecrypted),
        ("carrier-overflowed", facts.overflowed),
        ("carrier-port-closed", facts.refused.into()),
    ];
    let encryption = if facts.encrypted { "carrier-encrypted" } else { "carrier-plain" };
    let mut rows = vec![
        ("carrier-rtt", milliseconds(facts.rtt_us)),
        ("carrier-latency", format!("{} ms", grouped(facts.latency_ms.into()))),
        ("carrier-encryption", f.t(encryption)),
    ];
    rows.extend(packets.map(|(key, count)| (key, grouped(count))));
    rows.extend(faults.into_iter().filter(|(_, count)| *count > 0).map(|(key, count)| (key, grouped(count))));
    rows.extend(transport_stream(&facts.ts));
    rows
}

fn transport_stream(facts: &TsFacts) -> Vec<Row> {
    let TsFacts {
        packets,
        sync_losses,
        continuity_gaps,
        crc_errors,
        clock_jumps,
        marked_broken,
        broken_units,
        unsupported_streams,
    } = *facts;
    [
        ("carrier-ts-packets", packets),
        ("carrier-ts-sync", sync_losses),
        ("carrier-ts-continuity", continuity_gaps),
        ("carrier-ts-crc", crc_errors),
        ("carrier-ts-clock", clock_jumps),
        ("carrier-ts-marked", marked_broken),
        ("carrier-ts-units", broken_units),
        ("carrier-ts-unsupported", unsupported_streams),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(key, count)| (key, grouped(count)))
    .collect()
}

fn webrtc(facts: &WebRtcFacts) -> Vec<Row> {
    let counts = [
        ("carrier-packets", facts.video_packets.saturating_add(facts.audio_packets)),
        ("carrier-lost", facts.video_lost.saturating_add(facts.audio_lost)),
        ("carrier-nacks", facts.nacks),
        ("carrier-plis", facts.plis),
    ];
    let jitter = facts.video_jitter_us.max(facts.audio_jitter_us);
    let mut rows =
        vec![("carrier-rtt", milliseconds(facts.rtt_us)), ("carrier-jitter", milliseconds(jitter))];
    rows.extend(counts.map(|(key, count)| (key, grouped(count))));
    rows
}

fn milliseconds(us: u32) -> String {
    format!("{:.1} ms", f64::from(us) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use cause::Lang;
    use cause::evidence::Transport;

    use super::*;

    #[test]
    fn what_srt_counted_is_told_and_faults_that_never_were_are_not() {
        let mut evidence = Evidence::new(Transport::Srt);
        let ts = TsFacts { packets: 7_000, continuity_gaps: 3, ..TsFacts::default() };
        let counted =
            SrtFacts { rtt_us: 41_200, latency_ms: 400, packets: 1_234, lost: 5, ts, ..SrtFacts::default() };
        evidence.carrier = Some(CarrierFacts::Srt(Box::new(counted)));
        let f = Frame::bare(Lang::En);
        let rows = facts(&evidence, &f);
        let value = |key| rows.iter().find(|fact| fact.name == f.t(key)).map(|fact| fact.value.as_str());
        assert_eq!(value("carrier-rtt"), Some("41.2 ms"));
        assert_eq!((value("carrier-packets"), value("carrier-lost")), (Some("1,234"), Some("5")));
        assert_eq!((value("carrier-dropped"), value("carrier-ts-continuity")), (Some("0"), Some("3")));
        assert_eq!((value("carrier-belated"), value("carrier-ts-crc")), (None, None));
        assert!(facts_of_tcp(&f).is_empty());
    }

    fn facts_of_tcp(f: &Frame) -> Vec<Fact> {
        facts(&Evidence::new(Transport::Rtmp), f)
    }
}
