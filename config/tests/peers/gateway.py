"""The network of a company between a program and moto: a proxy that opens TLS, and AWS itself by TLS, with certificates of a
private authority.

Prints its URL without a scheme, the file with the authority's certificate, and the first line of what each connection asks
of the proxy. Ends when its standard input does.
"""

import datetime
import os
import socket
import ssl
import sys
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

moto, folder = sys.argv[1:]
host, _, port = moto.removeprefix("http://").partition(":")
NAMES = ["localhost", "*.amazonaws.com", "*.us-east-1.amazonaws.com"]


def certificate(name, key, issuer, signer, extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
    built = built.serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)
    for extension in extensions:
        built = built.add_extension(extension, critical=False)
    return built.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def path(name, content):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content)
    return path


authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
issuer = named("authority")
trusted = certificate(issuer, authority, issuer, authority, [x509.BasicConstraints(ca=True, path_length=None)])
names = x509.SubjectAlternativeName([x509.DNSName(name) for name in NAMES])
leaf = certificate(named("gateway"), own, issuer, authority, [names])
private = own.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(path("leaf.pem", leaf + private))


def head(client):
    read = b""
    while not read.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        if not byte:
            break
        read += byte
    return read


def copy(source, target):
    try:
        while block := source.recv(65536):
            target.sendall(block)
    except OSError:
        pass
    finally:
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def serve(client):
    first = client.recv(1, socket.MSG_PEEK)
    asked = b""
    try:
        if first != b"\x16":
            asked = head(client)
            print(asked.partition(b"\r\n")[0].decode(), flush=True)
        if asked.startswith(b"CONNECT "):
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            asked = b""
        if not asked:
            client = tls.wrap_socket(client, server_side=True)
        server = socket.create_connection((host, int(port)))
        server.sendall(asked)
    except OSError:  # whoever does not trust the authority leaves
        client.close()
        return
    threading.Thread(target=copy, args=(client, server), daemon=True).start()
    copy(server, client)


listener = socket.create_server(("127.0.0.1", 0), backlog=128)
print(f"localhost:{listener.getsockname()[1]}")
print(path("authority.pem", trusted), flush=True)


def accept():
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
sys.stdin.read()
os._exit(0)
