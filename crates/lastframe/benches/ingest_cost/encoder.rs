//! An encoder as the bench needs it: says what OBS says, sends what x264 and AAC at 1 Mbit/s look like.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rtmp::amf0::Object;
use rtmp::client::Event;
use rtmp::{ClientConfig, ClientSession, MediaKind};

use crate::Outcome;

/// OBS's chunk size.
const CHUNK_SIZE: u32 = 4096;
/// No answer takes longer, unless something is broken.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// AVCDecoderConfigurationRecord of 1920x1080, main profile fields left out (ISO/IEC 14496-15, 5.3.3.1).
const AVC_HEADER: &[u8] = &[
    0x17, 0, 0, 0, 0, 0x01, 0x42, 0xc0, 0x28, 0xff, 0xe1, 0x00, 0x19, 0x67, 0x42, 0xc0, 0x28, 0xda, 0x01,
    0xe0, 0x08, 0x9f, 0x97, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc8, 0xf1,
    0x83, 0x2a, 0x01, 0x00, 0x04, 0x68, 0xce, 0x0f, 0xc8,
];
/// AudioSpecificConfig: AAC-LC, 44.1 kHz, stereo.
const AAC_HEADER: &[u8] = &[0xaf, 0, 0x12, 0x10];

/// Body sizes that make 1 Mbit/s with 30 frames and 43 audio messages a second, a key frame a second.
const KEY_FRAME: usize = 18_000;
const INTER_FRAME: usize = 3_200;
const AUDIO_FRAME: usize = 300;
/// Frames from one key frame to the next.
pub const GROUP: u32 = 30;

/// Messages ready to be sent.
pub struct Media {
    key: Vec<u8>,
    inter: Vec<u8>,
    audio: Vec<u8>,
}

impl Media {
    pub fn new() -> Self {
        Self {
            key: video(0x17, 0x65, KEY_FRAME),
            inter: video(0x27, 0x41, INTER_FRAME),
            audio: [&[0xaf, 1][..], &filler(AUDIO_FRAME - 2)].concat(),
        }
    }

    /// The message of video frame number `frame`.
    pub fn video(&self, frame: u32) -> &[u8] {
        if frame.is_multiple_of(GROUP) { &self.key } else { &self.inter }
    }

    pub fn audio(&self) -> &[u8] {
        &self.audio
    }
}

/// One NAL unit behind its length, as a video message.
fn video(first: u8, nal_header: u8, size: usize) -> Vec<u8> {
    let unit = size - 9;
    let length = u32::try_from(unit).unwrap_or(u32::MAX).to_be_bytes();
    [&[first, 1, 0, 0, 0][..], &length, &[nal_header], &filler(unit - 1)].concat()
}

/// Bytes that look coded: no run of them repeats.
fn filler(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    })
    .take(size)
    .collect()
}

/// A connection that publishes.
pub struct Encoder {
    stream: TcpStream,
    session: ClientSession,
    stream_id: u32,
    name: String,
}

impl Encoder {
    /// Connects and publishes; returns once the server has said `Publish.Start`.
    pub fn publish(server: SocketAddr, name: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        let session = ClientSession::new(ClientConfig::new([3; 1528]));
        let mut encoder = Self { stream, session, stream_id: 0, name: name.to_owned() };
        encoder.session.start();
        encoder.session.connect("live", &format!("rtmp://{server}/live"), &[]);
        encoder.until_live()?;
        Ok(encoder)
    }

    fn until_live(&mut self) -> Outcome<()> {
        loop {
            while let Some(event) = self.session.poll()? {
                match event {
                    Event::Connected { .. } => {
                        self.session.set_chunk_size(CHUNK_SIZE);
                        self.session.release_stream(&self.name);
                        self.session.fc_publish(&self.name);
                        self.session.create_stream();
                    }
                    Event::StreamCreated { stream_id, .. } => {
                        self.stream_id = stream_id;
                        self.session.publish(stream_id, &self.name);
                    }
                    Event::Status(status) if status.code == "NetStream.Publish.Start" => return Ok(()),
                    Event::Status(status) => {
                        return Err(format!("{}: {}", status.code, status.description).into());
                    }
                    Event::ConnectRejected(refusal) => return Err(refusal.description.into()),
                    _ => {}
                }
            }
            self.flush()?;
            let mut bytes = [0; 8192];
            let read = self.stream.read(&mut bytes)?;
            if read == 0 {
                return Err("the server closed before Publish.Start".into());
            }
            self.session.read_buf().extend_from_slice(bytes.get(..read).unwrap_or_default());
        }
    }

    /// Metadata and both sequence headers.
    pub fn send_headers(&mut self) -> Outcome<()> {
        let metadata =
            Object::new().with("width", 1920.0).with("height", 1080.0).with("encoder", "ingest_cost");
        self.session.send_metadata(self.stream_id, metadata);
        self.session.send_media(self.stream_id, MediaKind::Video, 0, AVC_HEADER);
        self.session.send_media(self.stream_id, MediaKind::Audio, 0, AAC_HEADER);
        self.flush()?;
        Ok(())
    }

    /// One message in one write, as encoders do; returns the bytes on the wire.
    pub fn send(&mut self, kind: MediaKind, timestamp: u32, body: &[u8]) -> Outcome<usize> {
        self.session.send_media(self.stream_id, kind, timestamp, body);
        self.flush()
    }

    /// Says goodbye and waits for the server to close.
    pub fn stop(mut self) -> Outcome<()> {
        self.session.fc_unpublish(&self.name);
        self.session.delete_stream(self.stream_id);
        self.flush()?;
        self.stream.shutdown(std::net::Shutdown::Write)?;
        let mut bytes = [0; 1024];
        while self.stream.read(&mut bytes)? > 0 {}
        Ok(())
    }

    fn flush(&mut self) -> Outcome<usize> {
        let bytes = self.session.output().split();
        self.stream.write_all(&bytes)?;
        Ok(bytes.len())
    }
}
