//! A panic inside a push's task ends that push alone, on record, with what was seen before.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use live::{Limits, ListenConfig, Live, LiveConfig};
use model::admission::AdmissionSettings;
use model::catalog::{Account, AccountStatus, Domain};
use model::{Clock, PushId, Record, SystemClock, Timestamp};
use rtmp::client::Event;
use rtmp::{ClientConfig, ClientSession, MediaKind};
use store::{DataLock, RecordQuery, Store, StoreConfig};

/// A clock that panics once when it is told to, inside whatever task looks at it next.
#[derive(Default)]
struct Trap {
    armed: AtomicBool,
}

impl Clock for Trap {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn instant(&self) -> Instant {
        assert!(!self.armed.swap(false, Ordering::SeqCst), "the trap was armed");
        SystemClock.instant()
    }

    fn push_id(&self) -> PushId {
        SystemClock.push_id()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_whose_task_panics_is_recorded_as_5_0_and_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let lock = DataLock::take(dir.path()).unwrap();
    let config = StoreConfig {
        dir: dir.path().to_owned(),
        keep: Duration::from_secs(86_400),
        keep_evidence: Duration::from_secs(86_400),
        fold: None,
        ignore: Vec::new(),
        node_id: uuid::Uuid::nil(),
        node_label: "test".to_owned(),
        reserve_bytes: 0,
        outbox: store::OutboxConfig::default(),
        remote: None,
        keep_history: StoreConfig::KEEP_HISTORY,
    };
    let store = Store::open(lock, config, Arc::new(SystemClock)).unwrap();
    store.recover().unwrap();
    let catalog = store.catalog();
    catalog.put_account(&Account { id: 1, status: AccountStatus::Active, max_pushes: 0 }).unwrap();
    catalog.put_domain(&Domain { auth: false, ..Domain::new("localhost", 1, "") }).unwrap();
    let trap = Arc::new(Trap::default());
    let live_config = LiveConfig {
        node_label: "test".to_owned(),
        rtmp: ListenConfig { listen: "127.0.0.1:0".parse().unwrap(), proxy_protocol: Vec::new() },
        webrtc: None,
        srt: None,
        limits: Limits::default(),
        play: live::PlayConfig::default(),
        admission: AdmissionSettings::default(),
        auth_hook: None,
        chosen_hook: live::outbound::Reach::default(),
        relays: Vec::new(),
        proxy: None,
        pull: live::pull::PullConfig::default(),
        terse: false,
        strict_media: false,
    };
    let live = Live::start(live_config, &store, trap.clone()).await.unwrap();
    let port = live.rtmp_addr().port();

    let first = tokio::task::spawn_blocking(move || Publisher::new(port, "broken")).await.unwrap();
    assert_eq!(live.pushes().len(), 1);
    trap.armed.store(true, Ordering::SeqCst);
    let mut first = tokio::task::spawn_blocking(move || {
        let mut first = first;
        first.audio();
        first
    })
    .await
    .unwrap();
    let record = wait_for(&store, "broken");
    assert_eq!((record.errcode, record.sub_errcode, record.side.as_str()), (5, 0, "server"));
    assert!(record.published_at.is_some());
    assert_eq!(record.detail.unwrap().key, "task_panic");

    let mut second = tokio::task::spawn_blocking(move || Publisher::new(port, "whole")).await.unwrap();
    second.goodbye();
    assert_eq!(wait_for(&store, "whole").errcode, 1);
    first.closed();
    live.shutdown(Duration::from_secs(5)).await;
    store.shutdown().unwrap();
}

fn wait_for(store: &Store, stream: &str) -> Record {
    let query = RecordQuery { stream: Some(stream.to_owned()), limit: 10, ..RecordQuery::default() };
    for _ in 0..100 {
        let page = store.reader().query(&query).unwrap();
        if let Some(record) = page.records.first() {
            assert_eq!(page.records.len(), 1, "one record per push");
            return record.clone();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no record of {stream}");
}

struct Publisher {
    socket: TcpStream,
    session: ClientSession,
    stream_id: u32,
}

impl Publisher {
    fn new(port: u16, name: &str) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let session = ClientSession::new(ClientConfig::new([7; 1528]));
        let mut this = Self { socket, session, stream_id: 0 };
        this.session.start();
        this.session.connect("live", "rtmp://localhost/live", &[]);
        this.until(|e| matches!(e, Event::Connected { .. }));
        this.session.create_stream();
        let Event::StreamCreated { stream_id, .. } = this.until(|e| matches!(e, Event::StreamCreated { .. }))
        else {
            unreachable!("the wait ends with this event")
        };
        this.stream_id = stream_id;
        this.session.publish(this.stream_id, name);
        this.until(|e| matches!(e, Event::Status(s) if s.code == "NetStream.Publish.Start"));
        this
    }

    fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            while let Some(event) = self.session.poll().unwrap() {
                if wanted(&event) {
                    return event;
                }
            }
            self.flush();
            let mut bytes = [0; 4096];
            let n = self.socket.read(&mut bytes).unwrap();
            assert!(n > 0, "the server closed");
            self.session.read_buf().extend_from_slice(&bytes[..n]);
        }
    }

    fn flush(&mut self) {
        let bytes = self.session.output().split();
        self.socket.write_all(&bytes).unwrap();
    }

    fn audio(&mut self) {
        self.session.send_media(self.stream_id, MediaKind::Audio, 0, &[0xAF, 1, 0x21]);
        self.flush();
    }

    fn goodbye(&mut self) {
        self.session.delete_stream(self.stream_id);
        self.flush();
    }

    /// The server has closed this connection.
    fn closed(&mut self) {
        let mut bytes = [0; 4096];
        while self.socket.read(&mut bytes).is_ok_and(|n| n > 0) {}
    }
}
