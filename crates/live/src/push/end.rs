//! The value a push ends with, and how it becomes evidence, verdict and record.

use std::time::{Duration, Instant};

use cause::evidence::{
    Act, CarrierFacts, Close, CutMessage, Errno, Goodbye, ProtocolFault, Silence, TcpFacts, Transport,
};
use cause::verdict::VERDICT_VERSION;
use cause::{Cause, Detail, Evidence, Lang, Verdict, verdict};
use model::record::DetailRecord;
use model::{Code, Record, Timestamp};
use store::EndRow;

use super::Push;

/// What a push finishes with, as its task returns it. The caller adds what it owns: watch, black box, identity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct End {
    /// How the receive side ended.
    pub close: Close,
    /// The goodbye that came first.
    pub goodbye: Option<Goodbye>,
    /// Our own act.
    pub act: Option<Act>,
    /// The rule that the client broke.
    pub fault: Option<ProtocolFault>,
}

impl End {
    /// The receive side ended.
    pub fn closed(close: Close) -> Self {
        Self { close, ..Self::default() }
    }

    /// The client said goodbye.
    pub fn goodbye(goodbye: Goodbye) -> Self {
        Self { goodbye: Some(goodbye), ..Self::default() }
    }

    /// We ended it.
    pub fn act(act: Act) -> Self {
        Self { act: Some(act), ..Self::default() }
    }

    /// We ended it for a row without more to say.
    pub fn cause(cause: Cause, detail: Option<Detail>) -> Self {
        Self::act(Act { code: cause.code(), detail })
    }

    /// The client broke a rule.
    pub fn fault(fault: ProtocolFault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }
}

/// What only the connection knows at the end.
#[derive(Clone, Debug, Default)]
pub struct ConnectionFacts {
    /// `TCP_INFO`, read last.
    pub tcp: Option<TcpFacts>,
    /// A write's errno.
    pub write_error: Option<Errno>,
    /// A message that was cut off.
    pub cut_message: Option<CutMessage>,
    /// Bytes received on the connection.
    pub bytes_in: u64,
    /// Bytes sent on the connection.
    pub bytes_out: u64,
    /// What a transport other than plain TCP knew of its path.
    pub carrier: Option<CarrierFacts>,
}

impl Push {
    /// Turns the end into a verdict and a row for the journal. The push's watch and black box are used up.
    pub fn conclude(
        &mut self,
        end: End,
        connection: ConnectionFacts,
        now: Instant,
        wall: Timestamp,
        node: &str,
    ) -> (Verdict, EndRow) {
        let watched = self.watch.finish(now, connection.tcp);
        self.facts.answered_ping = self.watch.answered_ping();
        let mut evidence = Evidence::new(self.transport);
        evidence.lived_ms = u64::from(self.watch.at_ms(now));
        evidence.stage = self.stage;
        evidence.close = end.close;
        evidence.goodbye = end.goodbye;
        evidence.act = end.act;
        evidence.fault = end.fault;
        evidence.write_error = connection.write_error;
        evidence.cut_message = connection.cut_message;
        evidence.media = watched.media;
        evidence.silence = watched.silence;
        if self.transport == Transport::Whip {
            // A WebRTC client is not asked for a sign of life: it gives one every few seconds by itself.
            evidence.silence = Silence { ms: watched.silence.ms, ..Silence::default() };
        }
        evidence.tcp = connection.tcp;
        evidence.behind_proxy = self.behind_proxy;
        evidence.client = self.facts.clone();
        evidence.limits = watched.limits;
        evidence.timeline = watched.timeline;
        evidence.events = self.watch.media().events().counts();
        evidence.black_box = std::mem::take(&mut self.black_box);
        evidence.carrier = connection.carrier.clone();
        evidence.quality = self.watch.live_at().map(|_| self.watch.media().quality(self.declared));
        let verdict = verdict(&evidence);
        let record = self.record(&verdict, &connection, watched.media.live_ms, wall, node);
        (verdict, EndRow { record, evidence: evidence.encode(), verdict_version: VERDICT_VERSION })
    }

