//! One address for several nodes: each connection goes to the first of them that `/readyz` calls ready, as a load balancer
//! with a health check would have it.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use super::http;

/// Where a node takes connections, and where it says whether it is ready.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub rtmp: SocketAddr,
    pub http: SocketAddr,
}

impl Node {
    fn is_ready(&self) -> bool {
        http::request(self.http, "GET", "/readyz", &[], &[]).is_ok_and(|answer| answer.status == 200)
    }
}

/// Listens, and lives as long as the process; its address.
pub fn start(nodes: Vec<Node>) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let nodes = nodes.clone();
            thread::spawn(move || pass(client, &nodes));
        }
    });
    address
}

fn pass(client: TcpStream, nodes: &[Node]) -> Option<()> {
    let node = nodes.iter().find(|node| node.is_ready())?;
    let server = TcpStream::connect(node.rtmp).ok()?;
    for socket in [&client, &server] {
        let _ = socket.set_nodelay(true);
    }
    let (up, down) = ((client.try_clone().ok()?, server.try_clone().ok()?), (server, client));
    let up = thread::spawn(move || copy(up));
    copy(down);
    let _ = up.join();
    Some(())
}

fn copy((mut from, mut to): (TcpStream, TcpStream)) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
