"""The system monthly_planner on real servers: a database of its own for every test."""

from systems.owner import Owner
from systems.system import System

TABLES = (
    "users",
    "user_goals_and_preferences",
    "generation_quota",
    "monthly_plans",
    "plan_tasks",
    "user_activity_history",
    "user_productivity_insights",
)

OURS = System("monthly_planner", TABLES)
SYSTEM = OURS.folder
SEED = OURS.seed
blocks = OURS.blocks
described = OURS.described
build = OURS.migrate


Database = Owner


class Person:
    """A user with one row in every table."""

    def __init__(self, db: Database, name: str) -> None:
        user = db.insert("users", name=name.title(), email=f"{name}@example.test")
        preference = db.insert(
            "user_goals_and_preferences",
            user_id=user,
            goals_text="Run",
            task_complexity="Balanced",
            focus_areas="Health",
            weekend_preference="Mixed",
            fixed_commitments_json='{"commitments": []}',
        )
        quota = db.insert(
            "generation_quota",
            user_id=user,
            month_year="2026-01-01",
            total_allowed=3,
            resets_on="2026-02-01",
        )
        plan = db.insert(
            "monthly_plans",
            user_id=user,
            preference_id=preference,
            month_year="2026-01-01",
            ai_prompt="Plan January",
            ai_response_raw="{}",
        )
        task = db.insert(
            "plan_tasks",
            plan_id=plan,
            task_description="Run 5 km",
            focus_area="Health",
            start_time="2026-01-05 07:00",
            end_time="2026-01-05 08:00",
        )
        entry = db.insert("user_activity_history", user_id=user, task_id=task, was_completed=True)
        insight = db.insert(
            "user_productivity_insights",
            user_id=user,
            insight_type="PeakEnergy",
            insight_value_json='{"peakHours": "9:00-11:00"}',
        )
        self.id = user
        self.rows = dict(
            zip(TABLES, (user, preference, quota, plan, task, entry, insight), strict=True)
        )
