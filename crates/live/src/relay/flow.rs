//! Media on its way from the hub to a target.

use std::sync::Arc;
use std::time::Duration;

use rtmp::MediaKind;
use rtmp::ertmp::Enhancements;

use super::link::Link;
use super::parting::Parting;
use super::status::Status;
use crate::hub::feed::{Batch, FrameKind, Headers, Step, Viewer};

/// For what the hub still holds when a push has ended.
const REST: Duration = Duration::from_millis(300);

/// Why media no longer flows.
#[derive(Debug)]
pub enum FlowEnd<S> {
    /// The stream has ended; everything before its end has been handed to the link.
    StreamEnded,
    /// We were told to take the stream back, and why or how.
    Stopped(S),
    /// The target has.
    Parted(Parting),
}

/// A live stream on its way over one link. It reads the viewer only while the link has room, so what a slow target cannot
/// take waits, and is skipped, in the hub.
pub struct Flow<'a> {
    link: &'a mut Link,
    viewer: &'a mut Viewer,
    status: &'a Status,
    /// The headers that the target has.
    given: Option<Arc<Headers>>,
}

impl<'a> Flow<'a> {
    /// A flow that has passed nothing on yet.
    pub fn new(link: &'a mut Link, viewer: &'a mut Viewer, status: &'a Status) -> Self {
        Self { link, viewer, status, given: None }
    }

    /// Passes the stream on until one side ends it, or `stop` does.
    pub async fn run<S>(&mut self, stop: impl Future<Output = S>) -> FlowEnd<S> {
        let mut stop = std::pin::pin!(stop);
        loop {
            let room = !self.link.is_full();
            let before = self.link.bytes_out();
            let step = tokio::select! {
                biased;
                turned = self.link.turn() => turned.map(|()| None),
                stopped = &mut stop => return FlowEnd::Stopped(stopped),
                step = self.viewer.next(), if room => Ok(Some(step)),
            };
            self.status.sent(self.link.bytes_out() - before, 0);
            match step {
                Err(parting) => return FlowEnd::Parted(parting),
                Ok(None) => {}
                Ok(Some(Step::Ended(_))) => return FlowEnd::StreamEnded,
                Ok(Some(step)) => self.pass(step),
            }
        }
    }

    /// Hands over what came before the end of the push; only what comes at once, and only while the target takes it.
    pub async fn rest(&mut self) {
        let rest = async {
            loop {
                match self.viewer.next().await {
                    Step::Ended(_) => return,
                    step => self.pass(step),
                }
                while self.link.is_full() {
                    if self.link.turn().await.is_err() {
                        return;
                    }
                }
            }
        };
        let _ = tokio::time::timeout(REST, rest).await;
    }

    fn pass(&mut self, step: Step) {
        match step {
            Step::Batch(batch) => {
                self.give_headers(&batch);
                let framed = batch.rtmp_on(self.link.side().stream_id());
                self.viewer.sent(framed.len() as u64);
                self.link.send(framed);
                self.status.sent(0, batch.frames().len());
            }
            Step::Skipped { frames } => self.status.skipped(frames),
            // A batch brings its own.
            Step::Headers(_) | Step::Ended(_) => {}
        }
    }

    /// Metadata and codec headers, where these frames need others than the target has.
    fn give_headers(&mut self, batch: &Batch) {
        let headers = batch.headers();
        if self.given.as_ref().is_some_and(|given| Arc::ptr_eq(given, headers)) {
            return;
        }
        let (sender, timestamp) = (self.link.side(), batch.timestamp());
        for frame in headers.since(self.given.as_deref()) {
            match frame.kind {
                FrameKind::Script => sender.data(timestamp, &frame.payload),
                FrameKind::Video => sender.media(MediaKind::Video, timestamp, &frame.payload),
                FrameKind::Audio => sender.media(MediaKind::Audio, timestamp, &frame.payload),
            }
        }
        self.given = Some(headers.clone());
    }
}

/// What a target is told of Enhanced RTMP: everything for a stream that needs it, else nothing, which servers of old
/// understand best.
pub fn enhancements(headers: &Headers) -> Enhancements {
    let enhanced = headers.frames().any(|frame| {
        let first = frame.payload.first().copied().unwrap_or_default();
        match frame.kind {
            FrameKind::Video => first & 0x80 != 0,
            FrameKind::Audio => first >> 4 == 9,
            FrameKind::Script => false,
        }
    });
    if enhanced { Enhancements::forwarding() } else { Enhancements::default() }
}
