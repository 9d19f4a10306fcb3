//! The table in English.

use super::{Cause, Text};

const UNKNOWN: &str = "Reason unknown";
const CLIENT_CLOSED: &str = "The push client closed the stream";
const INTERNAL: &str = "Internal error of the live streaming system";
const RTMP_CONTENT: &str = "Invalid RTMP content";
const NO_DATA: &str = "The system closed a push that had sent no data for a long time";
const NETWORK: &str = "Network error on the push connection";

pub(super) const fn text(cause: Cause) -> Text {
    match cause {
        Cause::Unknown => Text {
            errmsg: UNKNOWN,
            meaning: "The push ended, and none of the known causes explains what was seen.",
            advice: "Keep the record and report it with its evidence: an end without a cause is a defect of the server.",
        },
        Cause::DeleteStream => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "The encoder ended its stream in the regular way, with deleteStream.",
            advice: "Nothing to do if the stop was meant; if not, look in the encoder's log for who or what pressed stop.",
        },
        Cause::CloseStream => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "The encoder ended its stream with closeStream, or took the stream name back with FCUnpublish.",
            advice: "Nothing to do if the stop was meant; apps send this when they change streams or go to the background.",
        },
        Cause::EndOfFile => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "The encoder's connection was closed without the goodbye that a regular stop sends.",
            advice: "Check whether the encoder crashed or was ended by the system; a message cut in the middle points to that.",
        },
        Cause::Reset => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "The connection was reset from the encoder's side, without a goodbye.",
            advice: "Check whether the encoder crashed or was ended: on Windows that resets as a rule. If it kept running, \
                     look at firewalls and other devices on the way, which send resets too.",
        },
        Cause::TaskFailed => Text {
            errmsg: INTERNAL,
            meaning: "The part of the server that handled this push failed.",
            advice: "Push again, and report the record: this is a defect of the server.",
        },
        Cause::ProtocolBroken => Text {
            errmsg: RTMP_CONTENT,
            meaning: "The client sent bytes that RTMP does not allow, so the connection could not be read any further.",
            advice: "The detail names the rule and the byte offset; check that an RTMP encoder, and not another program, \
                     connects to this port.",
        },
        Cause::MessageTooLarge => Text {
            errmsg: "A single RTMP frame is larger than the configured maximum",
            meaning: "One RTMP message was larger than the server accepts.",
            advice: "Lower the bitrate or shorten the key frame interval; for 4K and above, raise the message limit.",
        },
        Cause::NeverSentMedia => Text {
            errmsg: NO_DATA,
            meaning: "The push went live but sent no audio or video at all within the idle limit.",
            advice: "Check the encoder's inputs: it connected, but no source delivered pictures or sound.",
        },
        Cause::NodeStopped => Text {
            errmsg: INTERNAL,
            meaning: "This server was stopped on purpose while the push was live.",
            advice: "Push again once the server is back; plan restarts for hours without live streams.",
        },
        Cause::ProxyToldToStop => Text {
            errmsg: "The proxy layer was told to close the stream",
            meaning: "This server was passing the push on, and was told to stop doing so.",
            advice: "Push again to be led to another server; look there, or ask who drained the node, for the reason.",
        },
        Cause::NodeDied => Text {
            errmsg: INTERNAL,
            meaning: "This server died while the push was live; the record was completed at the next start.",
            advice: "Push again, and look in the system's log for a crash, a lack of memory or a power cut at that time.",
        },
        Cause::PathLost => Text {
            errmsg: NETWORK,
            meaning: "The path to the encoder was lost: nothing arrived, and what we sent was never acknowledged.",
            advice: "Check the encoder's uplink at that time: cable, Wi-Fi, mobile signal or router; several streams lost \
                     at once point to a common provider or to the server's own network.",
        },
        Cause::Unreachable => Text {
            errmsg: NETWORK,
            meaning: "The network reported that the encoder's host can no longer be reached.",
            advice: "Check whether the encoder lost its address or its network, and look at routes and firewalls on the way.",
        },
        Cause::SendFailed => Text {
            errmsg: NETWORK,
            meaning: "Sending to the encoder failed, and nothing that it sent says why.",
            advice: "Check the encoder's network at that time; if this comes again, look for devices that cut connections.",
        },
        Cause::UplinkCollapsed => Text {
            errmsg: NETWORK,
            meaning: "The encoder's uplink could no longer carry the stream, and then its connection closed.",
            advice: "Lower the bitrate or use a better uplink; a person who stops during congestion looks the same from here.",
        },
        Cause::LagLimit => Text {
            errmsg: NETWORK,
            meaning: "The push fell further behind real time than the lag limit allows, and was cut.",
            advice: "Lower the bitrate or the load of the encoder, or raise the lag limit.",
        },
        Cause::TransportLost => Text {
            errmsg: NETWORK,
            meaning: "The secured or UDP transport was lost: a TLS record was broken, or the SRT or WebRTC peer fell silent.",
            advice: "Check the encoder's uplink, and whether firewalls let its UDP or TLS traffic pass unchanged.",
        },
        Cause::CatalogUnavailable => Text {
            errmsg: INTERNAL,
            meaning: "The server had no catalog of accounts and domains, so it could not admit the push.",
            advice: "Look in the server's log for why the catalog could not be loaded; the encoder may try again.",
        },
        Cause::RegistryUnreachable => Text {
            errmsg: INTERNAL,
            meaning: "The cluster's stream registry could not be reached, so the push could not be admitted.",
            advice: "Check the network between the nodes and the state of the registry; the encoder may try again.",
        },
        Cause::RegistryConflict => Text {
            errmsg: INTERNAL,
            meaning: "Another node still claimed the same stream, and the conflict was not resolved in time.",
            advice: "Try again after some seconds; if it stays, check whether two nodes disagree on who has the stream.",
        },
        Cause::JournalUnwritable => Text {
            errmsg: INTERNAL,
            meaning: "The server could not write to its journal, and does not admit a push that it cannot record.",
            advice: "Free space on the data disk and check it for errors; live pushes go on meanwhile.",
        },
        Cause::Overload => Text {
            errmsg: INTERNAL,
            meaning: "The server had reached one of its own limits, or was being taken out of service, and admitted no further push.",
            advice: "The detail names the limit: add capacity, spread the pushes, or raise the limit. Out of service: \
                     the encoder's next try reaches another server.",
        },
        Cause::AccountUnknown => Text {
            errmsg: "The client information for the push destination could not be obtained",
            meaning: "The account that owns the push domain is not in the catalog.",
            advice: "Create the account, or assign the domain to an account that exists.",
        },
        Cause::AccountStopped => Text {
            errmsg: "Your live streaming service is stopped",
            meaning: "The account that owns the push domain is stopped.",
            advice: "Start the service of the account again, then push again.",
        },
        Cause::AccountOverdue => Text {
            errmsg: "Your live streaming service is suspended because of an overdue payment; top up your account soon",
            meaning: "The account that owns the push domain is in arrears.",
            advice: "Settle the account and set it active again, then push again.",
        },
        Cause::AccountForceStopped => Text {
            errmsg: "Your live streaming service has been stopped by force",
            meaning: "The account that owns the push domain has been force-stopped by the operator of this server.",
            advice: "Ask the operator of the server why; only they can lift the stop.",
        },
        Cause::PushByIp => Text {
            errmsg: "Pushing directly to an IP address is not allowed",
            meaning: "The push URL names an IP address in place of a domain, and this server has no default domain.",
            advice: "Put the push domain into the URL, or set a default domain on the server.",
        },
        Cause::DomainUnknown => Text {
            errmsg: "The push domain is not known",
            meaning: "The domain in the push URL is not a push domain of this server.",
            advice: "Check the URL for typing mistakes, or add the domain as a push domain.",
        },
        Cause::DomainInvalid => Text {
            errmsg: "The push domain is not valid",
            meaning: "The push URL has no domain, or what stands there is not a valid domain name.",
            advice: "Correct the push URL: rtmp://domain/app/stream.",
        },
        Cause::DomainDisabled => Text {
            errmsg: "The push domain is disabled",
            meaning: "The push domain is in the catalog but has been disabled.",
            advice: "Enable the domain, or push to another one.",
        },
        Cause::AppDisabled => Text {
            errmsg: "The push application name is disabled",
            meaning: "The app in the push URL has been disabled for this domain.",
            advice: "Enable the app, or correct the path of the push URL.",
        },
        Cause::StreamForbidden => Text {
            errmsg: "The stream is forbidden",
            meaning: "An operator has forbidden this stream until its resume time.",
            advice: "Wait for the resume time, or have the stream resumed.",
        },
        Cause::ChannelMissing => Text {
            errmsg: "The access mode is channel mode, but no channel has been created for the push",
            meaning: "The domain is in channel mode, and it has no channel with this stream name.",
            advice: "Create the channel first, or correct the stream name in the push URL.",
        },
        Cause::ChannelStopped => Text {
            errmsg: "The access mode is channel mode, and the channel of the push is stopped",
            meaning: "The domain is in channel mode, and the channel of this name is stopped.",
            advice: "Start the channel, then push again.",
        },
        Cause::StreamNameIllegal => Text {
            errmsg: "The stream name contains illegal characters",
            meaning: "The stream name has a character that is not allowed, or is empty or too long.",
            advice: "Use letters, digits and a few marks such as - and _; the detail names what was found.",
        },
        Cause::AppNameIllegal => Text {
            errmsg: "The application name contains illegal characters",
            meaning: "The app in the push URL has a character that is not allowed, or is empty or too long.",
            advice: "Correct the path of the push URL; the detail names what was found.",
        },
        Cause::IpBlocked => Text {
            errmsg: "The IP address of the push client is on the blocklist",
            meaning: "The blocklist of the domain covers the address that the push came from.",
            advice: "Take the address or network off the blocklist if this pusher is welcome.",
        },
        Cause::IpNotAllowed => Text {
            errmsg: "The IP address of the push client is not on the allowlist",
            meaning: "The domain has an allowlist, and the address that the push came from is not on it.",
            advice: "Add the address or network to the allowlist; behind a load balancer, check PROXY protocol.",
        },
        Cause::ExpiryMissing => Text {
            errmsg: "The push has no expiry parameter",
            meaning: "The push URL has no txTime, or its value is not exactly 8 hexadecimal digits.",
            advice: "Copy the whole signed URL, with everything after the question mark, into the encoder.",
        },
        Cause::Expired => Text {
            errmsg: "The timestamp parameter of the push has expired",
            meaning: "The time until which the push URL may be used had passed.",
            advice: "Make a new URL with a later time; if it should still be valid, check the clock of the signing host.",
        },
        Cause::SignatureMissing => Text {
            errmsg: "The push has no authentication parameter",
            meaning: "The push URL has no txSecret, though the domain asks for a signature.",
            advice: "Copy the whole signed URL, with everything after the question mark, into the encoder.",
        },
        Cause::SignatureWrong => Text {
            errmsg: "The authentication parameter did not pass verification",
            meaning: "The txSecret in the push URL fits neither key of the domain for this stream name and time.",
            advice: "Sign again with the domain's current key; the stream name and txTime must be signed exactly as sent.",
        },
        Cause::TooManyPushes => Text {
            errmsg: "The number of pushes exceeds the configured maximum",
            meaning: "The account or domain already had as many live pushes as it is allowed.",
            advice: "End pushes that are no longer needed, or raise the limit.",
        },
        Cause::TooManyPushesOfStream => Text {
            errmsg: "The number of pushes of this stream name exceeds the configured maximum",
            meaning: "This stream already had as many pushes as it is allowed, and they keep their place.",
            advice: "Find the other encoder that pushes the same stream, or use another stream name.",
        },
        Cause::PriorityLower => Text {
            errmsg: "The priority parameter of the push is lower than that of an existing push",
            meaning: "The push that is live under this name has a higher priority.",
            advice: "Raise the priority in the push URL if this push should take over.",
        },
        Cause::HookRefused => Text {
            errmsg: "Third-party authentication failed",
            meaning: "The authentication service refused the push or gave no usable answer.",
            advice: "Look in the log of the authentication service; without an answer from it every push is refused.",
        },
        Cause::MediaStopped => Text {
            errmsg: NO_DATA,
            meaning: "The push had sent media, then sent none for the idle limit although the connection was alive.",
            advice: "Check the encoder: its source may have stopped, or the program may hang; the detail says which is known.",
        },
        Cause::Dropped => Text {
            errmsg: "A request of the customer to drop the stream was received",
            meaning: "An operator dropped the live stream, through the API or the console.",
            advice: "Ask who dropped it; the encoder may push again at once.",
        },
        Cause::Forbidden => Text {
            errmsg: "A request of the customer to forbid the stream was received",
            meaning: "An operator forbade the stream while it was live, through the API or the console.",
            advice: "Ask who forbade it; new pushes are refused until the resume time.",
        },
        Cause::TakenOver => Text {
            errmsg: "A new push was received and replaced this one",
            meaning: "A newer push of the same stream took this push's place.",
            advice: "An encoder that reconnects does this; if two encoders use the same URL, give each its own stream name.",
        },
        Cause::TakenOverEmpty => Text {
            errmsg: "A new push was received and replaced this one, which had no data",
            meaning: "A newer push of the same stream took the place of this one, which was sending no media.",
            advice: "As a rule the encoder lost its connection and came back; if that is frequent, check its uplink.",
        },
        Cause::LeftBeforeFirstByte => Text {
            errmsg: UNKNOWN,
            meaning: "The client connected, and the connection ended before it had sent a single byte.",
            advice: "As a rule this is a port check or a scanner; if an encoder did it, check firewalls and proxies on the way.",
        },
        Cause::MediaBroken => Text {
            errmsg: RTMP_CONTENT,
            meaning: "The audio or video itself could not be parsed, and strict mode cuts such pushes.",
            advice: "Update or reconfigure the encoder; the detail says what was broken.",
        },
        Cause::PipelineFailed => Text {
            errmsg: INTERNAL,
            meaning: "The server could not process the stream any further, or did not read it fast enough.",
            advice: "Check the load of the server at that time, and report the record: the fault was not the encoder's.",
        },
        Cause::LeftInRtmpHandshake => Text {
            errmsg: UNKNOWN,
            meaning: "The client left, or its time ran out, during the RTMP handshake.",
            advice: "Check for a slow or filtered connection; scanners end this way too.",
        },
        Cause::LeftBeforeConnect => Text {
            errmsg: UNKNOWN,
            meaning: "The client left, or its time ran out, after the handshake and before its connect command.",
            advice: "Check that the program is an RTMP encoder, and that nothing on the way filters RTMP.",
        },
        Cause::LeftAfterConnect => Text {
            errmsg: UNKNOWN,
            meaning: "The client left, or its time ran out, after connect and before it created a stream.",
            advice: "Look in the encoder's log: it may not have liked the answer to connect, or was stopped by hand.",
        },
        Cause::LeftBeforePublish => Text {
            errmsg: UNKNOWN,
            meaning: "The client created a stream but left, or its time ran out, before its publish was accepted.",
            advice: "Look in the encoder's log; as a rule it was stopped by hand or its stream name was empty.",
        },
        Cause::LeftInTlsHandshake => Text {
            errmsg: UNKNOWN,
            meaning: "The client left, or its time ran out, during the TLS handshake.",
            advice: "Check that the encoder uses rtmps:// on this port, and trusts the server's certificate.",
        },
        Cause::LeftInSrtHandshake => Text {
            errmsg: UNKNOWN,
            meaning: "The client left, or its time ran out, during the SRT handshake.",
            advice: "Check the passphrase and the stream id, and that UDP passes in both directions.",
        },
        Cause::LeftInWebrtcSetup => Text {
            errmsg: UNKNOWN,
            meaning: "The client left, or its time ran out, while the WebRTC connection was being set up.",
            advice: "Check that UDP, or at least TCP, reaches the server's WebRTC port and that its public address is configured.",
        },
        Cause::LeftInAuthHook => Text {
            errmsg: UNKNOWN,
            meaning: "The client left while the authentication service was still deciding.",
            advice: "Check how long the authentication service takes to answer: encoders do not wait for ever.",
        },
        Cause::AmfBroken => Text {
            errmsg: "Invalid RTMP AMF data",
            meaning: "A command of the client could not be read because its AMF encoding is broken.",
            advice: "Update the encoder or its RTMP library; the detail names the marker and the byte offset.",
        },
        Cause::Imported => Text {
            errmsg: UNKNOWN,
            meaning: "The record was imported from another system, which gave no known reason.",
            advice: "Look for the reason in the system that the record came from.",
        },
        Cause::TransportGoodbye => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "The encoder ended its stream in the regular way of SRT or WHIP.",
            advice: "Nothing to do if the stop was meant; if not, look in the encoder's log for who or what pressed stop.",
        },
        Cause::RowUnreadable => Text {
            errmsg: UNKNOWN,
            meaning: "What the journal held of this push could not be read, so its end is not known.",
            advice: "Check the data disk and file system for errors.",
        },
        Cause::Unplayed => Text {
            errmsg: "A stream that nobody played was closed",
            meaning: "Nobody played the stream for the time that this server allows.",
            advice: "Push when there are viewers, or turn the unplayed limit off.",
        },
        Cause::OwnershipLost => Text {
            errmsg: INTERNAL,
            meaning: "This node lost its claim on the stream to the cluster, so it had to end the push.",
            advice: "Push again; check the network between the nodes and their load at that time.",
        },
        Cause::FrameRateLimit => Text {
            errmsg: "The frame rate of the push exceeds the maximum that the system allows",
            meaning: "The push sent more frames a second than this server allows.",
            advice: "Lower the frame rate in the encoder, or raise the limit.",
        },
    }
}
