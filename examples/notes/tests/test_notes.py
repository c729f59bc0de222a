from pgvouch.testing.ready_made import (  # noqa: F401
    test_each_migration_goes_up_back_and_up_again,
    test_every_promise_holds,
)


def test_a_note_is_its_writer_s(client):
    said = {"body": "Milk"}
    assert client.post("/notes", json=said).status_code == 403
    assert client.post("/notes", json={"body": " "}, headers={"X-Caller": "ann"}).status_code == 400
    written = client.post("/notes", json=said, headers={"X-Caller": "ann"}).json
    assert (written["owner"], written["visibility"]) == ("ann", "private")
    assert client.get("/notes", headers={"X-Caller": "ann"}).json == {"notes": [written]}
    assert client.get("/notes", headers={"X-Caller": "bob"}).json == {"notes": []}


def test_what_was_archived_before_the_column_is_not(migrated_to):
    database = migrated_to("002")
    with database.connect() as connection:
        connection.execute("insert into notes (owner, body) values ('ann', 'Milk')")
        database.migrate(to="003")
        assert connection.execute("select archived from notes").fetchall() == [(False,)]
