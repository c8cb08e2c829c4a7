"""Fixtures of the integration tests."""

from support.fixtures import (_shared_town, broker, broker_factory,  # noqa: F401
                              config_dirs, town, town_factory)
