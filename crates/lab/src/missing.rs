//! Rows of the table that no scenario can produce yet, each with the reason.

use cause::Cause;

const NO_CLUSTER: &str = "needs a cluster, which this version is no part of";

/// Why no scenario produces this row; `None` where one does.
pub fn reason(cause: Cause) -> Option<&'static str> {
    Some(match cause {
        Cause::Unknown => "expected never: a push that ends so is a defect",
        Cause::RegistryUnreachable | Cause::RegistryConflict | Cause::OwnershipLost => NO_CLUSTER,
        _ => return None,
    })
}
