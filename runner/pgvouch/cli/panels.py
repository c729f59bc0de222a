"""How a page of help is laid out; loaded for that page alone, with rich."""

GROUPS = {
    "Every day": (
        *("new", "plan", "migrate", "status", "verify", "rollback", "redo"),
        *("current", "history", "explain"),
    ),
    "Review and CI": ("lint", "stamp", "accept-delta", "dump", "drift", "report"),
    "Start": ("init", "adopt", "baseline", "squash", "seed"),
    "Deploy": ("wait", "entrypoint", "fleet"),
    "When something is wrong": ("accept", "repair"),
    "Other": ("server", "completion", "help"),
}
"""Every command once; what is in none is listed under another heading by itself."""


def arrange() -> None:
    """Have rich_click group the commands, and put a command's own options above the shared ones."""
    from rich_click import rich_click as settings

    settings.COMMAND_GROUPS = {
        "pgvouch": [{"name": name, "commands": list(group)} for name, group in GROUPS.items()]
    }
    # A panel that is named here comes first; what has no panel of its own goes into this one.
    settings.OPTION_GROUPS = {"*": [{"name": settings.OPTIONS_PANEL_TITLE, "options": []}]}
