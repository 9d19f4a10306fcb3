//! RTMP over TLS: the handshake, and a record for whoever does not get through it. What comes then is plain RTMP to all
//! but the socket.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use cause::evidence::{Close, Stage};
use rustls::ServerConfig;
use tracing::Instrument;

use super::admission::ordered;
use super::conclude::{end_of, with_facts};
use super::rtmp::Accepted;
use crate::push::{ConnectionFacts, End};
use crate::shared::Shared;
use crate::socket::Sensor;

/// A client whose handshake failed has this long, and this much, to read the alert and to close.
const FAREWELL_LIMIT: Duration = Duration::from_secs(2);
const FAREWELL_BYTES: usize = 1024 * 1024;

/// Sets TLS up. `None` when that came to nothing: the client has left, broke a rule, took too long, or was ordered to end,
/// and is on record with it.
pub(super) async fn secure(
    shared: &Arc<Shared>,
    accepted: Accepted,
    tls: &Arc<ServerConfig>,
) -> Option<Accepted> {
    let Accepted { mut sensor, mut push, first_bytes, overload } = accepted;
    let span = tracing::info_span!("push", id = %push.id, client = %push.client);
    shared.orders.enter(&push);
    let mut secured = None;
    let run = async {
        let handshake = async {
            let mut setting_up = std::pin::pin!(sensor.secure(tls, &first_bytes));
            poll_fn(|cx| match setting_up.as_mut().poll(cx) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending => push.order.poll(cx).map(|_| None),
            })
            .await
        };
        match tokio::time::timeout(shared.config.limits.handshake, handshake).await {
            Ok(Some(Ok(first_bytes))) => {
                secured = Some(first_bytes);
                End::default()
            }
            Ok(Some(Err(close))) => End::closed(close),
            Ok(None) => ordered(&push),
            Err(_) => End::closed(Close::SetupLimit),
        }
    };
    let (end, _) = end_of(&span, run).await;
    shared.orders.leave(&push);
    push.stage = if sensor.handshake_bytes() == 0 { Stage::NoBytes } else { Stage::TlsHandshake };
    if let Some(first_bytes) = secured {
        return Some(Accepted { sensor, push, first_bytes, overload });
    }
    with_facts(shared, facts(&sensor), &mut push, &end).instrument(span).await;
    sensor.farewell(&mut BytesMut::new(), FAREWELL_LIMIT, FAREWELL_BYTES).await;
    None
}

fn facts(sensor: &Sensor) -> ConnectionFacts {
    ConnectionFacts {
        tcp: sensor.facts(),
        write_error: sensor.write_error(),
        bytes_in: sensor.handshake_bytes(),
        bytes_out: sensor.bytes_out(),
        carrier: sensor.carrier(),
        ..ConnectionFacts::default()
    }
}
