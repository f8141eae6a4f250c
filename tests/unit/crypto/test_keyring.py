"""Keys that sign and decrypt: states, rotation, permissions, passphrase, the folder watched (OPS-4)."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from idp.crypto.keyring import DecryptionKey, KeyFolder, KeyringError, KeyState
from tests.support.clock import A_MONDAY_MORNING as NOW

if TYPE_CHECKING:
    from pathlib import Path

TWO_HOURS = timedelta(hours=2)


class Seconds:
    """Counts seconds, as many as it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Say how many."""
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    """Seconds that the test counts."""
    return Seconds()


@pytest.fixture
def folder(tmp_path: Path, seconds: Seconds) -> KeyFolder:
    """A folder with one ES256 key."""
    made = KeyFolder(tmp_path / "keys", None, seconds)
    made.initialise(("ES256",), NOW)
    return made


def states(folder: KeyFolder, seconds: Seconds) -> list[KeyState]:
    """Read the state of each key, a second later."""
    seconds.now += 1
    return sorted(key.state for key in folder.keyring().keys)


@pytest.mark.rule("OPS-4")
def test_first_start_makes_what_is_missing_and_nothing_twice(folder: KeyFolder, seconds: Seconds) -> None:
    """Root secret and keys, private to their owner."""
    before = folder.derivation().key("csrf")
    folder.initialise(("ES256", "EdDSA"), NOW)

    assert folder.derivation().key("csrf") == before
    assert states(folder, seconds) == [KeyState.ACTIVE, KeyState.ACTIVE]
    assert folder.keyring().algorithms() == ("ES256", "EdDSA")
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.path.iterdir() if file.suffix != ".json"} == {
        0o600
    }


@pytest.mark.rule("OPS-4")
def test_rotation_takes_two_steps_and_the_time_between(folder: KeyFolder, seconds: Seconds) -> None:
    """A key is published for two hours before it signs; the one before stays published."""
    first = folder.keyring().signing_key("ES256").kid

    (following,) = folder.rotate("ES256", NOW, minimum_age=TWO_HOURS)
    assert following.state is KeyState.NEXT
    assert states(folder, seconds) == [KeyState.ACTIVE, KeyState.NEXT]
    assert len(folder.keyring().jwks()["keys"]) == 2
    assert folder.keyring().signing_key("ES256").kid == first
    with pytest.raises(KeyringError, match="too lately"):
        folder.rotate("ES256", NOW + timedelta(minutes=119), minimum_age=TWO_HOURS)
    folder.rotate("ES256", NOW + TWO_HOURS, minimum_age=TWO_HOURS)

    assert states(folder, seconds) == [KeyState.ACTIVE, KeyState.NEXT, KeyState.RETIRED]
    assert folder.keyring().signing_key("ES256").kid == following.kid
    assert first in folder.keyring().public_keys()


@pytest.mark.rule("OPS-4")
def test_rotation_in_an_emergency_does_not_wait(folder: KeyFolder, seconds: Seconds) -> None:
    """A compromised key is replaced at once."""
    first = folder.keyring().signing_key("ES256").kid
    folder.rotate("ES256", NOW, minimum_age=TWO_HOURS)

    folder.rotate("ES256", NOW, minimum_age=TWO_HOURS, force=True)

    seconds.now += 1
    assert folder.keyring().signing_key("ES256").kid != first


@pytest.mark.rule("OPS-4")
def test_key_is_removed_when_its_tokens_are_dead(folder: KeyFolder, seconds: Seconds) -> None:
    """Neither the one that signs, nor one whose tokens live."""
    first = folder.keyring().signing_key("ES256").kid
    lifetime = timedelta(minutes=5)
    with pytest.raises(KeyringError, match="rotate first"):
        folder.retire(first, NOW, token_lifetime=lifetime)
    with pytest.raises(KeyringError, match="no key"):
        folder.retire("nobody", NOW, token_lifetime=lifetime)
    folder.rotate("ES256", NOW, minimum_age=TWO_HOURS)
    folder.rotate("ES256", NOW, minimum_age=TWO_HOURS, force=True)
    with pytest.raises(KeyringError, match="live until"):
        folder.retire(first, NOW + timedelta(minutes=4), token_lifetime=lifetime)

    folder.retire(first, NOW + lifetime, token_lifetime=lifetime)

    assert states(folder, seconds) == [KeyState.ACTIVE, KeyState.NEXT]
    assert first not in folder.keyring().public_keys()


@pytest.mark.rule("OPS-4")
def test_reader_in_the_middle_of_a_rotation_always_finds_a_key_that_signs(
    folder: KeyFolder, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each file that a rotation writes, another process could read the folder."""
    folder.rotate("ES256", NOW, minimum_age=TWO_HOURS)
    found: list[str] = []
    write = folder._describe  # noqa: SLF001 - the seam between two files is inside

    def write_and_read(key: Any) -> None:
        write(key)
        found.append(KeyFolder(folder.path, None, Seconds()).keyring().signing_key("ES256").kid)

    monkeypatch.setattr(folder, "_describe", write_and_read)
    folder.rotate("ES256", NOW + TWO_HOURS, minimum_age=TWO_HOURS)

    assert len(found) == 3
    assert states(folder, seconds)


