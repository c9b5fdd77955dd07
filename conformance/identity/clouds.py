"""Clouds as their users describe them: clouds.yaml with secure.yaml, or the OS_ variables.

Reads files and the environment with openstacksdk, and sends nothing. What cannot be used is a :class:`ValueError`
that says what was expected and repeats no secret.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance import yaml_input

SERVICES = ("compute", "network")
NEEDED = ("keystoneauth1", "openstack")
"""What the extra ``openstack`` installs."""

SECRET = re.compile(r"password|secret|key$|token|passcode|credential$|^code$|assertion")
"""Names of options whose values are shown nowhere. Plugins mark some of theirs as secret, but not all do."""

HINT = "rackspace_apikey and its like come with the extra rackspace: python3 -m pip install '.[rackspace]'"

SHAPE = "a mapping in YAML with the key clouds"

SELECTORS = frozenset({"OS_CLOUD", "OS_REGION_NAME", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"})
"""Variables that choose, but say nothing of how to authenticate."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Files for connections: the authority's certificates, and the certificate to show with its key."""

    ca: str | None = None
    client_cert: str | None = None
    client_key: str | None = None

    @property
    def verify(self) -> str | bool:
        """As ``requests`` wants it: True for the authorities that this machine knows."""
        return self.ca or True

    @property
    def cert(self) -> str | tuple[str, str] | None:
        """As ``requests`` wants it."""
        return (self.client_cert, self.client_key) if self.client_cert and self.client_key else self.client_cert

    def completed_by(self, other: Tls) -> Tls:
        """These files, and the other's where there is none."""
        shown = self if self.client_cert else other
        return Tls(self.ca or other.ca, shown.client_cert, shown.client_key)


