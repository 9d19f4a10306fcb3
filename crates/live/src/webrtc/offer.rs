//! What an offer holds (RFC 8866, RFC 9725), and the answer to it.

use std::time::{Duration, Instant};

use media::VideoCodec;
use str0m::change::SdpOffer;
use str0m::{IceCreds, Rtc, RtcConfig};

use super::addresses::Addresses;

/// Which codec is taken of several that a client offers, best first: what most players can show comes before what
/// compresses better, because nothing is transcoded here. AV1 comes late because few encoders make it without effort.
const VIDEO: [VideoCodec; 5] =
    [VideoCodec::Avc, VideoCodec::Hevc, VideoCodec::Vp9, VideoCodec::Av1, VideoCodec::Vp8];
/// How often the peer tells what it has counted.
const STATS_INTERVAL: Duration = Duration::from_secs(1);

/// Why an offer cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// It cannot be read, or lacks what a session needs.
    #[error("the offer cannot be used: {0}")]
    Broken(String),
    /// Nothing in it is a codec that could be carried.
    #[error("the offer has no codec in common with {wanted}")]
    NoCodec {
        /// What could have been carried.
        wanted: String,
    },
}

/// An offer, as far as it decides about the answer.
#[derive(Debug)]
pub(crate) struct Offered {
    sdp: SdpOffer,
    video: Vec<String>,
    audio: Vec<String>,
}

/// What a session carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) video: Option<VideoCodec>,
    pub(crate) opus: bool,
}

impl Carried {
    pub(crate) fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// The answer, and the peer that it describes.
pub(crate) struct Answer {
    pub(crate) rtc: Rtc,
    pub(crate) sdp: String,
}

impl Offered {
    /// Reads an offer.
    ///
    /// # Errors
    /// [`OfferError::Broken`].
    pub(crate) fn read(text: &str) -> Result<Self, OfferError> {
        let sdp = SdpOffer::from_sdp_string(text).map_err(|e| OfferError::Broken(e.to_string()))?;
        let mut offered = Self { sdp, video: Vec::new(), audio: Vec::new() };
        let mut section = "";
        for line in text.lines() {
            if let Some(media) = line.strip_prefix("m=") {
                section = media.split(' ').next().unwrap_or_default();
            } else if let Some(map) = line.strip_prefix("a=rtpmap:")
                && let Some((_, codec)) = map.split_once(' ')
            {
                let name = codec.split('/').next().unwrap_or_default().trim().to_ascii_uppercase();
                match section {
                    "video" => offered.video.push(name),
                    "audio" => offered.audio.push(name),
                    _ => {}
                }
            }
        }
        Ok(offered)
    }

    /// What is taken of it for a push.
    pub(crate) fn best(&self) -> Carried {
        let video = VIDEO.into_iter().find(|codec| self.has(*codec));
        Carried { video, opus: self.has_opus() }
    }

    pub(crate) fn has(&self, codec: VideoCodec) -> bool {
        name(codec).is_some_and(|name| self.video.iter().any(|offered| offered == name))
    }

    pub(crate) fn has_opus(&self) -> bool {
        self.audio.iter().any(|name| name == "OPUS")
    }

    /// In words, for the black box.
    pub(crate) fn summary(&self) -> String {
        let list = |names: &[String]| {
            let mut names: Vec<&str> = names.iter().map(String::as_str).filter(|n| *n != "RTX").collect();
            names.dedup();
            names.join(" ")
        };
        format!("video {} audio {}", list(&self.video), list(&self.audio))
    }