@pytest.mark.rule("OPS-4")
def test_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """At the start, with what to do about it; the root secret too."""
    made = KeyFolder(tmp_path, None, Seconds())
    made.initialise(("ES256",), NOW)
    (pem,) = tmp_path.glob("*.pem")

    pem.chmod(0o640)
    with pytest.raises(KeyringError, match="chmod 600"):
        KeyFolder(tmp_path, None, Seconds()).keyring()
    pem.chmod(0o600)
    (tmp_path / "root.secret").chmod(0o604)
    with pytest.raises(KeyringError, match="chmod 600"):
        made.derivation()


@pytest.mark.rule("OPS-4")
def test_passphrase_keeps_the_private_files(tmp_path: Path) -> None:
    """Without it, or with another, the keys can't be read, and the error says so."""
    KeyFolder(tmp_path, b"right", Seconds()).initialise(("ES256", "EdDSA"), NOW)

    assert b"ENCRYPTED" in next(tmp_path.glob("*.pem")).read_bytes()
    assert len(KeyFolder(tmp_path, b"right", Seconds()).keyring().keys) == 2
    for wrong in (b"wrong", None):
        with pytest.raises(KeyringError, match="passphrase"):
            KeyFolder(tmp_path, wrong, Seconds()).keyring()


@pytest.mark.rule("OPS-4")
def test_root_secret_that_is_missing_says_what_to_do(tmp_path: Path) -> None:
    """It is never made anew by mistake: every pairwise subject would change."""
    with pytest.raises(KeyringError, match="restore it"):
        KeyFolder(tmp_path, None, Seconds()).derivation()


@pytest.mark.rule("OPS-4")
def test_change_of_the_folder_is_noticed_within_a_second(folder: KeyFolder, seconds: Seconds) -> None:
    """And the folder is looked at no more often."""
    before = folder.keyring()
    other = KeyFolder(folder.path, None, Seconds())
    other.rotate("ES256", NOW, minimum_age=TWO_HOURS)

    seconds.now += 0.9
    assert folder.keyring() is before
    seconds.now += 0.1
    assert len(folder.keyring().keys) == 2
    seconds.now += 1
    assert folder.keyring() is folder.keyring()


@pytest.mark.rule("OPS-4")
@pytest.mark.parametrize("trouble", ["gone", "half written", "private no more", "without its private file"])
def test_trouble_in_the_folder_leaves_a_server_with_its_keys(
    folder: KeyFolder, seconds: Seconds, trouble: str
) -> None:
    """A folder that is away for a while stops nobody who has read it; and is read again when it is back."""
    before = folder.keyring()
    away = folder.path.with_name("away")
    (pem,) = folder.path.glob("*.pem")
    (description,) = folder.path.glob("*.json")
    content = description.read_text()
    if trouble == "gone":
        folder.path.rename(away)
    elif trouble == "half written":
        description.write_text(content[:20])
    elif trouble == "private no more":
        pem.chmod(0o644)
        description.write_text(content)
    else:
        pem.rename(pem.with_suffix(".away"))
        description.write_text(content)

    seconds.now += 1
    assert folder.keyring() is before
    if trouble == "gone":
        away.rename(folder.path)
    elif trouble == "without its private file":
        pem.with_suffix(".away").rename(pem)
    pem.chmod(0o600)
    description.write_text(content)
    seconds.now += 1

    assert folder.keyring().signing_key("ES256").kid == before.signing_key("ES256").kid


