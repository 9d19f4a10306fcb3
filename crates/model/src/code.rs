//! The `errcode`/`sub_errcode` pair of the table of causes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One row of the table by its numbers; as text `18/503`. The crate `cause` knows what each means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Code {
    /// `errcode` of the table, 0-39.
    pub errcode: u16,
    /// `sub_errcode` of the table, 0 unless `errcode` is 18 or 21.
    pub sub_errcode: u16,
}

impl Code {
    /// The pair `errcode`/`sub_errcode`.
    pub const fn new(errcode: u16, sub_errcode: u16) -> Self {
        Self { errcode, sub_errcode }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.errcode, self.sub_errcode)
    }
}

/// Text that is no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no code: write errcode/sub_errcode, such as 18/503, or the errcode alone when its sub_errcode is 0"
)]
pub struct CodeError(pub String);

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (errcode, sub) = text.trim().split_once('/').unwrap_or((text.trim(), "0"));
        match (errcode.parse(), sub.parse()) {
            (Ok(errcode), Ok(sub_errcode)) => Ok(Self { errcode, sub_errcode }),
            _ => Err(CodeError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_from_its_text() {
        assert_eq!("18/503".parse(), Ok(Code::new(18, 503)));
        assert_eq!("3".parse(), Ok(Code::new(3, 0)));
        assert!("18/x".parse::<Code>().is_err());
        assert_eq!(Code::new(1, 0).to_string(), "1/0");
    }
}
