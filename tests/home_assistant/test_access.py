"""Who the broker lets in: names and passwords, TLS, and what the doctor says of a broker that cannot be reached."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from app.diagnostics import run_checks
from app.diagnostics.home_assistant import check_broker
from app.home_assistant.broker import try_to_connect
from app.syncthing.checks import Check
from tests.conftest import make_services
from tests.home_assistant.conftest import linked
from tests.home_assistant.mosquitto import Mosquitto, until
from tests.web.conftest import Site
from tests.web.serving import free_port
from tests.web.test_log_streams import logging_to

PASSWORD = "CANARY-BROKER-0123"


@pytest.fixture
def guarded(tmp_path: Path) -> Mosquitto:
    """A broker that lets in who has the password."""
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "us", PASSWORD], check=True)
    return Mosquitto(tmp_path, "allow_anonymous false", f"password_file {passwords}")


@pytest.fixture
def certified(tmp_path: Path) -> Mosquitto:
    """A broker under TLS, with a certificate for 127.0.0.1 that nobody else signed."""
    command = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=broker",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    lines = (f"certfile {tmp_path / 'cert.pem'}", f"keyfile {tmp_path / 'key.pem'}")
    return Mosquitto(tmp_path, "allow_anonymous true", *lines)


def examined(base: Path, **mqtt: object) -> Check:
    services = make_services(base, mqtt={"host": "127.0.0.1", **mqtt})
    try:
        (found,) = check_broker(services)
        return found
    finally:
        services.close()


def test_the_doctor_says_nothing_of_a_broker_that_is_not_named(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    assert "mqtt" not in [check.name for check in run_checks(services)]
    services.close()


def test_the_doctor_says_that_nothing_answers(tmp_path: Path) -> None:
    port = free_port()
    found = examined(tmp_path, port=port)
    assert found.state == "warning" and "mqtt.host" in found.fix
    assert found.cause.startswith(f"No MQTT broker answers at 127.0.0.1:{port}. (")


def test_the_doctor_says_whether_the_broker_lets_us_in_and_never_the_password(
    tmp_path: Path, guarded: Mosquitto
) -> None:
    with guarded as broker:
        (tmp_path / "right").mkdir()
        (tmp_path / "wrong").mkdir()
        assert examined(tmp_path / "right", port=broker.port, username="us", password=PASSWORD).state == "ok"
        found = examined(tmp_path / "wrong", port=broker.port, username="us", password=f"{PASSWORD}x")
        assert found.state == "warning" and "ot authorized" in found.cause
        assert PASSWORD not in str(found)


def test_a_wrong_password_is_told_once_in_the_log_and_the_right_one_is_taken_up_without_a_restart(
    tmp_path: Path, guarded: Mosquitto
) -> None:
    log = tmp_path / "logs" / "worker.log"
    with guarded as broker, logging_to(log.parent, "worker"):
        site = Site(tmp_path, mqtt={"host": "127.0.0.1", "port": broker.port, "username": "us", "password": "wrong"})
        with linked(site):
            until(lambda: "cannot be reached" in log.read_text(), "the refusal is told")
            said = tmp_path / "mosquitto.log"
            until(lambda: said.read_text().count("not authorised") >= 3, "it was tried three times")
            assert log.read_text().count("cannot be reached") == 1
            site.container.store.save_partial({"mqtt": {"password": PASSWORD}}, "anna")
            until(lambda: "connected to the MQTT broker" in log.read_text(), "the link is up")
        site.container.close()


def test_under_tls_only_a_certificate_that_is_trusted_is_talked_to(tmp_path: Path, certified: Mosquitto) -> None:
    with certified as broker:
        site = Site(tmp_path, mqtt={"host": "127.0.0.1", "port": broker.port, "tls": True})
        mqtt = site.services.config.mqtt
        assert "certificate verify failed" in try_to_connect(mqtt, "doctor")
        trusting = mqtt.model_copy(update={"tls_ca_file": str(tmp_path / "cert.pem")})
        assert try_to_connect(trusting, "doctor") == ""
        elsewhere = trusting.model_copy(update={"tls_ca_file": str(tmp_path / "none.pem")})
        assert "No such file" in try_to_connect(elsewhere, "doctor")
        site.container.close()


