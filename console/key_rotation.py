"""Change the key: every secret in the store is opened with whichever fits, and closed with the
newest.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from console.exits import RefusedError
from console.sources import Sources
from workers.app import App


def rotate(app: App) -> list[str]:
    """Encrypt the password, the token, signing secrets and the list of the forgotten anew; name
    what there was.

    Raises:
        RefusedError: there is no key, or one of them opens something not; nothing is lost.
    """
    if not app.knobs.keys:
        raise RefusedError("SUGARLOOP_KEY is not set: give the new key first, then the old ones")
    box = MultiFernet([Fernet(key) for key in app.knobs.keys])

    def sealed_anew(sealed: str) -> str:
        return box.rotate(sealed.encode()).decode()

    try:
        done = [
            *(["the SugarCRM password"] if app.connector.reseal(sealed_anew) else []),
            *(f"the secret of source {name}" for name in Sources(app.client).reseal(sealed_anew)),
            *(["the list of the forgotten"] if app.suppression.rotate() else []),
        ]
    except InvalidToken:
        raise RefusedError("none of the keys in SUGARLOOP_KEY opens what is stored") from None
    return done
