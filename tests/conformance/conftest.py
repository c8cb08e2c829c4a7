"""Fixtures of the conformance tests."""

from support.fixtures import (_shared_town, broker, broker_factory,  # noqa: F401
                              config_dirs, counted, thread, town, town_factory)
