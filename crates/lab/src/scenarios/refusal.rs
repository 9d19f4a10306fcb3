//! What scenarios of admission share: a push that is refused.

use crate::error::LabError;
use crate::scenario::Seen;
use crate::site::Site;

/// Pushes `name` of `stream` to an app of a domain, and is refused.
pub(super) async fn refused(
    site: &Site,
    host: &str,
    app: &str,
    stream: &str,
    name: &str,
) -> Result<Seen, LabError> {
    let mut client = site.open().await?;
    client.handshake().await?;
    client.connect(app, &format!("rtmp://{host}/{app}")).await?;
    client.create_stream().await?;
    let seen = Seen::push(site, &client, stream).now();
    match client.publish(name).await {
        Err(LabError::Refused(told)) => Ok(seen.told(told)),
        Err(error) => Err(error),
        Ok(()) => Err(LabError::WentLive),
    }
}
