//! Playlists (RFC 8216; draft-pantos-hls-rfc8216bis for parts and blocking reload).

use std::fmt::Write as _;
use std::sync::Arc;

use model::Timestamp;

use super::segment::Segment;
use super::view::View;

/// The media playlist.
pub(super) fn media(view: &View) -> String {
    let mut text = String::with_capacity(4096);
    // Writing to a String cannot fail.
    let _ = write_media(&mut text, view, 0);
    text
}

/// The media playlist without its first `skipped` segments (RFC 8216bis, 4.4.5.2).
pub(super) fn update(view: &View, skipped: usize) -> String {
    let mut text = String::with_capacity(4096);
    let _ = write_media(&mut text, view, skipped);
    text
}

/// The multivariant playlist with the one variant that there is.
pub(super) fn multivariant(view: &View, uri: &str) -> String {
    let mut text = String::with_capacity(512);
    let _ = write_multivariant(&mut text, view, uri);
    text
}

fn write_media(text: &mut String, view: &View, skipped: usize) -> std::fmt::Result {
    let targets = view.targets();
    let part_target = targets.part_us as f64 / 1e6;
    let listed = view.listed();
    // EXT-X-SKIP is of version 9, EXT-X-MAP of 6 (RFC 8216bis, 8).
    writeln!(text, "#EXTM3U\n#EXT-X-VERSION:{}", if skipped > 0 { 9 } else { 6 })?;
    writeln!(text, "#EXT-X-TARGETDURATION:{}", targets.segment_secs)?;
    // What has ended has no live edge, and no parts: players that have some of the last segment's would wait for more.
    let live = !view.ended();
    if live {
        // At least three target durations from the end, of segments and of parts (RFC 8216bis, 4.4.3.8).
        writeln!(
            text,
            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL={:.1},HOLD-BACK={:.1},PART-HOLD-BACK={:.3}",
            f64::from(targets.skip_secs()),
            f64::from(targets.segment_secs) * 3.0,
            part_target * 3.0,
        )?;
        writeln!(text, "#EXT-X-PART-INF:PART-TARGET={part_target:.3}")?;
    }
    writeln!(text, "#EXT-X-MEDIA-SEQUENCE:{}", listed.first().map_or(0, |segment| segment.msn))?;
    if view.discontinuities() > 0 {
        writeln!(text, "#EXT-X-DISCONTINUITY-SEQUENCE:{}", view.discontinuities())?;
    }
    if listed.iter().all(|segment| segment.independent()) {
        text.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    }
    if skipped > 0 {
        writeln!(text, "#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}")?;
    }
    let complete = view.listed_complete().len();
    // Parts are of use near the live edge only (RFC 8216bis, 4.4.4.9).
    let with_parts_us = i64::from(targets.segment_secs) * 3_000_000;
    let mut until_end: i64 = listed.iter().map(|segment| segment.duration_us()).sum();
    let mut init = None;
    for (index, segment) in listed.iter().enumerate() {
        until_end -= segment.duration_us();
        if index < skipped {
            continue;
        }
        // The first segment follows nothing that is listed, but its mark still counts for the sequence.
        if segment.discontinuity {
            text.push_str("#EXT-X-DISCONTINUITY\n");
        }
        if init != Some(segment.init.id) {
            writeln!(text, "#EXT-X-MAP:URI=\"init-{}.mp4\"", segment.init.id)?;
            init = Some(segment.init.id);
        }
        writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{}", Timestamp(segment.date_ms))?;
        if live && until_end < with_parts_us {
            write_parts(text, segment)?;
        }
        if index < complete {
            let secs = segment.duration_us() as f64 / 1e6;
            writeln!(text, "#EXTINF:{secs:.5},\nseg-{}.m4s", segment.msn)?;
        }
    }
    match view.next_part() {
        Some((msn, part)) => writeln!(text, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"part-{msn}-{part}.m4s\""),
        None => writeln!(text, "#EXT-X-ENDLIST"),
    }
}

fn write_parts(text: &mut String, segment: &Arc<Segment>) -> std::fmt::Result {
    for (index, part) in segment.parts.iter().enumerate() {
        let secs = part.duration_us as f64 / 1e6;
        let independent = if part.independent { ",INDEPENDENT=YES" } else { "" };
        let msn = segment.msn;
        writeln!(text, "#EXT-X-PART:DURATION={secs:.5},URI=\"part-{msn}-{index}.m4s\"{independent}")?;
    }
    Ok(())
}

fn write_multivariant(text: &mut String, view: &View, uri: &str) -> std::fmt::Result {
    let listed = view.listed();
    let Some(newest) = listed.last() else { return Ok(()) };
    let (peak, average) = bandwidth(listed);
    text.push_str("#EXTM3U\n#EXT-X-VERSION:6\n");
    write!(text, "#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average}")?;
    write!(text, ",CODECS=\"{}\"", newest.init.codecs)?;
    if let Some((width, height)) = newest.init.size {
        write!(text, ",RESOLUTION={width}x{height}")?;
    }
    if let Some(fps) = frame_rate(listed, newest) {
        write!(text, ",FRAME-RATE={fps:.3}")?;
    }
    writeln!(text, "\n{uri}")
}

/// Bits a second of the heaviest segment and of all of them.
fn bandwidth(segments: &[Arc<Segment>]) -> (u64, u64) {
    let rate = |bytes: usize, us: i64| {
        // An open segment that has hardly begun says little; half a second is where a rate begins to mean something.
        let us = u64::try_from(us).unwrap_or(0).max(500_000);
        (bytes as u64).saturating_mul(8_000_000) / us
    };
    let peak = segments.iter().map(|segment| rate(segment.size(), segment.duration_us())).max().unwrap_or(0);
    let bytes = segments.iter().map(|segment| segment.size()).sum();
    let us = segments.iter().map(|segment| segment.duration_us()).sum();
    (peak.max(1), rate(bytes, us).clamp(1, peak.max(1)))
}

/// Frames a second: announced, or else counted.
fn frame_rate(segments: &[Arc<Segment>], newest: &Segment) -> Option<f64> {
    newest.init.size?;
    if newest.init.fps.is_some() {
        return newest.init.fps;
    }
    let parts = || segments.iter().flat_map(|segment| &segment.parts);
    let pictures: u32 = parts().map(|part| part.pictures).sum();
    let us: i64 = parts().map(|part| part.duration_us).sum();
    (us > 0 && pictures > 0).then(|| f64::from(pictures) * 1e6 / us as f64)
}
