//! Details in English. How templates work: [`super::template`].

use super::DetailKey as Key;

pub(super) const fn template(key: &Key) -> Option<&'static str> {
    Some(match key {
        // How the client closed.
        Key::AtMessageBoundary => "The connection ended between two messages.",
        Key::MidMessage => {
            "The connection ended in the middle of a message[: {have} of {want} had arrived][ ({message_type})]."
        }
        Key::KilledWhileFrozen => {
            "The encoder's program was frozen before the reset: its host still acknowledged, the program was silent[ \
             for {silence_ms}]."
        }
        Key::FcUnpublishClosed => {
            "The encoder took its stream name back with FCUnpublish, then closed the connection."
        }
        Key::FcUnpublishAlone => {
            "The encoder took its stream name back with FCUnpublish, and no deleteStream followed[ within {waited_ms}]."
        }
        Key::Republished => {
            "The encoder took its stream name back and published another on the same connection[: {stream}]."
        }
        Key::SrtShutdown => "The encoder sent SRT SHUTDOWN.",
        Key::WhipDelete => "The encoder ended its WHIP session.",

        // The path between encoder and server.
        Key::NatLost => {
            "A reset answered our probe[ after {silence_ms} of silence]: a router or NAT on the way has forgotten the \
             connection."
        }
        Key::PathLost => {
            "Nothing arrived[ for {silence_ms}], and what we sent was not acknowledged[ for {unacked_ms}][ \
             ({unacked_bytes})][; retransmissions: {retransmits}]."
        }
        Key::PathOneWay => {
            "Our packets no longer reached the encoder[ for {unacked_ms}], while its own still arrived[ ({segments} \
             repeated segments)]."
        }
        Key::IcmpUnreachable => "The network reported the encoder's host as unreachable[: {errno}].",
        Key::SendFailed => "A write to the encoder failed[: {errno}].",
        Key::Collapse => {
            "The encoder's uplink collapsed[: the push fell {drift_ms} behind real time in {window_ms}][; receive \
             round-trip time {rcv_rtt_ms}, usually {baseline_ms}][; messages came in pieces for {trickle_percent} % of \
             the time][; segments out of order: {segments}][; no video for \
             {video_gone_ms}]."
        }
        Key::LagLimit => "The push was too far behind real time[: {lag_ms}][; the limit is {limit_ms}].",
        Key::TlsBroken => "A TLS record could not be read[: {reason}].",
        Key::PeerTimeout => "The SRT peer fell silent[ for {silence_ms}].",
        Key::ConsentLost => "The WebRTC peer no longer answered[ for {silence_ms}].",
        Key::PeerPortClosed => "The encoder's host answered that nobody listens on its UDP port any more.",

        // Silence and limits of media.
        Key::EncoderStalled => {
            "No media arrived[ for {silence_ms}], though the program answered our ping: its encoder has stalled[ \
             (limit {limit_ms})]."
        }
        Key::EncoderFrozen => {
            "No media arrived[ for {silence_ms}]; the host is alive, but the program, which had answered pings before, \
             no longer does: it is frozen[ (limit {limit_ms})]."
        }
        Key::HostAlive => {
            "No media arrived[ for {silence_ms}], though the encoder's host is alive; what its program does cannot be \
             told[ (limit {limit_ms})]."
        }
        Key::DataWithoutMedia => {
            "Data still arrived, but no audio or video in it[ for {silence_ms}][ (limit {limit_ms})]."
        }
        Key::UnplayedFor => "Nobody played the stream[ for {limit_ms}].",
        Key::FrameRate => {
            "The frame rate was too high[: {fps} frames a second][ over {window_ms}][; the limit is {limit}]."
        }

        // Before a push was live.
        Key::SetupLimit => {
            "The client took too long for this stage[ (limit {limit_ms})], so the server closed the connection."
        }
        Key::WebrtcNoPath => {
            "No check of a path to this server came from the client[ within {limit_ms}]: a firewall keeps UDP out, or the client \
             cannot reach the address that it was told."
        }
        Key::WebrtcNoDtls => {
            "The client found a path to this server[ ({checks} checks)], but DTLS was not finished on it[ {after_ms} after the offer]."
        }
        Key::WebrtcOffer => "The offer could not be answered[: {found}].",
        Key::SetupClosed => {
            "The client's side ended the connection[ {after_ms} after connecting][, by {close}]."
        }
        Key::TlsLeft => {
            "The client left during the TLS handshake[, {after_ms} after connecting][, by {close}]. It had seen the \
             server's certificate by then, and may not trust it."
        }
        Key::TlsHandshakeFailed => "The TLS handshake failed[: {reason}][ ({version})].",
        Key::PlainOnTls => {
            "Plain RTMP came to a port that expects TLS: push to rtmps:// here, or to rtmp:// on the RTMP port."
        }

        // What the client sent.
        Key::Rule => {
            "A rule was broken[: {rule}][ at byte {offset} of the connection][, in {path}][: {found}][ ({class})][; \
             message type {message_type}][, length {length}][, chunk stream {chunk_stream}]."
        }
        Key::TlsOnPlain => {
            "TLS came to a port that expects plain RTMP: push to rtmp:// here, or to rtmps:// on the RTMPS port."
        }
        Key::MessageLimit => {
            "A message was too large[: {size}][ ({message_type})][; the limit is {limit}][; at byte {offset} of the \
             connection]."
        }
        Key::MessageBudget => {
            "Messages that had arrived in part filled the memory shared for them[; this one: {size}][; the limit is \
             {limit}]."
        }
        Key::AmfMarker => {
            "An AMF value began with a marker that is illegal there[: {marker}][ at byte {offset} of the connection][, \
             in {path}][ ({rule})]."
        }
        Key::SecondPublish => "A second publish on a connection that already carried a live push[: {live}].",

        // This server.
        Key::TaskPanic => "The push's task failed[: {reason}].",
        Key::DroppedUnclosed => "The server gave the push up without an end of its own.",
        Key::OwnWindowClosed => {
            "The server did not read fast enough: its receive window was closed[ {before_ms} before the end][, for \
             {closed_ms}]."
        }
        Key::PipelinePart => "A part of the live pipeline failed[: {part}][: {reason}].",
        Key::RecoveredAtStart => {
            "The journal still showed the push open at the next start[, at {recovered_at}][; last seen at {last_seen}]."
        }
        Key::UpstreamOrder => {
            "The server that the push was passed on to ordered the stop[: {address}][; it said: {said}]."
        }
        Key::UpstreamRefused => {
            "The server that the push was to be passed on to refused it[: {address}][; it said: {said}][ ({step})]."
        }
        Key::UpstreamClosed => {
            "The server that the push was passed on to ended the connection without a word[: {address}][, by \
             {close}][ ({step})][, after the push had brought no media for {silence_ms}]."
        }
        Key::UpstreamUnreachable => {
            "The server that the push was to be passed on to could not be reached[: {address}][: {reason}]."
        }
        Key::UpstreamSilent => {
            "The server that the push was passed on to stood still[: {address}][, {step}][; the limit is {limit_ms}]."
        }
        Key::UpstreamBroken => {
            "What the server that the push was passed on to sent is no RTMP[: {address}][: {reason}]."
        }
        Key::Drain => "An operator took this node out of service.",
        Key::CatalogError => "The catalog was not available[: {reason}].",
        Key::RegistryError => "The stream registry gave no usable answer[ for {waited_ms}][: {reason}].",
        Key::DiskFull => "The disk that holds the journal is full.",
        Key::StoreError => "The journal failed[: {reason}].",
        Key::JournalSlow => "The journal did not confirm the write in time[ (limit {limit_ms})].",
        Key::OverloadOf => {
            "The server reached a limit of its own[: {of}][, now {have}][; the limit is {limit}]."
        }
        Key::LeaseLost => "The node's claim on the stream ran out or was taken[: {reason}].",

        // Refusals of admission.
        Key::AccountUnknown => {
            "The account is not in the catalog[: {account}][; the domain {domain} names it as its owner]."
        }
        Key::AccountStopped => "The account is stopped[: {account}].",
        Key::AccountOverdue => "The account is in arrears[: {account}].",
        Key::AccountForceStopped => "The account is force-stopped[: {account}].",
        Key::AddressInUrl => "The push URL names an IP address[: {ip}].",
        Key::DomainUnknown => "The domain is not in the catalog[: {domain}].",
        Key::DomainForPlaying => "The domain is for playback, not for pushes[: {domain}].",
        Key::DomainInvalid => "This is not a valid domain name[: {domain}].",
        Key::DomainMissing => "The push URL names no domain.",
        Key::DomainDisabled => "The domain is disabled[: {domain}].",
        Key::AppDisabled => "The app is disabled[: {app}][ on {domain}].",
        Key::ForbiddenUntil => {
            "The stream is forbidden[ until {until}][, since {since}][, by {who}][; reason: {reason}]."
        }
        Key::ChannelMissing => "There is no such channel[: {stream}].",
        Key::ChannelStopped => "The channel is stopped[: {stream}].",
        Key::StreamNameIllegal => {
            "The stream name is not allowed[: {fault}][, {bytes}][, \u{201c}{found}\u{201d}][ at character {position}]."
        }
        Key::AppNameIllegal => {
            "The app is not allowed[: {fault}][, {bytes}][, \u{201c}{found}\u{201d}][ at character {position}]."
        }
        Key::IpBlocked => "The address is on the blocklist[: {ip}][, by the entry {network}].",
        Key::IpNotListed => "The address is not on the allowlist[: {ip}][; entries on the list: {networks}].",
        Key::TimeMissing => "The push URL has no txTime.",
        Key::TimeMalformed => "txTime is not exactly 8 hexadecimal digits[: \u{201c}{found}\u{201d}].",
        Key::ExpiredAt => {
            "The push URL expired[ at {at}][; the push before it, which had gone live while the URL was good, \
             ended {ended_ms} earlier with {last_code}][; a push \
             that went live at {live_since}, while the URL was good, is still there]."
        }
        Key::SecretMissing => "The push URL has no txSecret.",
        Key::SecretWithoutKey => "The domain asks for a signature but has no key to check it with.",
        Key::SecretLength => {
            "txSecret has the length of no known signature[: {length} characters]; 32 (MD5) or 64 (SHA-256) are expected."
        }
        Key::SecretUpperCase => "txSecret would be right in lower-case letters.",
        Key::SecretForPath => "txSecret was made over app and stream name; sign the stream name alone.",
        Key::SecretForTimeCase => {
            "txSecret was made over txTime in the other letter case; sign txTime exactly as sent."
        }
        Key::SecretMismatch => "txSecret fits neither key of the domain for this stream name and txTime.",

        // Limits, other pushes of the stream, hook, and people.
        Key::LimitOf => {
            "The limit on pushes was reached[ for the {scope}][: {have} live][; allowed: {limit}]."
        }
        Key::AlreadyLive => {
            "The stream is already live[, pushed from {address}][, push {push}][, for {live_ms}]."
        }
        Key::Duel => {
            "Two sources keep taking the stream from each other[: {takeovers} takeovers in {window_ms}][; {live} stays \
             live][, push {push}][, {refused} was refused]."
        }
        Key::PriorityBelow => {
            "The priority is too low[: {priority}][; the live push has {live_priority}][; it is push {push}]."
        }
        Key::CutWhileLive => "The rule was changed while the push was live, which cut it.",
        Key::HookStatus => "The authentication service answered no[: HTTP status {status}][: {reason}].",
        Key::HookTimeout => "The authentication service did not answer in time[ (limit {limit_ms})].",
        Key::HookUnreachable => {
            "The authentication service could not be reached, or its answer could not be read[: {reason}]."
        }
        Key::ReplacedBy => {
            "A new push took over[, from {address}][, push {push}][; this one had sent no media for {silence_ms}]."
        }
        Key::ReplacedOf => "This push had taken over from another[, from {address}][, push {push}].",
        Key::OrderedBy => "Somebody asked for it[: {who}][, through {via}][; reason: {reason}].",
        Key::ImportedFrom => "The record was imported[ from {source}].",
        Key::RowError => "The push's row in the journal could not be read[: {reason}].",
        Key::Unexplained => "No rule explains this end[; seen: {close}][, stage: {stage}][, {errno}].",

        // Findings: signs for or against a cause.
        Key::GoodbyeReceived => "A goodbye was received[: {command}].",
        Key::NoGoodbye => "No goodbye was received.",
        Key::CloseAfterGoodbye => "What followed the goodbye does not count[: {close}].",
        Key::OwnActFirst => "The server acted first; what the client did then is its reaction[: {close}].",
        Key::SocketEnded => "The connection ended[ by {close}][: {errno}].",
        Key::StageReached => "The push was at this stage[: {stage}].",
        Key::LastCommand => "The last command received[ was {command}][, {before_ms} before the end].",
        Key::MediaUntilEnd => "Media flowed until the end[; the last arrived {last_ms} before it].",
        Key::NoMediaFor => "No media arrived[ for {silence_ms}] before the end.",
        Key::SilenceBefore => "Not a byte arrived[ for {silence_ms}] before the end.",
        Key::NoSilence => {
            "There was no silence before the end[; the last byte arrived {silence_ms} before it]."
        }
        Key::ProbeUnacknowledged => {
            "Our probe was never acknowledged[ in {probe_ms}][; retransmissions: {retransmits}]."
        }
        Key::ProbeAcknowledged => {
            "The encoder's host acknowledged our probe[, sent {probe_ms} before the end]."
        }
        Key::ProbeAnswered => "The encoder's program answered our ping[, sent {probe_ms} before the end].",
        Key::ClientHabit => "It is a habit of[ {client}:][ {habit}].",
        Key::NeverAnsweredPing => "The program has never answered a ping, so its silence says nothing.",
        Key::RttRisen => "The receive round-trip time rose[ to {rcv_rtt_ms}][, from usually {baseline_ms}].",
        Key::RttFlat => {
            "The receive round-trip time stayed as usual[: {rcv_rtt_ms}][, baseline {baseline_ms}]."
        }
        Key::DriftGrew => "The push fell behind real time[ by {drift_ms} in {window_ms}].",
        Key::DriftSteady => "The push kept up with real time[; change {drift_ms} in {window_ms}].",
        Key::OutOfOrder => "Segments arrived out of order, as after losses[: {segments} in {window_ms}].",
        Key::VideoGone => "Video was gone[ for {video_gone_ms}] while audio went on.",
        Key::EncoderSlow => {
            "The encoder fell behind real time while the network was calm: it is overloaded[; {fps} frames a second][; \
             {drift_ms} in {window_ms}]."
        }
        Key::WriteFailed => "A write to the encoder had failed too[: {errno}].",
        Key::PathSuspectBefore => "The path had been silent before and had come back[; times: {times}].",
        Key::CloseNotify => "TLS ended with its closing message: the program closed the connection itself.",
        Key::NoCloseNotify => "TLS ended without its closing message.",
        Key::BytesProve => "The bytes received are the proof[, at byte {offset} of the connection].",

        // Findings: what else happened, what cannot be told from here, and what makes the signs weaker.
        Key::EventsSeen => {
            "While live there were events[ of the type {event}][: {times} times][, the last {last_ms} before the end]."
        }
        Key::BehindAtEnd => "The push was far behind real time when it ended[: {lag_ms}].",
        Key::UntoldPersonOrScript => {
            "Whether a person stopped it, or a script, a schedule or the end of a file, cannot be told from here; the encoder's log would tell."
        }
        Key::UntoldCloser => {
            "Whether the program left, crashed or was killed, or a proxy or firewall closed the connection in its name, cannot be told from here; the encoder's log, or a capture at the encoder, would tell."
        }
        Key::UntoldResetSender => {
            "A program that crashes or is ended on Windows resets as a rule, and so does a device on the way; the system log of the encoder's machine, or a capture at the encoder, would tell."
        }
        Key::UntoldStopInCongestion => {
            "Whether the network ended it, or a person or a kill during the congestion, cannot be told from here; the encoder's log or exit status would tell."
        }
        Key::UntoldFrozenOrSource => {
            "Whether the program is frozen, or has nothing to send and ignores pings, cannot be told from here; its state on the encoder's machine would tell."
        }
        Key::UntoldSource => {
            "Why the encoder sent no media, a camera or file that ended or a person who paused it, cannot be told from here; the encoder's log would tell."
        }
        Key::UntoldWherePathBroke => {
            "Whether the encoder's machine lost power, its link went down, or a network on the way failed cannot be told from here; the uptime and the link log of that machine would tell."
        }
        Key::UntoldRouter => {
            "Whether a router restarted, ran out of room or forgot an idle connection cannot be told from here; the log or uptime of the router before the encoder would tell."
        }
        Key::UntoldOwnLoad => {
            "Why this server did not read cannot be told from the record; the CPU, memory and disk load of this machine at that time would tell."
        }
        Key::UntoldNodeEnd => {
            "Whether this program crashed, was killed or the machine went down cannot be told from the journal; the machine's kernel log and service log would tell."
        }
        Key::UntoldWhoLeft => {
            "Whether this was an encoder that gave up, or a health check or a scan, cannot be told from here; who owns the address, or that client's log, would tell."
        }
        Key::UntoldSameEncoder => {
            "Whether the new push is the same encoder come back or another one cannot be told for sure; the address and the encoder in the new push's record would tell."
        }
        Key::UntoldWhoBroke => {
            "Whether the encoder sent these bytes or a device on the way altered them cannot be told from here; a capture at the encoder would tell."
        }
        // Health.
        Key::HealthTooShort => {
            "The push was live for too short a time to be graded[: {live_ms}][ of {needed_ms}]."
        }
        Key::HealthCodecs => "Codecs[: {video}][, {audio}].",
        Key::HealthUncommonCodec => "Many players do not play these codecs[: {video}][, {audio}].",
        Key::HealthNoVideo => "No picture came[; sound: {audio}].",
        Key::HealthNoAudio => "No sound came[; picture: {video}].",
        Key::HealthBitrate => "Bitrate[: {kbps} kbit/s][, {expected_kbps} kbit/s promised].",
        Key::HealthSteadiness => {
            "Steadiness of the bitrate[: {least_kbps} kbit/s in its lowest five seconds][, usually {usual_kbps} kbit/s]."
        }
        Key::HealthFrameRate => "Frame rate[: {fps} a second][, {expected_fps} expected].",
        Key::HealthKeyFrames => {
            "Key frames[ every {mean_ms}][, at least {shortest_ms}][ and at most {longest_ms}] apart."
        }
        Key::HealthOneKeyFrame => {
            "Only one key frame came[ in {live_ms}]: viewers who join later see nothing until the next."
        }
        Key::HealthOffset => "Sound and picture[ at most {widest_ms}] apart[, drifting by {drift_ms}].",
        Key::HealthLag => "Behind real time[ by {worst_ms} at most].",
        Key::HealthTimestamps => "Timestamps jumped or went back[ {times} times].",
        Key::HealthGaps => "There were gaps in sound or picture[: {times}].",
        Key::HealthBroken => "Media could not be parsed[ {times} times].",
        Key::HealthPath => "Path[: round trip {rtt_ms}][, {lost_percent} % of packets lost or out of order].",

        Key::StopLooksSame => {
            "A person who stops, or a program that is killed, during congestion looks the same from the server."
        }
        Key::ResetSenderUnknown => {
            "Whether the encoder or a device on the way sent the reset cannot be told from here."
        }
        Key::BehindProxy => {
            "The connection came through a load balancer: TCP facts describe the way to it, not to the encoder."
        }
        Key::NoTcpFacts => "No TCP facts could be read for this connection.",
        Key::Other(_) => return None,
    })
}
