//! Cuts an FLV file as a live stream is cut, and leaves initialization segment, segments and playlist in a folder:
//! `cargo run -p media --example hls in.flv out`, and then `ffprobe out/media.m3u8`.

use std::error::Error;
use std::path::Path;

use bytes::Bytes;
use media::flv::{FileHeader, TagType, read_tag};
use media::hls::{Packager, Settings, View};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(input), Some(folder)) = (args.next(), args.next()) else {
        return Err("usage: hls IN.flv OUT".into());
    };
    let file = Bytes::from(std::fs::read(input)?);
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let (_, mut at) = FileHeader::decode(&file)?.ok_or("the file is too short")?;
    let mut packager = Packager::new(Settings::default());
    let mut written = 0;
    while let Some((tag, used)) = read_tag(file.get(at..).unwrap_or_default())? {
        let (timestamp, body) = (tag.header.timestamp_ms, file.slice_ref(tag.body));
        match tag.header.tag_type {
            TagType::Video => packager.video(timestamp, &body, i64::from(timestamp)),
            TagType::Audio => packager.audio(timestamp, &body, i64::from(timestamp)),
            TagType::Script => {}
        }
        at += used;
        if let Some(view) = packager.view() {
            written = write(&view, folder, written)?;
        }
    }
    packager.finish();
    if let Some(failure) = packager.failure() {
        return Err(failure.into());
    }
    let view = packager.view().ok_or("nothing to play")?;
    write(&view, folder, written)?;
    std::fs::write(folder.join("index.m3u8"), view.multivariant("media.m3u8"))?;
    std::fs::write(folder.join("media.m3u8"), view.playlist().plain())?;
    Ok(())
}

/// Writes the segments from `from` on; says where to go on.
fn write(view: &View, folder: &Path, mut from: u64) -> std::io::Result<u64> {
    for segment in view.listed_complete().iter().filter(|segment| segment.msn >= from) {
        std::fs::write(folder.join(format!("init-{}.mp4", segment.init.id)), &segment.init.bytes)?;
        for (index, part) in segment.parts.iter().enumerate() {
            std::fs::write(folder.join(format!("part-{}-{index}.m4s", segment.msn)), &part.bytes)?;
        }
        let bytes: Vec<u8> = segment.parts.iter().flat_map(|part| part.bytes.to_vec()).collect();
        std::fs::write(folder.join(format!("seg-{}.m4s", segment.msn)), bytes)?;
    }
    from = view.listed_complete().last().map_or(from, |segment| segment.msn + 1);
    Ok(from)
}
