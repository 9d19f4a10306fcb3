//! English.

use super::Cause;

const AGAIN: &str = "Start the stream again. Nothing has to be changed on your side.";
const LATER: &str =
    "Wait a minute and start again. If it happens again, tell the people who run the service.";
const NEW_ADDRESS: &str =
    "Get a new stream address and key from whoever gave you this one, and paste them in again.";
const ASK: &str = "Ask the people who run the service; nothing can be mended in your software.";
const LINE: &str = "Use a cable in place of Wi-Fi, lower the bitrate by a third, and stop other uploads.";
const PROGRAM: &str = "Look whether your streaming software is still running, update it, and start again.";

/// What happened, and what to try now.
pub(super) const fn words(cause: Cause) -> (&'static str, &'static str) {
    match cause {
        Cause::Unknown => ("Your stream ended, and we do not know why yet.", LATER),
        Cause::DeleteStream | Cause::TransportGoodbye => (
            "Your streaming software ended the stream in the regular way.",
            "Nothing is wrong. If you did not press stop, see whether a timer or another person did.",
        ),
        Cause::CloseStream => (
            "Your streaming software closed the stream.",
            "If you did not mean it: on a phone, keep the app in front and the screen on.",
        ),
        Cause::EndOfFile => (
            "Your streaming software went away without saying that it stops.",
            "It may have crashed, or the computer or phone ended it. Start it again and close other heavy programs.",
        ),
        Cause::Reset => (
            "The connection from your side was cut off suddenly.",
            "See whether your software crashed. If it kept running, restart your router, or try another network.",
        ),
        Cause::TaskFailed | Cause::PipelineFailed => ("Something failed on our side.", AGAIN),
        Cause::ProtocolBroken | Cause::AmfBroken => (
            "What arrived from your software could not be understood.",
            "Check that the stream address is typed into streaming software, and update that software.",
        ),
        Cause::MessageTooLarge => (
            "One picture was too large for this service.",
            "Lower the bitrate or the resolution, and set the key frame interval to 2 seconds.",
        ),
        Cause::NeverSentMedia => (
            "Your software connected but sent no picture and no sound.",
            "Check that camera and microphone are chosen and show something in your software, then start again.",
        ),
        Cause::NodeStopped => ("Our server was restarted for maintenance.", AGAIN),
        Cause::ProxyToldToStop => ("The service that takes your stream asked us to end it.", LATER),
        Cause::NodeDied => ("Our server failed and had to start again.", AGAIN),
        Cause::PathLost | Cause::Unreachable | Cause::SendFailed => (
            "Your internet connection was lost.",
            "See whether other sites open. Restart the router, use a cable in place of Wi-Fi, and start again.",
        ),
        Cause::UplinkCollapsed => {
            ("Your internet connection became too slow for the stream, and then broke off.", LINE)
        }
        Cause::LagLimit => ("Your internet connection was too slow: the stream fell too far behind.", LINE),
        Cause::TransportLost => (
            "The connection between you and us was lost.",
            "Start again. If it happens often, try another network or a cable in place of Wi-Fi.",
        ),
        Cause::CatalogUnavailable
        | Cause::RegistryUnreachable
        | Cause::RegistryConflict
        | Cause::JournalUnwritable
        | Cause::Overload
        | Cause::OwnershipLost => ("Our service could not take your stream at that moment.", LATER),
        Cause::AccountUnknown | Cause::AccountStopped | Cause::AccountForceStopped => {
            ("The account behind this stream address is not active.", ASK)
        }
        Cause::AccountOverdue => (
            "The account behind this stream address has an unpaid bill.",
            "Ask whoever pays for the account to settle it, then start again.",
        ),
        Cause::PushByIp | Cause::DomainUnknown | Cause::DomainInvalid => {
            ("The stream address in your software is not one of ours.", NEW_ADDRESS)
        }
        Cause::DomainDisabled | Cause::AppDisabled => {
            ("This stream address is switched off at the moment.", ASK)
        }
        Cause::StreamForbidden => ("This stream is not allowed at the moment.", ASK),
        Cause::ChannelMissing => ("There is no channel with this name.", NEW_ADDRESS),
        Cause::ChannelStopped => ("This channel is stopped at the moment.", ASK),
        Cause::StreamNameIllegal => (
            "The stream key has a character that is not allowed, or is too long.",
            "Copy the stream key again, without spaces before or behind it.",
        ),
        Cause::AppNameIllegal => (
            "The stream address has a character that is not allowed, or is too long.",
            "Copy the stream address again, without spaces before or behind it.",
        ),
        Cause::IpBlocked => ("Streaming from your network is not allowed.", ASK),
        Cause::IpNotAllowed => (
            "Streaming is allowed from certain networks only, and yours is not one of them.",
            "Stream from the place that was agreed on, or ask for your network to be added.",
        ),
        Cause::ExpiryMissing | Cause::SignatureMissing => (
            "The end of the stream key is missing.",
            "Copy the whole stream key again, with everything behind the question mark.",
        ),
        Cause::Expired => (
            "Your stream address was valid for some time only, and that time is over.",
            "Get a new stream address and key; the old one cannot be used any more.",
        ),
        Cause::SignatureWrong => (
            "The stream key is wrong.",
            "Copy the whole stream key again. If it is still refused, get a new one.",
        ),
        Cause::TooManyPushes => (
            "As many streams are live as this account may have.",
            "End another stream first, or ask for a higher limit.",
        ),
        Cause::TooManyPushesOfStream | Cause::PriorityLower => (
            "Somebody else is already live with this stream key.",
            "End the stream on the other device first. If that is not you, ask for a new key.",
        ),
        Cause::HookRefused => (
            "The service did not let this stream in.",
            "See whether you are signed in and may stream there; then get a new stream key.",
        ),
        Cause::MediaStopped => (
            "Your software stayed connected, but picture and sound stopped coming.",
            "Your software may have frozen, or its camera was unplugged. Restart it and start again.",
        ),
        Cause::Dropped => (
            "The people who run the service ended this stream.",
            "You may start again. If you do not know why it was ended, ask them.",
        ),
        Cause::Forbidden => {
            ("The people who run the service ended this stream and do not allow it for now.", ASK)
        }
        Cause::TakenOver => (
            "The same stream key started on another device, and that one is live now.",
            "Use the key on one device only. If the other one is not you, ask for a new key.",
        ),
        Cause::TakenOverEmpty => (
            "Your stream had stopped sending, and a new one with the same key took its place.",
            "If that was your own restart, all is well. If not, ask for a new key.",
        ),
        Cause::MediaBroken => ("Picture or sound arrived broken and could not be shown.", PROGRAM),
        Cause::LeftBeforeFirstByte
        | Cause::LeftInRtmpHandshake
        | Cause::LeftBeforeConnect
        | Cause::LeftAfterConnect
        | Cause::LeftBeforePublish
        | Cause::LeftInTlsHandshake
        | Cause::LeftInSrtHandshake
        | Cause::LeftInWebrtcSetup => (
            "The connection ended before the stream began.",
            "Start again. If it never gets further, try another network: a firewall may be in the way.",
        ),
        Cause::LeftInAuthHook => (
            "The connection ended while we were still checking whether you may stream.",
            "Start again and give it up to ten seconds.",
        ),
        Cause::Imported => ("The stream ended on another system, which did not say why.", ASK),
        Cause::RowUnreadable => ("Your stream ended, and our notes about it were damaged.", LATER),
        Cause::Unplayed => (
            "Nobody was watching for a long time, so the stream was ended.",
            "Start again when there is somebody to watch.",
        ),
        Cause::FrameRateLimit => (
            "Your software sent more pictures a second than this service takes.",
            "Set the frame rate to 30 or 60 in your software, and start again.",
        ),
    }
}