@dataclass(frozen=True, slots=True)
class Cloud:
    """A way to authenticate with an identity service, and which part of its catalogue is meant.

    Attributes:
        words: what messages call it.
        plugin: keystoneauth's name of the way to authenticate.
        options: what that plugin is told, secrets included.
        region: None when the catalogue's only one is meant.
        endpoints: service type -> URL that the configuration states in place of the catalogue.
        tls: files for connections to the identity service.
    """

    words: str
    plugin: str
    options: Mapping[str, Any] = field(repr=False)
    region: str | None = None
    interface: str = "public"
    endpoints: Mapping[str, str] = field(default_factory=dict)
    tls: Tls = field(default_factory=Tls)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no output may show."""
        return tuple(str(value) for name, value in self.options.items() if value and SECRET.search(name))


def named(name: str, environment: Mapping[str, str], region: str | None = None) -> Cloud:
    """The cloud of that name in clouds.yaml, with what secure.yaml adds to it.

    Both are looked for where the openstack command looks: in the places that OS_CLIENT_CONFIG_FILE and
    OS_CLIENT_SECURE_FILE name, the working directory, the user's and the machine's configuration.

    Raises:
        ValueError: there is no such cloud, or it cannot be used.
    """
    loader = _loader()
    config_files = [*_file(environment, "OS_CLIENT_CONFIG_FILE"), *loader.CONFIG_FILES]
    secure_files = [*_file(environment, "OS_CLIENT_SECURE_FILE"), *loader.SECURE_FILES]
    _check([*config_files, *secure_files, *loader.VENDOR_FILES])
    config = _configuration(config_files=config_files, secure_files=secure_files, load_envvars=False)
    known = sorted(set(config.get_cloud_names()) - {"defaults"})
    if config.config_filename is None:
        raise ValueError("no clouds.yaml was found; expected one in a usual place, or named by OS_CLIENT_CONFIG_FILE")
    if name not in known:
        there = ", ".join(known) or "none"
        raise ValueError(f"{config.config_filename} has no cloud of that name; expected one of those it has: {there}")
    return _cloud(config, f"the cloud {name}", name, region)


def from_variables(environment: Mapping[str, str], region: str | None = None) -> Cloud:
    """The cloud that the OS_ variables describe, as an openrc file sets them; OS_CLOUD names one in clouds.yaml.

    Raises:
        ValueError: they describe none.
    """
    if name := environment.get("OS_CLOUD"):
        return named(name, environment, region or environment.get("OS_REGION_NAME"))
    if not {variable for variable in environment if variable.startswith("OS_")} - SELECTORS:
        raise ValueError("no OS_ variables are set; expected OS_AUTH_URL and the others of an openrc file, or OS_CLOUD")
    return _cloud(_configuration(load_yaml_config=False), "the OS_ variables", None, region)


def _loader() -> Any:
    missing = [package for package in NEEDED if importlib.util.find_spec(package) is None]
    if missing:
        raise ValueError(
            "openstacksdk is not installed, which reads clouds; expected the extra openstack: "
            "python3 -m pip install 'ip-association-conformance[openstack]', in a checkout '.[openstack]'"
        )
    return importlib.import_module("openstack.config.loader")


def _file(environment: Mapping[str, str], variable: str) -> list[str]:
    return [environment[variable]] if environment.get(variable) else []


def _check(files: Iterable[str]) -> None:
    """Make sure of the files that the library reads, those of them that exist: it takes what has no end.

    Raises:
        ValueError: one is no regular file of a sane size; it is named.
    """
    for file in files:
        try:
            if os.path.exists(file):  # noqa: PTH110  # it raises nothing, whatever the name
                yaml_input.check_bounded(Path(file))
        except PermissionError:  # the library passes over it
            continue
        except OSError as error:
            raise ValueError(f"{file} cannot be read ({error.strerror}); expected {SHAPE}") from None
        except ValueError as error:
            raise ValueError(f"{file} cannot be used ({error}); expected {SHAPE}") from None


def _configuration(**settings: Any) -> Any:
    from openstack import exceptions  # noqa: PLC0415  # an extra of the package

    try:
        with _quiet() as skipped:
            found = _loader().OpenStackConfig(**settings)
    except exceptions.ConfigException as error:
        raise ValueError(f"the configuration of clouds is wrong: {_said(error)}") from None
    except Exception as error:  # noqa: BLE001  # the files are read with whatever PyYAML and the file system raise
        raise ValueError(f"the configuration of clouds is wrong ({type(error).__name__}); expected {SHAPE}") from None
    if skipped:
        raise ValueError(f"{', '.join(skipped)} cannot be read; expected {SHAPE}")
    return found


def _cloud(config: Any, words: str, name: str | None, region: str | None) -> Cloud:
    found = _region(config, words, name, region)
    with _quiet():
        verify, _ = found.get_requests_verify_args()
    if verify is False:
        raise ValueError(
            f"{words} switches the check of certificates off (insecure, or verify: false), and no token is sent to an "
            "unchecked host; expected its authority's certificates, named by cacert"
        )
    interface = found.get_interface() or "public"
    files = {key: found.config.get(key) for key in ("cacert", "cert", "key")}
    for key, path in files.items():
        if path and not Path(_expanded(path) or "").is_file():
            raise ValueError(f"{words} names as its {key} what is no file; expected the path of one in PEM")
    return Cloud(
        words=words,
        plugin=found.config["auth_type"],
        options={key: value for key, value in found.config["auth"].items() if value is not None},
        region=found.get_region_name() or None,
        interface=interface if isinstance(interface, str) else interface[0],
        endpoints={service: url for service in SERVICES if (url := found.get_endpoint(service))},
        tls=Tls(*(_expanded(files[key]) for key in ("cacert", "cert", "key"))),
    )


def _region(config: Any, words: str, name: str | None, region: str | None) -> Any:
    from keystoneauth1 import exceptions as refusals  # noqa: PLC0415  # an extra of the package
    from openstack import exceptions  # noqa: PLC0415

    try:
        with _quiet():
            return config.get_one(cloud=name, **({"region_name": region} if region else {}))
    except refusals.NoMatchingPlugin as error:
        said = f"{words} asks for a way to authenticate that is not installed: {_said(error)}"
        raise ValueError(f"{said}; {HINT}") from None
    except refusals.MissingRequiredOptions as error:
        missing = ", ".join(sorted(option.dest for option in error.options))
        raise ValueError(f"{words} lacks what its way to authenticate needs; expected {missing}") from None
    except (refusals.ClientException, exceptions.SDKException) as error:
        raise ValueError(f"{words} cannot be used: {_said(error)}") from None
    except Exception as error:  # noqa: BLE001  # whatever a value of a wrong type makes the libraries raise
        raise ValueError(f"{words} cannot be used ({type(error).__name__}); expected an entry of clouds.yaml") from None


@contextlib.contextmanager
def _quiet() -> Iterator[list[str]]:
    """Let openstacksdk warn and log nothing: of its own future, of what is refused here, of a file by quoting from it.

    Yields:
        the files of which it logs that they are left out.
    """
    skipped: list[str] = []

    def heard(record: logging.LogRecord) -> bool:
        skipped.extend([str(record.args[0])] if isinstance(record.args, tuple) and record.args else [])
        return False

    logger = logging.getLogger("openstack.config")
    logger.addFilter(heard)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield skipped
    finally:
        logger.removeFilter(heard)


def _expanded(path: str | None) -> str | None:
    return os.path.expanduser(path) if path else None  # noqa: PTH111  # it raises nothing where there is no home


def _said(error: Exception) -> str:
    return " ".join(str(error).split())
