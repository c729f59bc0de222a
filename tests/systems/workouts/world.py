"""The system workouts on real servers: a transaction of its own for every test, taken back."""

from typing import Any
from uuid import UUID

from systems.owner import Owner
from systems.plans import queries_of
from systems.system import System

TABLES = (
    "users",
    "magic_links",
    "password_resets",
    "sessions",
    "invites",
    "exercises",
    "workout_templates",
    "workout_template_exercises",
    "workout_sessions",
    "workout_session_exercises",
    "workout_sets",
    "max_lifts",
    "scheduled_workouts",
    "import_jobs",
)
ASKING = "5afe0000-0000-4000-8000-000000000042"
"""The user who asks in queries/."""

OURS = System("workouts", TABLES, is_shared=True)
SYSTEM = OURS.folder
SEED = OURS.seed
described = OURS.described
build = OURS.migrate


def statement(name: str, **values: object) -> str:
    """The statement of a query file, with other values in the place of its own."""
    text = queries_of(OURS)[name].text
    own = {
        "user": f"'{ASKING}'",
        "start": "date '2025-03-01'",
        "end": "date '2025-03-31'",
        "entry": "'5afe0004-0000-4000-8000-000000000041'",
        "session": "'5afe0002-0000-4000-8000-000000000041'",
        "since": "null::date",
        "until": "date '2025-12-31'",
    }
    for key, value in values.items():
        assert own[key] in text
        cast = "date " if "date" in own[key] else ""
        text = text.replace(own[key], "null::date" if value is None else f"{cast}'{value}'")
    return text


class Database(Owner):
    """A connection as the owner."""

    def user(self, name: str, **values: object) -> UUID:
        """Make a user."""
        values = {"email": f"{name}@example.test", "display_name": name.title()} | values
        return self.insert("users", **values)

    def template(self, user: UUID, name: str, **values: object) -> UUID:
        """Make a template."""
        return self.insert("workout_templates", user_id=user, name=name, **values)

    def workout(self, user: UUID, started_at: object, **values: object) -> UUID:
        """Make a session that is done."""
        values = {"status": "completed", "name": "Workout"} | values
        return self.insert("workout_sessions", user_id=user, started_at=started_at, **values)

    def entry(self, user: UUID, day: object, **values: object) -> UUID:
        """Make an entry of the calendar."""
        return self.insert("scheduled_workouts", user_id=user, scheduled_date=day, **values)

    def squat(self) -> UUID:
        """An exercise of the system."""
        return self.value("select id from public.exercises where slug = 'squat'")


class Person:
    """A user with one row in every table, but for the exercise of the system that is used."""

    def __init__(self, db: Database, name: str) -> None:
        self.id = user = db.user(name)
        own = db.insert(
            "exercises", name=f"Lift of {name}", is_system_exercise=False, created_by=user
        )
        template = db.template(user, "Leg day")
        workout = db.workout(user, "2026-01-05 18:00", template_id=template)
        done = db.insert(
            "workout_session_exercises",
            session_id=workout,
            exercise_id=db.squat(),
            exercise_name="Squat",
            order_index=0,
        )
        self.rows: dict[str, Any] = {
            "users": user,
            "magic_links": db.insert(
                "magic_links", email=f"{name}@example.test", token=f"link {name}", expires_at="now"
            ),
            "password_resets": db.insert(
                "password_resets", user_id=user, token=f"reset {name}", expires_at="now"
            ),
            "sessions": db.insert(
                "sessions", user_id=user, token=f"session {name}", expires_at="now"
            ),
            "invites": db.insert("invites", code=f"INVITE {name}", created_by=user),
            "exercises": own,
            "workout_templates": template,
            "workout_template_exercises": db.insert(
                "workout_template_exercises",
                template_id=template,
                exercise_id=db.squat(),
                order_index=0,
            ),
            "workout_sessions": workout,
            "workout_session_exercises": done,
            "workout_sets": db.insert("workout_sets", session_exercise_id=done, set_number=1),
            "max_lifts": db.insert(
                "max_lifts",
                user_id=user,
                exercise_id=db.squat(),
                weight=100,
                unit="kg",
                achieved_at="2026-01-05 18:10",
            ),
            "scheduled_workouts": db.entry(user, "2026-01-05", template_id=template),
            "import_jobs": db.insert("import_jobs", user_id=user),
        }
