//! Rows of the table that no scenario can produce yet, each with the reason.

use cause::Cause;

/// Why no scenario produces this row; `None` where one does.
pub fn reason(cause: Cause) -> Option<&'static str> {
    (cause == Cause::Unknown).then_some("expected never: a push that ends so is a defect")
}
