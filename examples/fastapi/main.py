"""Counts visitors, in PostgreSQL; answers that it is well without it."""

import logging
import os

import psycopg
from fastapi import FastAPI

logging.basicConfig(level=os.environ.get("LOG_LEVEL", "info").upper())
log = logging.getLogger("visitors")

app = FastAPI(title="Visitors")


def database() -> psycopg.Connection:
    """Connects when somebody asks, so that the service starts before its database does."""
    connection = psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=5)
    connection.execute("CREATE TABLE IF NOT EXISTS visits (at timestamptz NOT NULL DEFAULT now())")
    return connection


@app.get("/")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/visits")
def visit() -> dict[str, int]:
    with database() as connection:
        connection.execute("INSERT INTO visits DEFAULT VALUES")
        count = connection.execute("SELECT count(*) FROM visits").fetchone()[0]
    log.info("visit %d", count)
    return {"visits": count}
