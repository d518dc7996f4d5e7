"""Ports: free ones, and who holds one."""

from __future__ import annotations

import os
import socket

from inferometer.monitoring.stack.ports import free_ports, holder, is_free


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    assert all(is_free(port) for port in ports)


def test_the_holder_of_a_port_is_named() -> None:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as server:
            server.bind((host, 0))
            server.listen()
            port = server.getsockname()[1]
            assert f"(pid {os.getpid()})" in holder(port)
            assert is_free(port) is (family == socket.AF_INET6)


def test_a_port_that_nobody_holds() -> None:
    (port,) = free_ports(1)
    assert holder(port) == "unknown"
