//! How the connection ended, and what TCP knew at that moment.

use cause::Evidence;
use cause::evidence::{Close, Goodbye, Probe, Stage};

use super::Fact;
use crate::console::frame::Frame;
use crate::console::show::grouped;

/// What was seen, as names and values; what says nothing is left out.
pub(super) fn facts(evidence: &Evidence, f: &Frame) -> Vec<Fact> {
    let ms = |n: u64| format!("{} ms", grouped(n));
    let bytes = |n: u64| format!("{} B", grouped(n));
    let mut facts = vec![
        ("socket-stage", f.t(stage(evidence.stage)), false),
        ("socket-close", f.t(close(evidence.close)), false),
    ];
    if let Some(goodbye) = evidence.goodbye {
        facts.push(("socket-goodbye", goodbye_name(goodbye).to_owned(), true));
    }
    if let Some(error) = evidence.write_error {
        facts.push(("socket-write-error", format!("errno {}", error.0), true));
    }
    if evidence.silence.ms >= 1_000 {
        facts.push(("socket-silence", ms(evidence.silence.ms), false));
    }
    if evidence.silence.probe != Probe::None {
        let ago = [("n", grouped(evidence.silence.probe_ms_ago))];
        let text = format!("{} ({})", f.t(probe(evidence.silence.probe)), f.words().with("socket-ago", &ago));
        facts.push(("socket-probe", text, false));
    }
    if evidence.behind_proxy {
        facts.push(("socket-proxy", f.t("socket-proxy-leg"), false));
    }
    if let Some(tcp) = &evidence.tcp {
        let us = |n: u32| format!("{:.1} ms", f64::from(n) / 1_000.0);
        facts.extend([
            ("tcp-rtt", us(tcp.rtt_us), false),
            ("tcp-rcv-rtt", us(tcp.rcv_rtt_us), false),
            (
                "tcp-retransmits",
                format!("{} ({})", tcp.retransmits, grouped(tcp.total_retrans.into())),
                false,
            ),
            ("tcp-unacked", grouped(tcp.unacked.into()), false),
            ("tcp-queue", bytes(tcp.send_queue.into()), false),
            ("tcp-out-of-order", grouped(tcp.rcv_ooopack.into()), false),
            ("tcp-window", bytes(tcp.rcv_wnd.into()), false),
            ("tcp-last-data", ms(tcp.last_data_recv_ms.into()), false),
            ("tcp-last-ack", ms(tcp.last_ack_recv_ms.into()), false),
        ]);
    }
    facts.into_iter().map(|(key, value, mono)| Fact { name: f.t(key), value, mono }).collect()
}

fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::NoBytes => "stage-no-bytes",
        Stage::TlsHandshake => "stage-tls",
        Stage::SrtHandshake => "stage-srt",
        Stage::WebrtcSetup => "stage-webrtc",
        Stage::RtmpHandshake => "stage-handshake",
        Stage::BeforeConnect => "stage-before-connect",
        Stage::Connected => "stage-connected",
        Stage::StreamCreated => "stage-created",
        Stage::AuthHook => "stage-hook",
        Stage::Admission => "stage-admission",
        Stage::Live => "stage-live",
    }
}

fn close(close: Close) -> &'static str {
    match close {
        Close::Open => "close-open",
        Close::EndOfFile => "close-eof",
        Close::Reset => "close-reset",
        Close::TimedOut => "close-timed-out",
        Close::Unreachable(_) => "close-unreachable",
        Close::Failed(_) => "close-failed",
        Close::IdleLimit => "close-idle",
        Close::SetupLimit => "close-setup",
        Close::TransportLost => "close-transport",
        Close::NodeDied => "close-node",
        Close::TaskFailed => "close-task",
        Close::Unreadable => "close-unreadable",
    }
}

fn probe(probe: Probe) -> &'static str {
    match probe {
        Probe::None => "probe-none",
        Probe::Unacknowledged => "probe-unacknowledged",
        Probe::Acknowledged => "probe-acknowledged",
        Probe::Answered => "probe-answered",
    }
}

fn goodbye_name(goodbye: Goodbye) -> &'static str {
    match goodbye {
        Goodbye::DeleteStream => "deleteStream",
        Goodbye::CloseStream => "closeStream",
        Goodbye::FcUnpublishClosed | Goodbye::FcUnpublishAlone => "FCUnpublish",
        Goodbye::Republished => "FCUnpublish, publish",
        Goodbye::SrtShutdown => "SRT SHUTDOWN",
        Goodbye::WhipDelete => "WHIP DELETE",
    }
}
