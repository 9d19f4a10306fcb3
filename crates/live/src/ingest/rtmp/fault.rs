//! The protocol crates' errors as evidence.

use cause::evidence::{FaultClass, FaultKind, ProtocolFault};
use rtmp::handshake::{Guess, HandshakeErrorKind};
use rtmp::{Class, Fault, Rule};

use crate::push::MediaFault;

/// An RTMP fault as evidence. What it quotes of the client's own text is masked, because it may hold a signature.
pub(super) fn of_rtmp(fault: &Fault) -> ProtocolFault {
    let amf = fault.amf();
    ProtocolFault {
        kind: match () {
            () if fault.is_too_large() => FaultKind::MessageTooLarge,
            () if amf.is_some() => FaultKind::CommandAmf,
            () => FaultKind::Protocol,
        },
        class: match fault.class() {
            Class::Invalid => FaultClass::Invalid,
            Class::Misbehaved => FaultClass::Misbehaved,
            Class::Incompatible => FaultClass::Incompatible,
        },
        rule: if is_tls(fault) { cause::verdict::TLS_ON_PLAIN } else { fault.rule.key() }.to_owned(),
        offset: fault.offset + amf.map_or(0, |e| e.offset as u64),
        chunk_stream: fault.chunk_stream,
        message_type: fault.message_type,
        length: fault.message_length,
        marker: amf.and_then(|e| e.marker),
        path: fault.path().unwrap_or_default(),
        found: model::mask::mask_text(&fault.rule.to_string()),
    }
}

/// The first bytes of the connection are those of TLS, which comes to another port.
fn is_tls(fault: &Fault) -> bool {
    matches!(fault.rule, Rule::Handshake(HandshakeErrorKind::BadVersion { guess: Guess::Tls, .. }))
}

/// Media content that cannot be parsed, in strict mode.
pub(super) fn of_media(fault: &MediaFault, info: &rtmp::MessageInfo) -> ProtocolFault {
    ProtocolFault {
        kind: FaultKind::Media,
        class: FaultClass::Invalid,
        rule: fault.rule.to_owned(),
        offset: info.offset,
        chunk_stream: Some(info.chunk_stream),
        message_type: Some(info.type_id),
        length: Some(info.length),
        marker: None,
        path: String::new(),
        found: fault.what.clone(),
    }
}
