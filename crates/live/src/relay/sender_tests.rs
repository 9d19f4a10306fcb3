//! The sender against the server half of the same protocol.

use cause::evidence::Stage;
use model::StreamKey;
use rtmp::message::control::Control;
use rtmp::server::{self, PublishRejection};
use rtmp::{ServerConfig, ServerSession};

use super::super::parting::{Parting, Said};
use super::super::side::Heard;
use super::super::target::Target;
use super::*;

struct Pair {
    sender: Sender,
    server: ServerSession,
    seen: Vec<server::Event>,
}

impl Pair {
    fn new(enhanced: &Enhancements) -> Self {
        let target: Target = "rtmp://origin/{app}/{stream}?k=v".parse().unwrap();
        let endpoint = target.endpoint(&StreamKey::new("d", "live", "cam"));
        let sender = Sender::publishing(&endpoint, enhanced, [3; 1528]);
        Self { sender, server: ServerSession::new(ServerConfig::new([4; 1528])), seen: Vec::new() }
    }

    /// Moves bytes until the sender hears something or nothing moves any more.
    fn run(&mut self, mut answer: impl FnMut(&mut ServerSession, &server::Event)) -> Option<Heard> {
        for _ in 0..50 {
            self.server.read_buf().extend_from_slice(&self.sender.output().split());
            while let Some(event) = self.server.poll().unwrap() {
                answer(&mut self.server, &event);
                self.seen.push(event);
            }
            self.sender.read_buf().extend_from_slice(&self.server.output().split());
            if let Some(heard) = self.sender.hear().unwrap() {
                return Some(heard);
            }
        }
        None
    }

    fn live() -> Self {
        let mut pair = Self::new(&Enhancements::default());
        assert_eq!(pair.run(accept), Some(Heard::Live));
        pair
    }

    fn names(&self) -> Vec<&str> {
        self.seen.iter().filter_map(server::Event::name).collect()
    }
}

fn accept(server: &mut ServerSession, event: &server::Event) {
    match event {
        server::Event::Connect(_) => server.accept_connect(),
        server::Event::Publish(publish) => server.accept_publish(publish.stream_id),
        _ => {}
    }
}

#[test]
fn it_publishes_as_encoders_do() {
    let pair = Pair::live();
    assert_eq!(pair.names(), ["connect", "releaseStream", "FCPublish", "createStream", "publish"]);
    let publish = pair.seen.iter().find_map(|event| match event {
        server::Event::Publish(publish) => Some(publish.name.clone()),
        _ => None,
    });
    assert_eq!(publish.as_deref(), Some("cam?k=v"));
    assert_eq!(pair.sender.stage(), Stage::Live);
}

#[test]
fn it_speaks_enhanced_rtmp_where_asked_to_and_always_follows_reconnect_requests() {
    for enhanced in [Enhancements::default(), Enhancements::forwarding()] {
        let mut pair = Pair::new(&enhanced);
        pair.run(accept);
        let said = pair.seen.iter().find_map(|event| match event {
            server::Event::Connect(connect) => Some(connect.enhanced.clone()),
            _ => None,
        });
        let said = said.unwrap();
        assert_eq!(said.fourcc_list, enhanced.fourcc_list);
        assert!(said.has(caps::RECONNECT));
        assert!(pair.server.request_reconnect(Some("rtmp://other/live"), None));
        let moved = Heard::Parted(Parting::Moved(Some("rtmp://other/live".to_owned())));
        assert_eq!(pair.run(accept), Some(moved));
    }
}

#[test]
fn a_refusal_says_how_far_it_had_come_and_why() {
    let mut pair = Pair::new(&Enhancements::default());
    let heard = pair.run(|server, event| match event {
        server::Event::Connect(_) => server.reject_connect("who are you"),
        other => accept(server, other),
    });
    let said = Said::new("NetConnection.Connect.Rejected", "who are you");
    assert_eq!(heard, Some(Heard::Parted(Parting::Refused { stage: Stage::BeforeConnect, said })));

    let mut pair = Pair::new(&Enhancements::default());
    let heard = pair.run(|server, event| match event {
        server::Event::Publish(p) => server.reject_publish(p.stream_id, PublishRejection::Denied, "no"),
        other => accept(server, other),
    });
    let said = Said::new("NetStream.Publish.Denied", "no");
    assert_eq!(heard, Some(Heard::Parted(Parting::Refused { stage: Stage::StreamCreated, said })));
}

#[test]
fn a_live_stream_that_is_told_to_stop_hears_what_was_said() {
    let mut pair = Pair::live();
    pair.server.cut(1, "the operator wants it");
    let said = Said::new("NetStream.Publish.Failed", "the operator wants it");
    assert_eq!(pair.run(accept), Some(Heard::Parted(Parting::Stopped(said))));
}

#[test]
fn media_arrives_as_it_was_and_metadata_is_to_be_kept() {
    let mut pair = Pair::live();
    let mut body = BytesMut::new();
    amf0::encode_all(&["onMetaData".into(), amf0::Object::new().with("width", 640.0).into()], &mut body);
    pair.sender.data(0, &body.freeze());
    let mut cue = BytesMut::new();
    amf0::encode_all(&["onCuePoint".into(), 1.0.into()], &mut cue);
    pair.sender.data(20, &cue.freeze());
    let frame = vec![0x17; 30_000];
    pair.sender.media(MediaKind::Video, 20_000_000, &frame);
    pair.run(accept);
    let data: Vec<_> = pair
        .seen
        .iter()
        .filter_map(|event| match event {
            server::Event::Data(data) => Some((data.name.as_str(), data.set_data_frame, data.values.len())),
            _ => None,
        })
        .collect();
    assert_eq!(data, [("onMetaData", true, 1), ("onCuePoint", false, 1)]);
    let media = pair.seen.iter().find_map(|event| match event {
        server::Event::Media(media) => Some((media.info.timestamp, media.payload.len())),
        _ => None,
    });
    assert_eq!(media, Some((20_000_000, 30_000)));
}

#[test]
fn each_goodbye_is_said_in_its_own_way() {
    for (goodbye, said) in [
        (Goodbye::Delete, &["FCUnpublish", "deleteStream"][..]),
        (Goodbye::Close, &["closeStream"]),
        (Goodbye::EndOfFile, &[]),
    ] {
        let mut pair = Pair::live();
        pair.seen.clear();
        pair.sender.leave(goodbye);
        pair.run(accept);
        assert_eq!(pair.names(), said, "{goodbye:?}");
    }
    // What the server answers then is no order to stop.
    let mut pair = Pair::live();
    pair.sender.leave(Goodbye::Delete);
    let heard = pair.run(|server, event| {
        if let server::Event::DeleteStream(_) = event {
            server.answer_fc_unpublish();
        }
    });
    assert_eq!(heard, None);
}

#[test]
fn a_window_that_the_target_asks_for_is_granted() {
    let mut pair = Pair::new(&Enhancements::default());
    pair.run(accept);
    let granted = pair.seen.iter().any(|event| {
        matches!(event, server::Event::Control(c) if matches!(c.control, Control::WindowAckSize(w) if w > 0))
    });
    assert!(granted, "{:?}", pair.seen);
}
