"""Days as they are written, and which one it is: the only place where consent meets a clock."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone

WEST, EAST = timedelta(hours=-12), timedelta(hours=14)  # The farthest time zones that there are.


def today() -> date:
    """The day here, by the clock and the time zone of this machine."""
    return day_of(datetime.now().astimezone())


def day_of(moment: datetime) -> date:
    """The day of a moment where it is told; no zone is farther away than any on Earth, whatever TZ says."""
    offset = moment.utcoffset() or timedelta()
    return moment.astimezone(timezone(min(max(offset, WEST), EAST))).date()


def is_day(text: object) -> bool:
    """Whether a text is a day of the calendar, as YYYY-MM-DD: two of these are in order when their texts are."""
    if not isinstance(text, str) or not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def day_before(text: str) -> str:
    """The day before a day; before the first of all, the first."""
    day = date.fromisoformat(text)
    return (day - timedelta(days=1)).isoformat() if day > date.min else text
