//! Accepts one push on a port, says what it hears, and can keep the bytes received:
//! `cargo run -p rtmp --example listen -- 127.0.0.1:1935 [FILE]`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use rtmp::server::{Event, PlayRejection};
use rtmp::{ServerConfig, ServerSession};

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "127.0.0.1:1935".to_owned());
    let copy = args.next().map(File::create).transpose()?;
    let (socket, peer) = TcpListener::bind(&address)?.accept()?;
    println!("connection from {peer}");
    serve(socket, copy)
}

fn serve(mut socket: TcpStream, mut copy: Option<File>) -> io::Result<()> {
    // A server draws these at random; to listen to one encoder any bytes do.
    let mut session = ServerSession::new(ServerConfig::new([0x5a; 1528]));
    let mut chunk = [0; 16 << 10];
    loop {
        let count = socket.read(&mut chunk)?;
        let received = chunk.get(..count).unwrap_or_default();
        if received.is_empty() {
            println!("end of file after {} bytes, {}", session.bytes_received(), session.stage());
            return Ok(());
        }
        if let Some(copy) = &mut copy {
            copy.write_all(received)?;
        }
        session.read_buf().extend_from_slice(received);
        while let Some(event) = session.poll().map_err(io::Error::other)? {
            answer(&mut session, &event);
            describe(&event);
        }
        let output = session.output().split();
        socket.write_all(&output)?;
    }
}

fn answer(session: &mut ServerSession, event: &Event) {
    match event {
        Event::Connect(_) => session.accept_connect(),
        Event::Publish(publish) => session.accept_publish(publish.stream_id),
        Event::Play(play) => {
            session.reject_play(play.stream_id, PlayRejection::StreamNotFound, "nothing to play here")
        }
        Event::DeleteStream(_) => session.answer_fc_unpublish(),
        _ => {}
    }
}

fn describe(event: &Event) {
    match event {
        Event::Media(media) => println!("{:>8} ms {}", media.info.timestamp, media.info),
        Event::Connect(connect) => println!("connect to {} by {}", connect.tc_url, connect.flash_ver),
        Event::Publish(publish) => println!("publish {} ({})", publish.name, publish.kind),
        Event::Data(data) => println!("{} {:?}", data.name, data.values),
        other => println!("{other:?}"),
    }
}
