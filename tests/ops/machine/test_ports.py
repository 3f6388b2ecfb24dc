from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ops.machine import ports
from ops.machine.ports import Ports

pytestmark = pytest.mark.network


@pytest.fixture
def taken() -> Iterator[list[int]]:
    """Three ports that a program listens on; the one above each may be free or not."""
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        yield [server.getsockname()[1] for server in servers]


def remember(path: Path, simulator: int, web: int, airflow: int) -> None:
    path.write_text(f'{{"simulator": {simulator}, "web": {web}, "airflow": {airflow}}}')


def choose(memory: Path, say: Callable[[str], None], servers: Collection[str] = ports.EMBEDDED) -> Ports:
    with Ports.reserved(memory, say, servers) as chosen:
        return chosen


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_port_moves_up_and_says_so_when_taken(tmp_path: Path, taken: list[int]) -> None:
    memory = tmp_path / "ports.json"
    remember(memory, *taken)
    lines: list[str] = []
    chosen = choose(memory, lines.append)
    for server, old, new in zip(
        ("simulator", "web", "airflow"), taken, (chosen.simulator, chosen.web, chosen.airflow), strict=True
    ):
        assert new > old
        assert f"Port {old} is taken by another program: {server} moves to {new}" in lines
    assert len({chosen.simulator, chosen.web, chosen.airflow}) == 3


def test_ports_stay_the_same_after_a_restart(tmp_path: Path) -> None:
    memory = tmp_path / "ports.json"
    remember(memory, free_port(), free_port(), free_port())
    lines: list[str] = []
    first = choose(memory, lines.append)
    assert choose(memory, lines.append) == first
    assert lines == []


def test_ports_that_moved_are_remembered(tmp_path: Path, taken: list[int]) -> None:
    memory = tmp_path / "ports.json"
    remember(memory, *taken)
    moved = choose(memory, lambda _: None)
    assert ports.remembered(memory) == moved
    assert choose(memory, pytest.fail) == moved


def test_two_servers_never_share_a_port(tmp_path: Path) -> None:
    memory = tmp_path / "ports.json"
    port = free_port()
    remember(memory, port, port, port)
    chosen = choose(memory, lambda _: None)
    assert len({chosen.simulator, chosen.web, chosen.airflow}) == 3


def test_preferred_ports_are_those_of_the_first_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_is_free", lambda _: True)
    monkeypatch.setattr(ports, "_reserve", lambda *_: True)
    assert choose(tmp_path / "ports.json", pytest.fail) == Ports(simulator=8410, web=8420, airflow=8430)


def test_only_the_ports_of_the_wanted_servers_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    monkeypatch.setattr(ports, "_is_free", lambda port: looked_at.append(port) or True)
    monkeypatch.setattr(ports, "_reserve", lambda *_: True)
    memory = tmp_path / "ports.json"

    assert choose(memory, pytest.fail, (*ports.EMBEDDED, "aws")) == Ports()

    assert looked_at == [8410, 8420, 8430, 8440]
    assert ports.remembered(memory) == Ports()


def test_two_systems_choose_different_ports_before_either_listens(tmp_path: Path) -> None:
    port = free_port()
    memories = [tmp_path / "one.json", tmp_path / "other.json"]
    for memory in memories:
        remember(memory, port, port + 20, port + 40)

    with (
        Ports.reserved(memories[0], lambda _: None) as first,
        Ports.reserved(memories[1], lambda _: None) as second,
    ):
        chosen = [getattr(each, server) for each in (first, second) for server in ports.EMBEDDED]

    assert len(set(chosen)) == 6
