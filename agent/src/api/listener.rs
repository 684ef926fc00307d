//! Binds the addresses: TCP and Unix sockets.
//!
//! In flows where to listen; out flow listeners that know how to announce themselves. The rule: a socket file is never
//! taken from somebody who listens on it, and at no moment may more people connect than its mode says.

use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use sms_config::Listen;
use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixSocket};

use super::socket::Socket;

/// Connections that may wait to be accepted. The kernel cuts it to its own limit.
const BACKLOG: u32 = 1024;

/// Bytes of answers that the kernel holds for a client that does not read them.
const UNREAD: u32 = 64 * 1024;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The system refuses.
    #[error("cannot listen on {address}: {source}; choose another address in agent.listen, or free this one")]
    Refused {
        /// Which one.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody listens there.
    #[error(
        "cannot listen on unix:{0}: another process listens on it; stop it, or choose another path in agent.listen"
    )]
    Taken(PathBuf),
    /// There is something else.
    #[error("cannot listen on unix:{0}: there is a file that is no socket; choose another path in agent.listen")]
    NoSocket(PathBuf),
}

/// Where a request arrived, as the traces name it.
#[derive(Clone, Debug)]
pub(super) struct Local {
    /// IP address or path.
    pub(super) address: String,
    /// Of TCP.
    pub(super) port: Option<u16>,
}

/// One bound address. Dropping it removes its socket file.
pub struct Listener {
    kind: Kind,
    pub(super) local: Local,
}

enum Kind {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixListener, SocketFile),
}

impl Listener {
    /// Binds an address; needs a tokio runtime. `socket_mode` are the permission bits of a socket file.
    ///
    /// # Errors
    /// It is taken, or the system refuses.
    pub fn bind(listen: &Listen, socket_mode: u32) -> Result<Self, BindError> {
        match listen {
            Listen::Tcp(address) => {
                tcp(*address).map_err(|source| BindError::Refused { address: address.to_string(), source })
            }
            Listen::Unix(path) => unix(path, socket_mode),
        }
    }

    /// Looks whether an address could be bound, and leaves everything as it is; needs a tokio runtime.
    ///
    /// # Errors
    /// As [`Listener::bind`].
    pub fn check(listen: &Listen) -> Result<(), BindError> {
        match listen {
            Listen::Tcp(_) => Self::bind(listen, 0).map(drop),
            Listen::Unix(path) => {
                is_left_behind(path)?;
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let refused = |source| BindError::Refused { address: format!("unix:{}", path.display()), source };
                rustix::fs::access(folder, Access::WRITE_OK).map_err(|errno| refused(errno.into()))
            }
        }
    }

    /// As it is announced: `http://127.0.0.1:7670`, `unix:/path`. With port 0 it says which one was picked.
    pub fn address(&self) -> String {
        match &self.kind {
            Kind::Tcp(_, address) => format!("http://{address}"),
            Kind::Unix(_, file) => format!("unix:{}", file.path.display()),
        }
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<Socket> {
        match &self.kind {
            Kind::Tcp(listener, _) => {
                let (stream, _) = listener.accept().await?;
                // An answer goes out at once, not when the last one was acknowledged. If that fails, it is only slow.
                stream.set_nodelay(true).ok();
                Ok(Socket::Tcp(stream))
            }
            Kind::Unix(listener, _) => listener.accept().await.map(|(stream, _)| Socket::Unix(stream)),
        }
    }
}

fn tcp(address: SocketAddr) -> io::Result<Listener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Otherwise a restart would have to wait for the last connections to time out.
    socket.set_reuseaddr(true)?;
    // Grown to what the kernel allows, the unread answers of a thousand connections would be gigabytes of this machine's
    // memory. Connections inherit it. If that fails, they are served all the same.
    socket.set_send_buffer_size(UNREAD).ok();
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let bound = listener.local_addr()?;
    let local = Local { address: bound.ip().to_string(), port: Some(bound.port()) };
    Ok(Listener { kind: Kind::Tcp(listener, bound), local })
}

fn unix(path: &Path, mode: u32) -> Result<Listener, BindError> {
    let refused = |source| BindError::Refused { address: format!("unix:{}", path.display()), source };
    clear(path)?;
    let socket = UnixSocket::new_stream().map_err(refused)?;
    socket.bind(path).map_err(refused)?;
    let file = SocketFile::of(path).map_err(refused)?;
    // Between bind and listen nobody can connect, so the mode is right before it matters.
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(refused)?;
    let listener = socket.listen(BACKLOG).map_err(refused)?;
    let local = Local { address: path.display().to_string(), port: None };
    Ok(Listener { kind: Kind::Unix(listener, file), local })
}

/// Removes a socket file that was left behind.
fn clear(path: &Path) -> Result<(), BindError> {
    if !is_left_behind(path)? {
        return Ok(());
    }
    fs::remove_file(path).map_err(|source| BindError::Refused { address: format!("unix:{}", path.display()), source })
}

/// Whether there is a socket file on which nobody listens; false: there is no file.
fn is_left_behind(path: &Path) -> Result<bool, BindError> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(false) };
    if !metadata.file_type().is_socket() {
        return Err(BindError::NoSocket(path.to_owned()));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(true),
        _ => Err(BindError::Taken(path.to_owned())),
    }
}

/// A socket file of ours, known by its inode: the path may be another's by the time we go.
struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), inode: fs::symlink_metadata(path)?.ino() })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|metadata| metadata.ino() == self.inode) {
            fs::remove_file(&self.path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.sock");
        (folder, path)
    }

    #[tokio::test]
    async fn port_0_is_announced_as_the_one_that_was_picked() {
        let listener = Listener::bind(&Listen::Tcp("127.0.0.1:0".parse().unwrap()), 0o600).unwrap();
        let port = listener.local.port.unwrap();
        assert_ne!(port, 0);
        assert_eq!(listener.address(), format!("http://127.0.0.1:{port}"));
        let again = Listener::bind(&Listen::Tcp(format!("127.0.0.1:{port}").parse().unwrap()), 0o600);
        assert!(again.err().unwrap().to_string().contains("agent.listen"));
    }

    #[tokio::test]
    async fn a_socket_file_has_its_mode_and_goes_with_its_listener() {
        let (_folder, path) = path();
        let listener = Listener::bind(&Listen::Unix(path.clone()), 0o660).unwrap();
        assert_eq!(listener.address(), format!("unix:{}", path.display()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_socket_file_is_replaced_only_if_nobody_listens_on_it() {
        let (_folder, path) = path();
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "the standard library leaves it behind");
        let listener = Listener::bind(&Listen::Unix(path.clone()), 0o600).unwrap();
        assert!(matches!(Listener::bind(&Listen::Unix(path.clone()), 0o600), Err(BindError::Taken(_))));
        drop(listener);
        fs::write(&path, "precious").unwrap();
        assert!(matches!(Listener::bind(&Listen::Unix(path.clone()), 0o600), Err(BindError::NoSocket(_))));
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    #[tokio::test]
    async fn a_path_that_another_took_over_is_left_to_it() {
        let (_folder, path) = path();
        let listener = Listener::bind(&Listen::Unix(path.clone()), 0o600).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "another's").unwrap();
        drop(listener);
        assert!(path.exists());
    }
}
