"""A stand-in for the application's own `DatabaseConfig` in the guide."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class DatabaseConfig:
    postgres_host: str
    postgres_port: int
    postgres_database: str
