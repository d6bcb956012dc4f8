"""`sugarloop keys rotate`: what is stored encrypted is opened by the newest key alone."""

from console.answers import Answer, answering, command_group
from console.key_rotation import rotate as encrypt_anew
from console.opening import opened

_NEXT = (
    "A line that was not restarted since it was given the new key can open none of this: restart"
    " it now. Once all have been, take the older keys out of SUGARLOOP_KEY, and restart them again."
)

group = command_group("The keys that passwords and secrets are encrypted with.", alone=False)


@group.callback()
def keys() -> None:
    """The keys that passwords and secrets are encrypted with."""


@group.command("rotate")
@answering
def rotate() -> Answer:
    """Encrypt everything with the first key of SUGARLOOP_KEY; restart all lines with the same
    keys before, and with that one alone afterwards.
    """
    with opened() as app:
        done = encrypt_anew(app)
    said = f"Encrypted anew: {', '.join(done)}." if done else "Nothing is stored encrypted yet."
    return Answer({"rotated": done}, (said, _NEXT))
