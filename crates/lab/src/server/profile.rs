//! The configurations that scenarios need.

/// The domain that anybody may push to, in every profile.
pub const DOMAIN: &str = "push.lab.test";
/// The domain that asks for signatures, where a profile has it.
pub const SIGNED_DOMAIN: &str = "signed.lab.test";
/// The key that `signed.lab.test` signs with.
pub const KEY: &str = "the-key-of-the-lab";
/// The token by which `Profile::Importing` takes hooks of another server.
pub const IMPORT_TOKEN: &str = "token-of-the-lab-0123";
/// The API key of every profile, as `id:secret`.
pub(super) const API_KEY: &str = "lab:a-secret-of-the-lab";

const BASE: &str = include_str!("base.toml");
const CATALOG: &str = include_str!("catalog.toml");

/// A configuration; scenarios of one profile share a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// Short limits of silence, strict media, and a catalog with a domain for each refusal.
    Standard,
    /// A limit of lag.
    Lag,
    /// A limit of the frame rate.
    FrameRate,
    /// A limit on how long nobody may play.
    Unplayed,
    /// Little time to set up a push.
    Impatient,
    /// An address in the push URL is refused.
    NoDefaultDomain,
    /// One push at once.
    Small,
    /// One connection at once.
    Few,
    /// Nothing but the open domain.
    Plain,
    /// The same, and refused and pre-publish ends that are alike are folded into one record.
    Folding,
    /// The same with limits of silence that an encoder has time to come back in.
    Patient,
    /// Another server may tell of its pushes.
    Importing,
    /// The usual limits, and a domain whose pushes are signed.
    Load,
}

impl Profile {
    /// As the configuration file has it.
    pub fn config(self) -> String {
        let more = match self {
            Self::Standard => {
                let limits =
                    "[limits]\nidle = \"7s\"\npath = \"5s\"\nmessage = \"256KiB\"\nstrict_media = true\n";
                format!("{limits}{CATALOG}")
            }
            Self::Lag => "[limits]\nlag = \"2s\"\n".to_owned(),
            Self::FrameRate => "[limits]\nfps = 60\n".to_owned(),
            Self::Unplayed => "[limits]\nunplayed = \"2s\"\n".to_owned(),
            Self::Impatient => "[limits]\nhandshake = \"1s\"\nsetup = \"2s\"\n".to_owned(),
            Self::NoDefaultDomain => "[node]\ndefault_domain = \"\"\n".to_owned(),
            Self::Few => "[limits]\nconnections = 1\n".to_owned(),
            Self::Small => "[limits]\npushes = 1\n".to_owned(),
            Self::Patient => "[limits]\nidle = \"60s\"\npath = \"40s\"\n".to_owned(),
            Self::Importing => format!(
                "[[import]]\nname = \"elsewhere\"\nkind = \"srs\"\ntoken = \"{IMPORT_TOKEN}\"\naccount = 1\n"
            ),
            Self::Load => {
                format!("[[domain]]\nname = \"{SIGNED_DOMAIN}\"\naccount = 1\nkey = \"{KEY}\"\n")
            }
            Self::Plain | Self::Folding => "[limits]\nidle = \"30s\"\npath = \"5s\"\n".to_owned(),
        };
        let base = match self {
            Self::Folding => BASE.replace("fold = \"off\"", "fold = \"60s\""),
            _ => BASE.to_owned(),
        };
        format!("{more}\n{base}")
    }
}