@pytest.mark.rule("OPS-4")
def test_whoever_comes_during_the_first_reading_waits_for_it(folder: KeyFolder) -> None:
    """Sixteen requests at the start of a server: none is told that there is no key."""
    for _ in range(10):
        fresh = KeyFolder(folder.path, None, Seconds())
        start = threading.Barrier(16)
        found: list[int] = []

        def look(
            fresh: KeyFolder = fresh, start: threading.Barrier = start, found: list[int] = found
        ) -> None:
            start.wait()
            found.append(len(fresh.keyring().keys))

        threads = [threading.Thread(target=look) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [1] * 16


def test_algorithm_without_a_key_says_how_to_make_one(folder: KeyFolder) -> None:
    """An administrator reads the command."""
    with pytest.raises(KeyringError, match="idp keys rotate --alg RS256"):
        folder.keyring().signing_key("RS256")
    with pytest.raises(KeyringError, match="no such algorithm"):
        folder.add("HS256", KeyState.NEXT, NOW)


def test_published_key_has_no_private_member(tmp_path: Path) -> None:
    """Whatever the kind."""
    made = KeyFolder(tmp_path, None, Seconds())
    made.initialise(("ES256", "EdDSA", "PS256"), NOW)

    published = json.loads(json.dumps(made.keyring().jwks()))["keys"]

    assert {key["kty"] for key in published} == {"EC", "OKP", "RSA"}
    assert not any({"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys() for key in published)
    assert all(key["use"] == "sig" and key["kid"] and key["alg"] for key in published)


@pytest.fixture
def both(tmp_path: Path, seconds: Seconds) -> KeyFolder:
    """A folder with a key that signs and one that decrypts, on one curve."""
    made = KeyFolder(tmp_path / "both", None, seconds)
    made.initialise(("ES256", "ECDH-ES"), NOW)
    return made


def published(folder: KeyFolder, use: str) -> list[str]:
    """Name the published keys of a use."""
    return [key["kid"] for key in folder.keyring().jwks()["keys"] if key["use"] == use]


@pytest.mark.rule("OPS-4")
@pytest.mark.spec("RFC 7517", "4.2", "MUST")
def test_key_that_decrypts_never_signs_nor_verifies(both: KeyFolder) -> None:
    """Though it could: a message made for one use is never taken for another."""
    keyring = both.keyring()
    (decrypts,) = keyring.decryption_keys()

    assert keyring.algorithms() == ("ES256",)
    assert keyring.encryption_algorithms() == ("ECDH-ES",)
    assert decrypts.kid not in keyring.public_keys()
    assert len(keyring.public_keys()) == 1
    assert keyring.signing_key("ES256").kid != decrypts.kid
    with pytest.raises(KeyringError):
        keyring.signing_key("ECDH-ES")


@pytest.mark.rule("OPS-4")
def test_key_that_decrypts_is_published_for_that_use_alone(both: KeyFolder) -> None:
    """`use` and `alg` tell clients which one to take."""
    jwks = {key["use"]: key for key in both.keyring().jwks()["keys"]}

    assert jwks["enc"]["alg"] == "ECDH-ES"
    assert jwks["sig"]["alg"] == "ES256"
    assert jwks["enc"]["x"] != jwks["sig"]["x"]
    assert "d" not in jwks["enc"]


@pytest.mark.rule("OPS-4")
def test_clients_encrypt_to_the_active_key_and_every_key_decrypts(both: KeyFolder, seconds: Seconds) -> None:
    """The next one lies ready on each node; the one before serves who read the key set a while ago."""
    (first,) = published(both, "enc")

    (following,) = both.rotate("ECDH-ES", NOW, minimum_age=TWO_HOURS)
    seconds.now += 1
    assert published(both, "enc") == [first]
    assert {key.kid for key in both.keyring().decryption_keys()} == {first, following.kid}
    both.rotate("ECDH-ES", NOW + TWO_HOURS, minimum_age=TWO_HOURS)
    seconds.now += 1

    assert published(both, "enc") == [following.kid]
    assert sorted(key.state for key in both.keyring().decryption_keys()) == ["active", "next", "retired"]
    assert len(published(both, "sig")) == 1
    both.retire(first, NOW + 2 * TWO_HOURS, token_lifetime=TWO_HOURS)
    seconds.now += 1
    assert first not in {key.kid for key in both.keyring().decryption_keys()}


@pytest.mark.rule("OPS-4")
def test_folder_of_before_gets_keys_that_decrypt_and_keeps_its_own(
    folder: KeyFolder, seconds: Seconds
) -> None:
    """`idp keys init` and a start with --upgrade make what is missing."""
    before = folder.keyring().signing_key("ES256").kid

    folder.initialise(("ES256", "ECDH-ES", "RSA-OAEP-256"), NOW)

    seconds.now += 1
    assert folder.keyring().signing_key("ES256").kid == before
    assert folder.keyring().encryption_algorithms() == ("ECDH-ES", "RSA-OAEP-256")
    assert all(isinstance(key, DecryptionKey) for key in folder.keyring().decryption_keys())


@pytest.mark.rule("OPS-4")
@pytest.mark.parametrize(
    "private_key", [ed25519.Ed25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()]
)
def test_key_that_decrypts_is_of_a_kind_that_can(tmp_path: Path, private_key: Any) -> None:
    """A key that can't do what its description says is refused at the start."""
    KeyFolder(tmp_path, None, Seconds()).initialise(("ECDH-ES",), NOW)
    (pem,) = tmp_path.glob("*.pem")
    pem.write_bytes(private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    with pytest.raises(KeyringError, match="another kind"):
        KeyFolder(tmp_path, None, Seconds()).keyring()
