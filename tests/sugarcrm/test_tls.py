"""Connections over TLS, and connections that stay open."""

import datetime
import ipaddress
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sugarcrm.errors import NotSugarError
from sugarcrm.lost import LostAnswerError
from sugarcrm.transport import Transport


class Handler(BaseHTTPRequestHandler):
    """Answers after the pause that the method's name asks for; keeps the connection."""

    protocol_version = "HTTP/1.1"

    def setup(self):
        self.server.connections += 1
        super().setup()

    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        body = b'{"id":"' + b"x" * 200_000 + b'"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        pieces = 20 if "method=slow" in form else 1
        for n in range(pieces):
            part = len(body) // pieces
            self.wfile.write(
                body[n * part : (n + 1) * part] if n < pieces - 1 else body[n * part :]
            )
            time.sleep(0.1 if pieces > 1 else 0)

    def log_message(self, *_args):
        pass


class Server(ThreadingHTTPServer):
    connections = 0
    daemon_threads = True

    def handle_error(self, _request, _address):
        pass  # a client that leaves in the middle is what these tests are about


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture(params=["http", "https"])
def running(request, certificate):
    server = Server(("127.0.0.1", 0), Handler)
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server, f"{request.param}://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_connection_is_used_again_and_keeps_the_deadline(running, certificate):
    server, url = running
    transport = Transport(url, deadline_s=1, connections=1, ca_file=certificate)
    for _ in range(3):
        assert len(transport.post("v4_1", "fast", [], dict[str, str])["id"]) == 200_000
    assert server.connections == 1
    started = time.monotonic()
    with pytest.raises(LostAnswerError, match="within 1 s"):
        transport.post("v4_1", "slow", [], dict[str, str])
    assert time.monotonic() - started < 1.5
    assert transport.post("v4_1", "fast", [], dict[str, str])
    transport.close()


def test_a_certificate_that_nobody_signed(running):
    _, url = running
    if url.startswith("https"):
        transport = Transport(url, deadline_s=2, connections=1)
        with pytest.raises(NotSugarError, match="certificate"):
            transport.post("v4_1", "login", [], object)
        transport.close()
