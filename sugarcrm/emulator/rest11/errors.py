"""The errors that the server answers with: HTTP status, label and message."""

from typing import Any


class ApiError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, label: str, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"error": label, "error_message": message} | extra
        self.headers: dict[str, str] = {}


def incorrect_version(version: str) -> ApiError:
    """Give status 301 without a Location: it is no redirect."""
    return ApiError(301, "incorrect_version", f"The API version {version} is not served here.")


def need_login(message: str = "No valid authentication for user.") -> ApiError:
    return ApiError(401, "need_login", message)


def invalid_grant(message: str = "The access token provided is invalid.") -> ApiError:
    return ApiError(401, "invalid_grant", message)


def not_authorized(action: str, module: str) -> ApiError:
    text = f"You are not authorized to {action} {module}. Contact your administrator."
    return ApiError(403, "not_authorized", text)


def no_method(method: str, path: str) -> ApiError:
    return ApiError(404, "no_method", f"Could not find any route that accepted {method} {path}")


def not_found(record_id: str, module: str) -> ApiError:
    return ApiError(404, "not_found", f"Could not find record: {record_id} in module: {module}")


def no_link(name: str) -> ApiError:
    return ApiError(404, "not_found", f"Could not find a relationship named: {name}")


def edit_conflict(record: dict[str, Any]) -> ApiError:
    """Refuse an outdated edit; the answer holds the record as it is now."""
    text = "Edit conflict, please reload the record data."
    return ApiError(409, "edit_conflict", text, record=record)


def metadata_out_of_date() -> ApiError:
    return ApiError(412, "metadata_out_of_date", "The metadata hash does not match.")


def too_large(limit_bytes: int) -> ApiError:
    return ApiError(413, "request_too_large", f"The request is larger than {limit_bytes} bytes.")


def missing_parameter(name: str) -> ApiError:
    return ApiError(422, "missing_parameter", f"Missing parameter: {name}")


def invalid_parameter(message: str) -> ApiError:
    return ApiError(422, "invalid_parameter", message)


def request_failure(message: str) -> ApiError:
    return ApiError(424, "request_failure", message)
