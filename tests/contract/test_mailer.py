"""What every `Mailer` does: one mail becomes one message, as it is, and no error names the address."""

from __future__ import annotations

import email
import email.policy
import socketserver
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from include.errors import IngestError, MailPostponed, MailRefused, OutcomeUnknown, RetryLater, SettingsError
from include.mail.backend import open_mailer
from include.mail.mailer import Mail, Mailer
from include.setting_values import EXAMPLES
from include.settings import Settings

SENDER, READER = "privacy@example.org", "ann@example.com"
MAIL = Mail("erased.1", READER, "Your data was erased – Activity Archive", "Hello,\n\nit is done – for good.\n.\nBye\n")
SETTINGS = replace(Settings.from_environ(EXAMPLES), contact=SENDER, mail_password="hush")


@dataclass
class Place:
    """A mailer, and what it has sent."""

    mailer: Mailer
    sent: Callable[[], list[bytes]]


@dataclass
class SmtpServer:
    """Speaks SMTP by TLS as far as it is needed, and answers one command in another way where a test says so."""

    answers: dict[str, str] = field(default_factory=dict)
    """What a command is answered instead, by its first word; nothing but a closed connection where empty."""
    taken: list[bytes] = field(default_factory=list)
    port: int = 0

    def talk(self, rfile: Any, wfile: Any) -> None:
        def say(line: str) -> None:
            wfile.write(f"{line}\r\n".encode())
            wfile.flush()

        say("220 ready")
        for line in iter(rfile.readline, b""):
            word = line.split()[0].decode().upper()
            if word in self.answers:
                if not self.answers[word]:
                    return
                say(self.answers[word])
            elif word in ("EHLO", "HELO"):
                say("250-here\r\n250 AUTH PLAIN")
            elif word == "AUTH":
                say("235 welcome")
            elif word == "DATA":
                say("354 go on")
                body = b"".join(iter(rfile.readline, b".\r\n"))
                if "BODY" in self.answers:
                    if not self.answers["BODY"]:
                        return
                    say(self.answers["BODY"])
                    continue
                self.taken.append(body.replace(b"\r\n..", b"\r\n."))
                say("250 taken")
            else:
                say("250 fine")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of localhost, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def serving(server: SmtpServer, certificate: Path) -> Iterator[None]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    class Handler(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def handle(self) -> None:
            server.talk(self.rfile, self.wfile)

        def finish(self) -> None:
            super().finish()
            self.request.close()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as tcp:
        tcp.daemon_threads = True
        server.port = tcp.server_address[1]
        thread = threading.Thread(target=tcp.serve_forever, daemon=True)
        thread.start()
        yield
        tcp.shutdown()
        thread.join()


@pytest.fixture
def smtp(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = SmtpServer()
    with serving(server, certificate):
        yield server


def smtp_mailer(server: SmtpServer) -> Mailer:
    mailer = open_mailer(replace(SETTINGS, mail_url=f"smtps://user%40x@localhost:{server.port}"))
    assert mailer is not None
    return mailer


@pytest.fixture
def ses(aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, aws_session: boto3.session.Session) -> Any:
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", aws_session)
    return aws_session.client("sesv2", endpoint_url=aws_environment["AWS_ENDPOINT_URL"])


@pytest.fixture(params=["file", *(pytest.param(name, marks=pytest.mark.network) for name in ("smtp", "ses"))])
def mailbox(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "smtp":
        server: SmtpServer = request.getfixturevalue("smtp")
        return Place(smtp_mailer(server), lambda: server.taken)
    if request.param == "ses":
        client = request.getfixturevalue("ses")
        sender = f"{uuid.uuid4().hex}@example.org"
        client.create_email_identity(EmailIdentity=sender)
        mailer = open_mailer(replace(SETTINGS, contact=sender, mail_url="ses://eu-central-1"))
        assert mailer is not None
        return Place(mailer, lambda: ses_messages(sender))
    mailer = open_mailer(replace(SETTINGS, mail_url=f"file://{tmp_path}/mails"))
    assert mailer is not None
    return Place(mailer, lambda: [path.read_bytes() for path in (tmp_path / "mails").glob("*.eml")])


def ses_messages(sender: str) -> list[bytes]:
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.ses.models import ses_backends

    sent = ses_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].sent_messages
    return [str(one.raw_data).encode() for one in sent if one.source == sender]


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_mail_becomes_one_message_as_it_is(mailbox: Place) -> None:
    mailbox.mailer.send(MAIL)

    (raw,) = mailbox.sent()
    message = parsed(raw)
    assert message["To"] == READER
    assert message["From"].endswith("@example.org")
    assert message["Subject"] == MAIL.subject
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().replace("\r\n", "\n") == MAIL.text


def test_same_cause_has_the_same_message_id_and_another_one_has_not(mailbox: Place) -> None:
    for cause in ("one", "one", "two"):
        mailbox.mailer.send(replace(MAIL, cause=cause))

    ids = [parsed(raw)["Message-ID"] for raw in mailbox.sent()]
    assert (len(ids), len(set(ids))) == (3, 2)


@pytest.mark.network
@pytest.mark.parametrize(
    ("command", "answer", "error"),
    [
        pytest.param("AUTH", "535 no", SettingsError, id="password"),
        pytest.param("AUTH", "", RetryLater, id="closed at sign-in"),
        pytest.param("MAIL", "550 not you", SettingsError, id="sender"),
        pytest.param("MAIL", "451 later", RetryLater, id="sender later"),
        pytest.param("RCPT", "550 unknown", MailRefused, id="unknown address"),
        pytest.param("RCPT", "451 later", MailPostponed, id="address later"),
        pytest.param("DATA", "451 later", MailPostponed, id="content later"),
        pytest.param("DATA", "554 spam", MailRefused, id="content never"),
        pytest.param("BODY", "451 later", MailPostponed, id="not taken now"),
        pytest.param("BODY", "554 spam", MailRefused, id="not taken ever"),
        pytest.param("BODY", "", OutcomeUnknown, id="closed after the content"),
    ],
)
def test_answer_of_an_smtp_server_says_whether_the_mail_was_taken(
    smtp: SmtpServer, command: str, answer: str, error: type[IngestError]
) -> None:
    smtp.answers[command] = answer

    with pytest.raises(IngestError) as caught:
        smtp_mailer(smtp).send(MAIL)

    assert type(caught.value) is error
    assert smtp.taken == []
    assert READER not in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.network
def test_server_that_nobody_vouches_for_gets_no_password(smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(RetryLater, match="SSLCertVerificationError"):
        smtp_mailer(smtp).send(MAIL)


@pytest.mark.network
def test_ses_asks_for_a_verified_sender(ses: Any) -> None:
    mailer = open_mailer(replace(SETTINGS, contact="stranger@example.net", mail_url="ses://eu-central-1"))

    assert mailer is not None
    with pytest.raises(SettingsError, match="verify that address") as caught:
        mailer.send(MAIL)
    assert READER not in str(caught.value)


def test_no_mailer_is_opened_when_no_address_is_set() -> None:
    assert open_mailer(replace(SETTINGS, mail_url="")) is None
