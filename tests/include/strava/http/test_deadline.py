from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from include.deadline import ending_at
from include.errors import StravaUnavailable
from include.strava.http.session import STORING_S, Call, StravaSession

pytestmark = pytest.mark.network

GET = Call("GET", "/activities/5", "athlete 7")
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"


class TlsServer:
    """Answers each connection with the next of `answers`, whole or byte by byte."""

    def __init__(self, folder: Path) -> None:
        self.answers: list[tuple[bytes, float]] = []
        """What comes, and the seconds between two bytes; 0 for at once."""
        self.certificate = _self_signed(folder)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._closed.set()
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._closed.is_set():
            connection, _ = self._listener.accept()
            with connection:
                try:
                    self._answer(connection)
                except OSError:
                    continue

    def _answer(self, connection: socket.socket) -> None:
        with self._context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(65_536)
            answer, gap_s = self.answers.pop(0)
            for byte in answer if gap_s else ():
                secure.sendall(bytes([byte]))
                if self._closed.wait(gap_s):
                    return
            secure.sendall(b"" if gap_s else answer)


def _self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TlsServer]:
    server = TlsServer(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.certificate))
    yield server
    server.close()


def test_call_over_tls_is_answered_when_the_answer_comes_in_time(server: TlsServer) -> None:
    server.answers = [(WHOLE, 0)]

    with StravaSession(time.time) as session:
        assert session.send(server.url, GET).body == b"[]"


def test_call_over_tls_ends_by_its_deadline_when_the_answer_drips(server: TlsServer) -> None:
    server.answers = [(WHOLE[:-2], 0.02)]
    began_s = time.monotonic()

    with StravaSession(time.time, deadlines_s=(0.3, 0.3)) as session, pytest.raises(StravaUnavailable):
        session.send(server.url, GET)

    assert 0.2 < time.monotonic() - began_s < 1


def test_call_ends_before_the_deadline_of_its_work_so_that_its_answer_can_be_stored(server: TlsServer) -> None:
    server.answers = [(WHOLE[:-2], 0.02)]
    began_s = time.monotonic()

    with (
        StravaSession(time.time) as session,
        ending_at(began_s + STORING_S + 0.3),
        pytest.raises(StravaUnavailable, match="failed"),
    ):
        session.send(server.url, GET)

    assert 0.2 < time.monotonic() - began_s < 1


def test_call_is_not_sent_when_its_answer_could_not_be_stored(server: TlsServer) -> None:
    post = Call("POST", "/oauth/token")

    with (
        StravaSession(time.time) as session,
        ending_at(time.monotonic() + STORING_S),
        pytest.raises(StravaUnavailable, match="was not sent"),
    ):
        session.send(server.url, post)