    /// Answers it.
    ///
    /// # Errors
    /// [`OfferError::Broken`] when what the offer says of ICE, DTLS or media cannot be.
    pub(crate) fn answer(
        self,
        carried: Carried,
        credentials: IceCreds,
        addresses: &Addresses,
        now: Instant,
    ) -> Result<Answer, OfferError> {
        let broken = |error: &dyn std::fmt::Display| OfferError::Broken(error.to_string());
        let is = |codec| carried.video == Some(codec);
        let mut rtc = RtcConfig::new()
            .set_ice_lite(true)
            .set_local_ice_credentials(credentials)
            .set_stats_interval(Some(STATS_INTERVAL))
            .clear_codecs()
            .enable_opus(carried.opus, false)
            .enable_h264(is(VideoCodec::Avc))
            .enable_h265(is(VideoCodec::Hevc))
            .enable_av1(is(VideoCodec::Av1))
            .enable_vp9(is(VideoCodec::Vp9))
            .enable_vp8(is(VideoCodec::Vp8))
            .build(now);
        for candidate in addresses.candidates() {
            rtc.add_local_candidate(candidate.map_err(|e| broken(&e))?);
        }
        let answer = rtc.sdp_api().accept_offer(self.sdp).map_err(|e| broken(&e))?;
        Ok(Answer { rtc, sdp: answer.to_sdp_string() })
    }
}

/// The name of a codec in an SDP; `None` for those that WebRTC does not carry here.
pub(crate) fn name(codec: VideoCodec) -> Option<&'static str> {
    Some(match codec {
        VideoCodec::Avc => "H264",
        VideoCodec::Hevc => "H265",
        VideoCodec::Av1 => "AV1",
        VideoCodec::Vp9 => "VP9",
        VideoCodec::Vp8 => "VP8",
        _ => return None,
    })
}

/// The fragment that a trickled or new offer names (RFC 8839, 5.4).
pub(crate) fn fragment_of(sdp: &str) -> Option<&str> {
    sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).map(str::trim)
}

/// Random credentials: the fragment tells sessions apart, the password is what the client has to know.
pub(crate) fn credentials() -> Option<IceCreds> {
    let mut random = [0u8; 24];
    getrandom::fill(&mut random).ok()?;
    let text = hex::encode(random);
    let (fragment, password) = text.split_at_checked(16)?;
    Some(IceCreds { ufrag: fragment.to_owned(), pass: password.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Chromium offers, shortened.
    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n\
        a=ice-pwd:0123456789012345678901\r\n\
        a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
        a=setup:actpass\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
        a=fmtp:111 minptime=10;useinbandfec=1\r\na=ssrc:1 cname:x\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 102\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n\
        a=ice-pwd:0123456789012345678901\r\n\
        a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
        a=setup:actpass\r\na=mid:1\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n\
        a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 nack pli\r\n\
        a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\na=ssrc:2 cname:x\r\n";

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant")]
    fn of_what_a_browser_offers_what_most_can_play_is_taken() {
        let offered = Offered::read(OFFER).unwrap();
        let carried = offered.best();
        assert_eq!(carried, Carried { video: Some(VideoCodec::Avc), opus: true });
        assert_eq!(offered.summary(), "video VP8 H264 audio OPUS");
        let credentials = credentials().unwrap();
        let fragment = credentials.ufrag.clone();
        let at = |address: &str| vec![address.parse().unwrap()];
        let addresses = Addresses { udp: at("127.0.0.1:8000"), tcp: at("127.0.0.1:8001") };
        let answer = offered.answer(carried, credentials, &addresses, Instant::now()).unwrap();
        assert_eq!(fragment_of(&answer.sdp), Some(fragment.as_str()));
        for line in ["a=ice-lite", "H264/90000", "opus/48000", "127.0.0.1 8000"] {
            assert!(answer.sdp.contains(line), "{line} in {}", answer.sdp);
        }
        let candidates: Vec<&str> =
            answer.sdp.lines().filter(|line| line.starts_with("a=candidate")).collect();
        assert!(
            candidates[0].contains(" udp ") && candidates[0].contains("127.0.0.1 8000 typ host"),
            "{candidates:?}"
        );
        assert!(candidates[1].contains(" tcp "), "{candidates:?}");
        assert!(candidates[1].contains("127.0.0.1 8001 typ host tcptype passive"), "{candidates:?}");
        assert!(!answer.sdp.contains("VP8"), "{}", answer.sdp);
    }

    #[test]
    fn what_is_no_offer_is_refused() {
        assert!(matches!(Offered::read("hello"), Err(OfferError::Broken(_))));
    }
}
