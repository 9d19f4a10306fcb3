//! Who sends a request: signature, clock, replays.

pub mod authorization;
pub mod replay;
pub mod signature;

use crate::actions::Scope;
use crate::api::v1::Caller;
use crate::client::Client;
use crate::state::WebState;

use self::replay::{CLOCK_WINDOW, Seen, Use};
use super::error::{Code, CssError};
use super::request::{Raw, Signed, Wanted};

/// The caller, once everything about the signature is good.
///
/// # Errors
/// `AuthFailure.*`, or `RequestLimitExceeded` where no more signatures can be remembered.
pub fn authenticate(
    state: &WebState,
    client: &Client,
    raw: &Raw,
    wanted: &Wanted,
) -> Result<Caller, CssError> {
    let catalog = state.catalog();
    let secret_id = wanted.secret_id();
    let key = catalog.api_keys.get(secret_id).filter(|key| !key.secret.is_empty());
    let key = key.ok_or_else(|| {
        CssError::new(Code::SecretIdNotFound, "The SecretId is not found. Please check that it is right.")
    })?;
    let now = state.clock().now().secs();
    if now.saturating_sub(wanted.timestamp).saturating_abs() > CLOCK_WINDOW {
        let message = format!(
            "The signature is expired: its time {} is more than five minutes from the server's, {now}.",
            wanted.timestamp
        );
        return Err(CssError::new(Code::SignatureExpire, message));
    }
    let (fits, signature, once) = match &wanted.signed {
        Signed::Tc3(auth) => {
            if super::time::utc_date(wanted.timestamp).as_deref() != Some(auth.date.as_str()) {
                let message = "The date of the Credential is not the UTC date of X-TC-Timestamp.";
                return Err(CssError::new(Code::SignatureFailure, message));
            }
            let fits = signature::tc3_fits(raw, auth, wanted.timestamp, &key.secret)?;
            (fits, auth.signature.as_slice(), false)
        }
        Signed::Parameters(given) => {
            (signature::parameters_fit(raw, given, &key.secret)?, given.signature.as_bytes(), true)
        }
    };
    if !fits {
        let message =
            "The provided credentials could not be validated. Please check your signature is correct.";
        return Err(CssError::new(Code::SignatureFailure, message));
    }
    let used = Use { secret_id, signature, timestamp: wanted.timestamp, once };
    match state.css().replays.note(&used, now) {
        Seen::Fresh => {}
        Seen::Replayed => {
            let message = "A request with this signature came before.";
            return Err(CssError::new(Code::SignatureFailure, message));
        }
        Seen::Full => {
            let message = "Too many requests within the last minutes.";
            return Err(CssError::new(Code::RequestLimitExceeded, message));
        }
    }
    Ok(Caller { id: key.id.clone(), role: key.role, scope: Scope::of(key.account), from: Some(client.ip) })
}

impl Wanted {
    /// The key that the request names.
    pub fn secret_id(&self) -> &str {
        match &self.signed {
            Signed::Tc3(auth) => &auth.secret_id,
            Signed::Parameters(given) => &given.secret_id,
        }
    }
}
