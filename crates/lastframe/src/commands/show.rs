//! `show`: one record with its evidence, drawn in the terminal.

use std::io::{self, Write};

use cause::black_box::{BlackBox, CommandEntry, MediaEntry, MediaEntryKind, What};
use cause::evidence::{CarrierFacts, SrtFacts, TsFacts, WebRtcFacts, WebRtcStep};
use cause::timeline::Timeline;
use cause::{Cause, Evidence, Lang};
use jiff::tz::TimeZone;
use model::Record;
use store::Reader;

use crate::cli::{Language, ShowArgs};
use crate::failure::Failure;
use crate::terminal::sparkline::sparkline;
use crate::terminal::text::{bytes, clean, duration, fit, local_time, wrap};
use crate::terminal::words::word;

const WIDTH: usize = 96;
/// Columns of a fact's name.
const NAME: usize = 12;
/// Columns of a curve.
const CURVE: usize = 72;

/// Prints the record.
pub fn run(args: &ShowArgs, reader: &Reader) -> Result<(), Failure> {
    let lang = Language::or_environment(args.lang);
    let found = reader.get(args.id)?;
    let Some((record, evidence)) = found else {
        return Err(Failure::failed(format!(
            "there is no record {}; `lastframe records` prints those that are kept",
            args.id
        )));
    };
    let record = web::present::in_language(record, lang);
    let mut out = io::BufWriter::new(io::stdout().lock());
    verdict(&mut out, &record, lang)?;
    facts(&mut out, &record, lang)?;
    match evidence.map(|bytes| Evidence::decode(&bytes)) {
        Some(Ok(evidence)) => {
            health(&mut out, &evidence, &record, lang)?;
            findings(&mut out, &evidence, lang)?;
            events(&mut out, &evidence, lang)?;
            carrier(&mut out, &evidence)?;
            timeline(&mut out, &evidence.timeline, lang)?;
            black_box(&mut out, &evidence.black_box, lang)?;
        }
        Some(Err(error)) => writeln!(out, "\nThe evidence cannot be read: {error}")?,
        None => writeln!(out, "\nNo evidence is kept for this record.")?,
    }
    Ok(out.flush()?)
}

fn verdict(out: &mut dyn Write, record: &Record, lang: Lang) -> io::Result<()> {
    writeln!(out, "{}  {}  {}", record.code(), record.side, clean(&record.errmsg))?;
    if let Some(detail) = record.detail.as_ref().filter(|d| !d.text.is_empty()) {
        paragraph(out, &detail.text)?;
    }
    if let Some(cause) = Cause::from_code(record.code()) {
        writeln!(out)?;
        paragraph(out, cause.meaning(lang))?;
        paragraph(out, cause.advice(lang))?;
    }
    Ok(())
}

fn paragraph(out: &mut dyn Write, text: &str) -> io::Result<()> {
    wrap(&clean(text), WIDTH).iter().try_for_each(|line| writeln!(out, "  {line}"))
}

fn facts(out: &mut dyn Write, record: &Record, lang: Lang) -> io::Result<()> {
    let zone = TimeZone::system();
    let time = |t| local_time(t, &zone);
    let key = [&record.domain, &record.app, &record.stream].map(|p| p.as_deref().unwrap_or("?")).join("/");
    let client = std::net::SocketAddr::new(record.client_ip, record.client_port);
    writeln!(out)?;
    let w = |english| word(lang, english);
    let mut fact = |name: &'static str, value: String| match value.is_empty() {
        true => Ok(()),
        false => writeln!(out, "  {} {}", fit(w(name), NAME), clean(&value)),
    };
    fact("stream", key)?;
    fact("client", format!("{client} ({})", record.protocol))?;
    fact("connected", time(record.connected_at))?;
    match record.published_at {
        Some(live) => fact("live", format!("{} ({})", time(live), duration(record.duration_ms)))?,
        None => fact("live", w("never").into())?,
    }
    fact("ended", time(record.ended_at))?;
    if record.attempts > 1 {
        let last = record.last_attempt_at.map(|t| format!(" (… {})", time(t))).unwrap_or_default();
        fact("attempts", format!("{}{last}", record.attempts))?;
    }
    fact("video", video(record))?;
    fact("audio", audio(record))?;
    fact("encoder", record.encoder.clone().unwrap_or_default())?;
    fact(
        "bytes",
        format!("{} {}, {} {}", w("in"), bytes(record.bytes_in), w("out"), bytes(record.bytes_out)),
    )?;
    fact("query", record.stream_param.clone().unwrap_or_default())?;
    fact("node", record.node.clone())?;
    fact("id", format!("{} ({})", record.id, record.sequence))
}

