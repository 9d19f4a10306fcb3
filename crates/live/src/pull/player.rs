//! The side of a connection to another node that plays.

use rtmp::client::Event;
use rtmp::{ClientConfig, ClientSession};

use crate::relay::side::{Goodbye, Purpose, Received, Side};
use crate::relay::target::Endpoint;

/// What nodes call themselves to each other.
const FLASH_VER: &str = "Lastframe";

/// To play the stream.
#[derive(Debug)]
pub(super) enum Playing {}

/// One connection to another node.
pub(super) type Player = Side<Playing>;

impl Purpose for Playing {
    const COMMAND: &'static str = "play";
    const GRANTED: &'static str = "NetStream.Play.Start";

    fn ask(session: &mut ClientSession, stream_id: u32, name: &str) {
        session.play(stream_id, name);
    }

    fn received(event: Event) -> Option<Received> {
        match event {
            Event::Media(media) => Some(Received::Media(media)),
            Event::Data(data) => Some(Received::Data(data)),
            _ => None,
        }
    }

    fn is_end(code: &str) -> bool {
        matches!(
            code,
            "NetStream.Play.UnpublishNotify"
                | "NetStream.Play.Stop"
                | "NetConnection.Connect.Closed"
                | "NetConnection.Connect.Rejected"
        )
    }

    fn leave(session: &mut ClientSession, stream_id: u32, _name: &str, goodbye: Goodbye) {
        if goodbye == Goodbye::Delete {
            session.delete_stream(stream_id);
        }
    }
}

impl Player {
    /// Begins the handshake and asks to connect. Messages of up to `longest` bytes are taken.
    pub fn playing(endpoint: &Endpoint, longest: usize, random: [u8; 1528]) -> Self {
        let mut config = ClientConfig::new(random);
        config.limits.message = config.limits.message.max(longest);
        config.limits.partial = config.limits.partial.max(longest.saturating_mul(2));
        let mut session = ClientSession::new(config);
        session.start();
        session.connect(&endpoint.app, &endpoint.tc_url, &[("flashVer", FLASH_VER.into())]);
        Self::new(session, endpoint.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use cause::evidence::Stage;
    use model::StreamKey;
    use proptest::prelude::*;
    use rtmp::server::{self, PlayRejection};
    use rtmp::{MediaKind, ServerConfig, ServerSession};

    use super::*;
    use crate::relay::Target;
    use crate::relay::parting::{Parting, Said};
    use crate::relay::side::Heard;

    fn player() -> Player {
        let target: Target = "rtmp://10.0.0.7".parse().unwrap();
        let endpoint =
            target.endpoint_to_play(&StreamKey::new("d.example", "live", "mp4:配信"), "pull_token=t");
        Player::playing(&endpoint, 1 << 20, [3; 1528])
    }

    /// Moves bytes until the player hears something or nothing moves any more.
    fn run(
        player: &mut Player,
        server: &mut ServerSession,
        mut answer: impl FnMut(&mut ServerSession, &server::Event),
    ) -> Option<Heard> {
        for _ in 0..50 {
            server.read_buf().extend_from_slice(&player.output().split());
            while let Some(event) = server.poll().unwrap() {
                answer(server, &event);
            }
            player.read_buf().extend_from_slice(&server.output().split());
            if let Some(heard) = player.hear().unwrap() {
                return Some(heard);
            }
        }
        None
    }

    fn welcome(server: &mut ServerSession, event: &server::Event) {
        match event {
            server::Event::Connect(_) => server.accept_connect(),
            server::Event::Play(play) => server.accept_play(play.stream_id),
            _ => {}
        }
    }

    #[test]
    fn a_stream_is_asked_for_by_its_own_name_and_domain_and_then_taken() {
        let (mut player, mut server) = (player(), ServerSession::new(ServerConfig::new([4; 1528])));
        let mut asked = None;
        let mut tc_url = String::new();
        let heard = run(&mut player, &mut server, |server, event| {
            match event {
                server::Event::Connect(connect) => tc_url = connect.tc_url.clone(),
                server::Event::Play(play) => {
                    asked = Some(model::PushUrl::from_rtmp(&tc_url, "live", &play.name));
                }
                _ => {}
            }
            welcome(server, event);
        });
        assert_eq!(heard, Some(Heard::Live));
        let asked = asked.unwrap();
        assert_eq!(asked.host, model::stream_key::Host::Domain("d.example".to_owned()));
        assert_eq!((asked.app.as_str(), asked.stream.as_str()), ("live", "mp4:配信"));
        assert_eq!(asked.params.get("pull_token"), Some("t"));
        server.send_media(1, MediaKind::Video, 40, b"\x17\x01abc");
        // What a player may do with the samples is said before them.
        let mut next = || run(&mut player, &mut server, |_, _| {});
        let Some(Heard::Got(Received::Data(_))) = next() else { panic!("no data") };
        let Some(Heard::Got(Received::Media(media))) = next() else { panic!("no media") };
        assert_eq!(
            (media.kind, media.info.timestamp, &media.payload[..]),
            (MediaKind::Video, 40, &b"\x17\x01abc"[..])
        );
        server.play_stop(1, "The stream has ended.");
        let heard = run(&mut player, &mut server, |_, _| {});
        let said = Said::new("NetStream.Play.UnpublishNotify", "The stream has ended.");
        assert_eq!(heard, Some(Heard::Parted(Parting::Stopped(said))));
    }

    #[test]
    fn a_refusal_is_heard_with_its_words() {
        let (mut player, mut server) = (player(), ServerSession::new(ServerConfig::new([4; 1528])));
        let heard = run(&mut player, &mut server, |server, event| match event {
            server::Event::Play(play) => {
                server.reject_play(play.stream_id, PlayRejection::Failed, "not the owner")
            }
            other => welcome(server, other),
        });
        let said = Said::new("NetStream.Play.Failed", "not the owner");
        assert_eq!(heard, Some(Heard::Parted(Parting::Refused { stage: Stage::StreamCreated, said })));
    }

    proptest! {
        #[test]
        fn whatever_a_node_sends_is_heard_or_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
            let mut player = player();
            player.read_buf().extend_from_slice(&bytes);
            while let Ok(Some(_)) = player.hear() {}
        }

        #[test]
        fn whatever_follows_the_handshake_is_heard_or_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let (mut player, mut server) = (player(), ServerSession::new(ServerConfig::new([4; 1528])));
            prop_assert_eq!(run(&mut player, &mut server, welcome), Some(Heard::Live));
            player.read_buf().extend_from_slice(&bytes);
            while let Ok(Some(_)) = player.hear() {}
        }
    }
}
