//! What `connect` negotiates in Enhanced RTMP v2 ("Enhancing NetConnection connect Command").
//!
//! The extended audio and video headers themselves are media, and not looked at in this crate.

use crate::amf0::{Object, Value};

/// What can be done with a codec (FourCcInfoMask).
pub mod can {
    /// Decode it.
    pub const DECODE: u32 = 1;
    /// Encode it.
    pub const ENCODE: u32 = 2;
    /// Pass it on.
    pub const FORWARD: u32 = 4;
}

/// Extended capabilities (CapsExMask).
pub mod caps {
    /// Follows a reconnect request.
    pub const RECONNECT: u32 = 1;
    /// Several tracks in one stream.
    pub const MULTITRACK: u32 = 2;
    /// Reads past modifier packets.
    pub const MOD_EX: u32 = 4;
    /// Takes nanosecond offsets of timestamps.
    pub const TIMESTAMP_NANO_OFFSET: u32 = 8;
}

/// Code of the status that asks a client to reconnect.
pub const RECONNECT_REQUEST: &str = "NetConnection.Connect.ReconnectRequest";

/// Video codecs that the default [`Enhancements`] forward.
const VIDEO: [&str; 6] = ["avc1", "hvc1", "vvc1", "av01", "vp09", "vp08"];

/// Audio codecs that the default [`Enhancements`] forward.
const AUDIO: [&str; 6] = ["mp4a", "Opus", "fLaC", "ac-3", "ec-3", ".mp3"];

/// What one side says it can do beyond the old codecs. Empty where it does not speak Enhanced RTMP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Enhancements {
    /// `fourCcList`: codecs by FourCC, or `*` for any.
    pub fourcc_list: Vec<String>,
    /// `videoFourCcInfoMap`: flags of [`can`] by FourCC, or by `*`.
    pub video: Vec<(String, u32)>,
    /// `audioFourCcInfoMap`, likewise.
    pub audio: Vec<(String, u32)>,
    /// `capsEx`: flags of [`caps`].
    pub caps_ex: Option<u32>,
}

impl Enhancements {
    /// What a server can do that passes every codec of the specification on, and reads multitrack and modifier
    /// packets.
    pub fn forwarding() -> Self {
        let map = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), can::FORWARD)).collect();
        Self {
            fourcc_list: VIDEO.iter().chain(&AUDIO).map(|name| (*name).to_owned()).collect(),
            video: map(&VIDEO),
            audio: map(&AUDIO),
            caps_ex: Some(caps::RECONNECT | caps::MULTITRACK | caps::MOD_EX | caps::TIMESTAMP_NANO_OFFSET),
        }
    }

    /// Reads them from the command object of `connect`, or from the properties of its answer. Fields of another
    /// type than the specification's are taken as absent.
    pub fn read(object: &Value) -> Self {
        let list = object.field("fourCcList");
        let names = list.as_ref().and_then(Value::as_array).unwrap_or_default();
        Self {
            fourcc_list: names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            video: info_map(object, "videoFourCcInfoMap"),
            audio: info_map(object, "audioFourCcInfoMap"),
            caps_ex: object.field("capsEx").as_ref().and_then(Value::as_f64).and_then(flags),
        }
    }

    /// Adds them to a command object or to the properties of an answer.
    pub fn write(&self, object: &mut Object) {
        if !self.fourcc_list.is_empty() {
            let names: Vec<Value> = self.fourcc_list.iter().map(|name| name.as_str().into()).collect();
            object.push("fourCcList", names);
        }
        for (name, map) in [("videoFourCcInfoMap", &self.video), ("audioFourCcInfoMap", &self.audio)] {
            if !map.is_empty() {
                let fields = map.iter().map(|(codec, mask)| (codec.clone(), f64::from(*mask).into()));
                object.push(name, Object::from_iter(fields));
            }
        }
        if let Some(caps_ex) = self.caps_ex {
            object.push("capsEx", f64::from(caps_ex));
        }
    }

    /// Whether nothing was said at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether all of these [`caps`] are there.
    pub fn has(&self, caps: u32) -> bool {
        self.caps_ex.is_some_and(|own| own & caps == caps)
    }
}

fn info_map(object: &Value, name: &str) -> Vec<(String, u32)> {
    let map = object.field(name);
    let fields = map.as_ref().and_then(Value::as_object).into_iter().flat_map(Object::iter);
    fields.filter_map(|(codec, mask)| Some((codec.to_owned(), mask.as_f64().and_then(flags)?))).collect()
}

/// A number as flags; `None` where it is none.
fn flags(number: f64) -> Option<u32> {
    let flags = number as u32;
    (f64::from(flags) == number).then_some(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let enhancements = Enhancements::forwarding();
        let mut object = Object::new().with("app", "live");
        enhancements.write(&mut object);
        assert_eq!(Enhancements::read(&Value::Object(object)), enhancements);
        assert!(enhancements.has(caps::RECONNECT | caps::MULTITRACK));
    }

    #[test]
    fn a_client_of_old_says_nothing() {
        let object = Value::Object(Object::new().with("app", "live"));
        let enhancements = Enhancements::read(&object);
        assert!(enhancements.is_empty());
        assert!(!enhancements.has(caps::RECONNECT));
    }

    #[test]
    fn fields_of_another_type_count_as_absent() {
        let object =
            Object::new().with("fourCcList", "hvc1").with("videoFourCcInfoMap", 4.0).with("capsEx", f64::NAN);
        assert!(Enhancements::read(&Value::Object(object)).is_empty());
    }
}
