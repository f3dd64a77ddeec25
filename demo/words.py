"""Words that the demo says in one place and expects to hear again in another."""

A_MINUTE = 3  # calls of get_current_time
MOST = 1000  # what the agent may transfer at once

LARGE_TRANSFERS = "large transfers"
TOO_MUCH = f"Transfers above {MOST} need a person: ask treasury@shop.example."
NO_COMMITS = "Commits are made by people: open a pull request instead."

HALF_PAST_FOUR = {
    "source_timezone": "Asia/Tokyo",
    "time": "16:30",
    "target_timezone": "Asia/Kolkata",
}