fn video(record: &Record) -> String {
    let Some(video) = &record.video else { return String::new() };
    let size = video.width.zip(video.height).map(|(w, h)| format!("{w}x{h}"));
    let fps = video.fps.map(|n| format!("{n:.1} fps"));
    joined([video.codec.clone(), size, fps, video.kbps.map(|n| format!("{n} kbit/s"))])
}

fn audio(record: &Record) -> String {
    let Some(audio) = &record.audio else { return String::new() };
    let rate = audio.sample_rate.map(|n| format!("{n} Hz"));
    let channels = audio.channels.map(|n| format!("{n} ch"));
    joined([audio.codec.clone(), rate, channels, audio.kbps.map(|n| format!("{n} kbit/s"))])
}

fn joined(parts: [Option<String>; 4]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How well the push did, with what was measured.
fn health(out: &mut dyn Write, evidence: &Evidence, record: &Record, lang: Lang) -> io::Result<()> {
    let Some(report) = cause::health::report(evidence, record) else { return Ok(()) };
    let of_test = if record.is_test() { "  of a test push" } else { "" };
    writeln!(out, "\nHEALTH  {}{of_test}", report.grade.as_str())?;
    for check in &report.checks {
        writeln!(out, "  {} {}", fit(check.grade.as_str(), 8), clean(&check.detail.text(lang)))?;
    }
    Ok(())
}

fn findings(out: &mut dyn Write, evidence: &Evidence, lang: Lang) -> io::Result<()> {
    let cause::Verdict { findings, factors, untold, .. } = cause::verdict(evidence);
    if !findings.is_empty() {
        writeln!(out, "\n{}", word(lang, "FINDINGS"))?;
    }
    for finding in findings {
        let confidence = format!("{:?}", finding.confidence).to_lowercase();
        writeln!(out, "  {}  {} ({confidence})", finding.cause.code(), finding.cause.errmsg(lang))?;
        for sign in &finding.signs_for {
            writeln!(out, "      + {}", clean(&sign.text(lang)))?;
        }
        for sign in &finding.signs_against {
            writeln!(out, "      - {}", clean(&sign.text(lang)))?;
        }
    }
    for (heading, details) in [("WHAT ELSE HAPPENED", factors), ("WHAT CANNOT BE TOLD FROM HERE", untold)] {
        if !details.is_empty() {
            writeln!(out, "\n{}", word(lang, heading))?;
        }
        for detail in details {
            paragraph(out, &detail.text(lang))?;
        }
    }
    Ok(())
}

fn events(out: &mut dyn Write, evidence: &Evidence, lang: Lang) -> io::Result<()> {
    if !evidence.events.is_empty() {
        writeln!(out, "\n{}", word(lang, "EVENTS  seconds after connecting"))?;
    }
    let at = |ms: u32| f64::from(ms) / 1000.0;
    for event in &evidence.events {
        let when = match event.count {
            1 => format!("{:.1}", at(event.first_ms)),
            _ => format!("{:.1} – {:.1}", at(event.first_ms), at(event.last_ms)),
        };
        writeln!(out, "  {:>3}  {}  ×{}  {when}", event.kind, event.name(lang), event.count)?;
        for seen in &event.recent {
            writeln!(out, "  {:>14.3}  {}", at(seen.at_ms), clean(&seen.text(event.event(), lang)))?;
        }
    }
    Ok(())
}

/// What the transport counted of its path.
fn carrier(out: &mut dyn Write, evidence: &Evidence) -> io::Result<()> {
    match &evidence.carrier {
        Some(CarrierFacts::Srt(facts)) => srt(out, facts),
        Some(CarrierFacts::WebRtc(facts)) => webrtc(out, facts, evidence.tcp.is_some()),
        Some(CarrierFacts::Tls(_)) | None => Ok(()),
    }
}

fn srt(out: &mut dyn Write, facts: &SrtFacts) -> io::Result<()> {
    let SrtFacts { packets, lost, retransmitted, dropped, belated, overflowed, undecrypted, .. } = *facts;
    let encryption = if facts.encrypted { "encrypted" } else { "not encrypted" };
    let (latency, rtt) = (facts.latency_ms, ms(facts.rtt_us));
    writeln!(out, "\nSRT")?;
    writeln!(out, "  path       round trip {rtt} ms, latency {latency} ms, {encryption}")?;
    writeln!(
        out,
        "  packets    {packets} received, {lost} found missing, {retransmitted} sent again, {dropped} given up"
    )?;
    let rare = [
        (belated, "came too late"),
        (undecrypted, "could not be decrypted"),
        (overflowed, "found no room here"),
    ];
    let rare: Vec<String> = rare
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if !rare.is_empty() {
        writeln!(out, "             {}", rare.join(", "))?;
    }
    let TsFacts { packets, sync_losses, continuity_gaps, crc_errors, clock_jumps, broken_units, .. } =
        facts.ts;
    writeln!(
        out,
        "  stream     {packets} packets: sync lost {sync_losses} times, {continuity_gaps} jumps of counters, \
         {crc_errors} wrong checksums,\n             {clock_jumps} jumps of the clock, {broken_units} units not readable"
    )
}

fn webrtc(out: &mut dyn Write, facts: &WebRtcFacts, is_tcp: bool) -> io::Result<()> {
    writeln!(out, "\nWEBRTC")?;
    let step = match facts.step {
        WebRtcStep::Answered => "no check of a path came",
        WebRtcStep::Checked => "a path was found, DTLS was not begun",
        WebRtcStep::Dtls => "DTLS was begun and not finished",
        WebRtcStep::Connected if is_tcp => "connected over TCP",
        WebRtcStep::Connected => "connected over UDP",
    };
    let rtt = if facts.rtt_us == 0 { String::new() } else { format!(", round trip {} ms", ms(facts.rtt_us)) };
    writeln!(out, "  path       {step}, {} checks{rtt}", facts.checks)?;
    for (name, packets, lost, jitter) in [
        ("video", facts.video_packets, facts.video_lost, facts.video_jitter_us),
        ("audio", facts.audio_packets, facts.audio_lost, facts.audio_jitter_us),
    ] {
        if packets > 0 {
            writeln!(out, "  {name}      {packets} packets, {lost} lost, jitter {} ms", ms(jitter))?;
        }
    }
    writeln!(
        out,
        "  asked for  {} repetitions, {} key frames; {} frames behind a hole, {} that could not be carried on",
        facts.nacks, facts.plis, facts.gaps, facts.broken_units
    )
}

/// Microseconds as milliseconds with one digit.
fn ms(us: u32) -> String {
    format!("{:.1}", f64::from(us) / 1000.0)
}

fn timeline(out: &mut dyn Write, timeline: &Timeline, lang: Lang) -> io::Result<()> {
    let seconds: Vec<_> = timeline.seconds().collect();
    let (Some(first), Some(last)) = (seconds.first(), seconds.last()) else { return Ok(()) };
    let from = first.at_s.saturating_sub(first.span_s);
    writeln!(out, "\n{}  {from} – {}", word(lang, "TIMELINE  seconds after connecting"), last.at_s)?;
    let per_second = |total: f64, span_s: u32| total / f64::from(span_s.max(1));
    let rows: [(&'static str, Vec<f64>, &str); 7] = [
        (
            "bitrate",
            seconds.iter().map(|s| per_second(s.bytes as f64 * 8.0 / 1000.0, s.span_s)).collect(),
            "kbit/s",
        ),
        ("video", seconds.iter().map(|s| per_second(s.video.into(), s.span_s)).collect(), "fps"),
        ("audio", seconds.iter().map(|s| per_second(s.audio.into(), s.span_s)).collect(), "frames/s"),
        ("lag", seconds.iter().map(|s| f64::from(s.lag_ms.max(0))).collect(), "ms"),
        ("rcv_rtt", seconds.iter().map(|s| f64::from(s.rcv_rtt_us) / 1000.0).collect(), "ms"),
        ("rtt", seconds.iter().map(|s| f64::from(s.rtt_us.unwrap_or(0)) / 1000.0).collect(), "ms"),
        ("repairs", seconds.iter().map(|s| f64::from(s.ooo) + f64::from(s.retrans)).collect(), "packets"),
    ];
    for (name, values, unit) in rows {
        let top = values.iter().copied().fold(0.0, f64::max);
        if top > 0.0 {
            writeln!(
                out,
                "  {} {}  {} {top:.0} {unit}",
                fit(word(lang, name), 8),
                fit(&sparkline(&values, CURVE), CURVE),
                word(lang, "up to")
            )?;
        }
    }
    Ok(())
}

fn black_box(out: &mut dyn Write, black_box: &BlackBox, lang: Lang) -> io::Result<()> {
    let steps = black_box.sequence();
    if steps.is_empty() {
        return Ok(());
    }
    let heading = "BLACK BOX  client ──▶ server, client ◀── server; seconds after connecting";
    writeln!(out, "\n{}", word(lang, heading))?;
    for step in steps {
        let line = match &step.what {
            What::Command(entry) => command_line(entry),
            What::NotKept(count) => format!("      ⋮  {count} commands are not kept"),
            What::Media(entry) => {
                format!("──▶  {}  at {} ms  [{} B]", named(entry), entry.timestamp, entry.size)
            }
            What::Run { video, audio, bytes, span_ms } => {
                format!("──▶  {}  [{bytes} B]", counted(*video, *audio, *span_ms))
            }
        };
        writeln!(out, "  {:>10.3}  {line}", f64::from(step.at_ms) / 1000.0)?;
    }
    Ok(())
}

fn command_line(entry: &CommandEntry) -> String {
    let arrow = if entry.from_client { "──▶" } else { "◀──" };
    let summary =
        if entry.summary.is_empty() { String::new() } else { format!("  {}", clean(&entry.summary)) };
    format!("{arrow}  {}{summary}  [{} B]", clean(&entry.name), entry.size)
}

fn named(entry: &MediaEntry) -> String {
    let kind = match entry.kind {
        MediaEntryKind::Audio => "audio",
        MediaEntryKind::Video => "video",
        MediaEntryKind::Data => "data",
    };
    match (entry.config, entry.key_frame) {
        (true, _) => format!("{kind} configuration"),
        (false, true) => format!("{kind} key frame"),
        _ => kind.to_owned(),
    }
}

/// `video ×31, audio ×45, 1.04 s`
fn counted(video: u32, audio: u32, span_ms: u32) -> String {
    let part = |name: &str, n: u32| (n > 0).then(|| format!("{name} ×{n}"));
    let span = format!("{:.2} s", f64::from(span_ms) / 1000.0);
    joined([part("video", video), part("audio", audio), Some(span), None])
}
