//! Commands in a line each, for the black box: what an operator needs, secrets masked, never media.

use rtmp::server::Event;

use crate::ingest::words::text;

/// The name and the line for an event that the black box keeps among the commands.
pub(super) fn of(event: &Event) -> Option<(String, String)> {
    let line = match event {
        Event::Connect(c) => {
            format!("app={} tcUrl={} flashVer={}", text(&c.app), text(&c.tc_url), text(&c.flash_ver))
        }
        Event::ReleaseStream(s) | Event::FcPublish(s) | Event::FcUnpublish(s) => text(&s.name),
        Event::CreateStream(s) | Event::CloseStream(s) | Event::DeleteStream(s) => {
            format!("stream {}", s.stream_id)
        }
        Event::Publish(p) => format!("{} ({})", text(&p.name), p.kind),
        Event::Play(p) => text(&p.name),
        Event::Pause(p) => format!("{} at {} ms", if p.paused { "pause" } else { "go on" }, p.position_ms),
        Event::Seek(s) => format!("to {} ms", s.position_ms),
        Event::Data(d) => match &d.broken {
            Some(error) => text(&error.to_string()),
            None => String::new(),
        },
        Event::Command(_) => String::new(),
        Event::PingResponse(p) => return Some(("pong".to_owned(), p.timestamp.to_string())),
        Event::PingRequest(p) => return Some(("ping".to_owned(), p.timestamp.to_string())),
        Event::Control(c) => return Some(("control".to_owned(), text(&format!("{:?}", c.control)))),
        Event::HandshakeDone(kind) => {
            return Some(("handshake".to_owned(), format!("{kind:?}").to_lowercase()));
        }
        _ => return None,
    };
    let name = event.name().unwrap_or("message");
    Some((text(name), line))
}