    fn record(
        &self,
        verdict: &Verdict,
        connection: &ConnectionFacts,
        live_ms: u64,
        wall: Timestamp,
        node: &str,
    ) -> Record {
        let code = verdict.cause.code();
        let live = Duration::from_millis(live_ms);
        let (before_in, before_out) = self.bytes_before;
        Record {
            id: self.id,
            sequence: self.id.sequence(),
            source: "lastframe".to_owned(),
            account: self.claimed.account,
            domain: self.claimed.domain.clone(),
            app: self.claimed.app.clone(),
            stream: self.claimed.stream.clone(),
            protocol: self.transport.as_str().to_owned(),
            client_ip: self.client.ip(),
            client_port: self.client.port(),
            node: node.to_owned(),
            connected_at: self.connected_at,
            published_at: self.published_at,
            // A clock that was set back must not give a push that ends before it began.
            ended_at: wall.max(self.published_at.unwrap_or(self.connected_at)),
            duration_ms: live_ms,
            errcode: code.errcode,
            sub_errcode: code.sub_errcode,
            errmsg: String::new(),
            side: verdict.cause.side().as_str().to_owned(),
            detail: verdict.detail.as_ref().map(stored),
            attempts: self.attempts,
            last_attempt_at: None,
            bytes_in: connection.bytes_in.saturating_sub(before_in),
            bytes_out: connection.bytes_out.saturating_sub(before_out),
            video: self.watch.media().video_record(live),
            audio: self.watch.media().audio_record(live),
            encoder: self.encoder(),
            stream_param: self.stream_param.clone(),
        }
    }
}

/// A detail as it is stored: without words, which are chosen for the reader.
fn stored(detail: &Detail) -> DetailRecord {
    DetailRecord { key: detail.key.as_str().to_owned(), params: detail.params.clone(), text: String::new() }
}

/// Whether the finding is about the client's own doing. What is about others (who took over, who gave an order, which list
/// or limit decided, what this server lacks) is for the operator alone.
fn is_the_clients_own(code: Code) -> bool {
    match code.errcode {
        6 | 7 | 8 | 16 | 20 | 23 | 33 | 39 => true,
        18 => matches!(code.sub_errcode, 300..=309 | 500..=503),
        _ => false,
    }
}

/// What tells of the push before, in details of which the rest is told.
const PRIVATE_PARAMS: [&str; 3] = ["ended_ms", "last_code", "live_since"];

/// What a refused or cut client is told: the code, and unless `terse`, the finding in English.
pub fn client_text(act: &Act, terse: bool) -> String {
    let code = act.code;
    if terse {
        return format!("[{code}]");
    }
    let cause = Cause::from_code(code).unwrap_or(Cause::Unknown);
    // The words of the server behind this one are meant for the client; its address is not.
    let said =
        act.detail.as_ref().filter(|_| cause == Cause::ProxyToldToStop).and_then(|d| d.params.get("said"));
    if let Some(said) = said.and_then(|said| said.as_str()) {
        return format!("[{code}] {}: {said}", cause.errmsg(Lang::En));
    }
    match act.detail.as_ref().filter(|_| is_the_clients_own(code)) {
        Some(detail) => {
            let mut detail = detail.clone();
            // Whether a stream was live is not for anybody who has an old URL.
            detail.params.retain(|name, _| !PRIVATE_PARAMS.contains(&name.as_str()));
            format!("[{code}] {}: {}", cause.errmsg(Lang::En), detail.text(Lang::En))
        }
        None => format!("[{code}] {}", cause.errmsg(Lang::En)),
    }
}

#[cfg(test)]
mod tests {
    use cause::DetailKey;

    use super::*;

    fn text(cause: Cause, detail: Detail) -> String {
        client_text(&Act { code: cause.code(), detail: Some(detail) }, false)
    }

    #[test]
    fn a_client_is_told_what_it_did_and_nothing_of_others() {
        let expired = Detail::new(DetailKey::ExpiredAt).with("at", "2026-11-22T20:29:46Z");
        assert!(text(Cause::Expired, expired.clone()).contains("20:29:46"));
        let was_live = expired.clone().with("ended_ms", 900).with("last_code", "4/0");
        assert_eq!(text(Cause::Expired, was_live), text(Cause::Expired, expired));
        let by = Detail::new(DetailKey::OrderedBy).with("who", "AKIDexample").with("via", "api");
        let dropped = text(Cause::Dropped, by);
        assert!(dropped.starts_with("[21/100] ") && !dropped.contains("AKID"), "{dropped}");
        let taken = Detail::new(DetailKey::ReplacedBy).with("address", "203.0.113.9:4000");
        assert!(!text(Cause::TakenOver, taken).contains("203.0.113.9"));
        let act = Act { code: Cause::Dropped.code(), detail: None };
        assert_eq!(client_text(&act, true), "[21/100]");
    }
}
