//! Leaving: with a goodbye, without one, or by force. Each gives the time at which the last word was said.

use std::io::ErrorKind;
use std::time::Duration;

use model::{Clock, SystemClock, Timestamp};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::Client;
use crate::error::LabError;

/// The server is given this long to close its side as well.
const CLOSING: Duration = Duration::from_secs(3);
/// A reset throws away what has not arrived, so what came before it is given this long.
const UNDER_WAY: Duration = Duration::from_millis(300);

impl Client {
    /// `deleteStream`, then the end of the connection.
    pub async fn delete_stream(mut self) -> Result<Timestamp, LabError> {
        self.session.delete_stream(self.stream_id);
        self.flush().await?;
        let said = SystemClock.now();
        self.end_of_file().await?;
        Ok(said)
    }

    /// `FCUnpublish` and `deleteStream`, then the socket is closed as it is. Where something is unread in it, the system
    /// throws away what it has not yet sent, the goodbye among it, and resets.
    pub async fn abandon(mut self, name: &str) -> Result<Timestamp, LabError> {
        self.session.fc_unpublish(name);
        self.session.delete_stream(self.stream_id);
        self.flush().await?;
        Ok(SystemClock.now())
    }

    /// `closeStream`, then the end of the connection.
    pub async fn close_stream(mut self) -> Result<Timestamp, LabError> {
        self.session.close_stream(self.stream_id);
        self.flush().await?;
        let said = SystemClock.now();
        self.end_of_file().await?;
        Ok(said)
    }

    /// Closes without a word of RTMP, as the system does for a process that is killed; TLS is ended by its own goodbye.
    pub async fn end_of_file(mut self) -> Result<Timestamp, LabError> {
        self.flush().await?;
        let said = SystemClock.now();
        close(&mut self.socket).await?;
        Ok(said)
    }

    /// Closes without a word of RTMP or of TLS.
    pub async fn cut_off(mut self) -> Result<Timestamp, LabError> {
        self.flush().await?;
        let said = SystemClock.now();
        close(self.socket.tcp_mut()).await?;
        Ok(said)
    }

    /// Resets the connection, once what was said has arrived.
    pub async fn reset(mut self) -> Result<Timestamp, LabError> {
        self.flush().await?;
        sleep(UNDER_WAY).await;
        self.reset_now()
    }

    /// Resets the connection; what is under way is thrown away.
    pub fn reset_now(self) -> Result<Timestamp, LabError> {
        SockRef::from(self.socket.tcp()).set_linger(Some(Duration::ZERO))?;
        drop(self.socket);
        Ok(SystemClock.now())
    }
}

async fn close(socket: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<(), LabError> {
    match socket.shutdown().await {
        Err(error) if error.kind() != ErrorKind::NotConnected => return Err(error.into()),
        _ => {}
    }
    // Closing with bytes unread would reset.
    let mut rest = [0; 4096];
    let _ =
        timeout(CLOSING, async { while socket.read(&mut rest).await.is_ok_and(|read| read > 0) {} }).await;
    Ok(())
}
