//! Prints what the crate makes of an FLV file, one tag a line: `cargo run -p media --example tags -- FILE`.

use std::error::Error;

use media::flv::{self, TagType};
use media::{
    AudioKind, VideoKind, audio_config, audio_frame_config, audio_tracks, check_access_unit, frame_size,
    video_config, video_tracks,
};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: tags FILE")?;
    let file = std::fs::read(path)?;
    let (header, mut position) = flv::FileHeader::decode(&file)?.ok_or("the file ends in its header")?;
    println!("{header:?}");
    let mut nal_length_size = 4;
    while let Some((tag, used)) = flv::read_tag(file.get(position..).unwrap_or_default())? {
        print!("{:>6} ms  {:>7} bytes  ", tag.header.timestamp_ms, tag.body.len());
        match tag.header.tag_type {
            TagType::Script => println!("script"),
            TagType::Audio => print_audio(tag.body)?,
            TagType::Video => nal_length_size = print_video(tag.body, nal_length_size)?,
        }
        position += used;
    }
    println!("{} bytes left", file.len() - position);
    Ok(())
}

fn print_audio(message: &[u8]) -> Result<(), Box<dyn Error>> {
    for tag in audio_tracks(message)? {
        let tag = tag?;
        let body = message.get(tag.body.clone()).unwrap_or_default();
        println!("{tag:?}");
        match (tag.kind, tag.codec) {
            (AudioKind::SequenceHeader, Some(codec)) => println!("    {:?}", audio_config(codec, body)),
            (AudioKind::Frame, Some(codec)) => println!("    {:?}", audio_frame_config(codec, body)),
            _ => {}
        }
    }
    Ok(())
}

fn print_video(message: &[u8], mut nal_length_size: u8) -> Result<u8, Box<dyn Error>> {
    for tag in video_tracks(message)? {
        let tag = tag?;
        let body = message.get(tag.body.clone()).unwrap_or_default();
        println!("{tag:?}");
        match (tag.kind, tag.codec) {
            (VideoKind::SequenceHeader, Some(codec)) => {
                let config = video_config(codec, body);
                println!("    {config:?}");
                nal_length_size = config?.map_or(nal_length_size, |config| config.nal_length_size);
            }
            (VideoKind::KeyFrame | VideoKind::InterFrame, Some(codec)) => println!(
                "    {:?}, {:?}",
                check_access_unit(codec, nal_length_size, body),
                frame_size(codec, body)
            ),
            _ => {}
        }
    }
    Ok(nal_length_size)
}
