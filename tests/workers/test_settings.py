import pytest
from cryptography.fernet import Fernet

from workers.settings import Settings, SettingsError, load, shown

KEY = Fernet.generate_key().decode()


def test_nothing_set_gives_the_defaults(tmp_path):
    assert load({"SUGARLOOP_HOME": str(tmp_path)}) == Settings(home=str(tmp_path))


def test_text_becomes_the_type_of_its_setting(tmp_path):
    settings = load(
        {
            "REDIS_URL": "rediss://cache.example.com:6380/2",
            "SUGARLOOP_HOME": str(tmp_path),
            "SUGARLOOP_WEB_PORT": "9000",
            "SUGARLOOP_HEARTBEAT_S": "17.5",
            "SUGARLOOP_ALLOW_INSECURE_CRM": "true",
            "SUGARLOOP_KEY": f"{KEY}, {KEY}",
        }
    )

    assert settings.redis_url == "rediss://cache.example.com:6380/2"
    assert settings.web_port == 9000
    assert settings.heartbeat_s == 17.5
    assert settings.allow_insecure_crm is True
    assert settings.keys == (KEY, KEY)


def test_every_error_is_reported_at_once(tmp_path):
    environ = {
        "SUGARLOOP_HOME": str(tmp_path),
        "SUGARLOOP_WEB_PORT": "http",
        "SUGARLOOP_LOG_LEVEL": "loud",
        "SUGARLOOP_HEARTBEATS": "3",
        "SUGARLOOP_CRM_DEADLINE_S": "20",
        "SUGARLOOP_DEFAULT_ZONE": "Paris",
        "REDIS_URL": "http://127.0.0.1",
    }

    with pytest.raises(SettingsError) as caught:
        load(environ)

    report = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 6
    assert "SUGARLOOP_HEARTBEATS: unknown; did you mean SUGARLOOP_HEARTBEAT_S?" in report
    assert "SUGARLOOP_WEB_PORT: expected `int`, got `str` (it is 'http')" in report
    assert "SUGARLOOP_LOG_LEVEL: invalid enum value 'loud'" in report
    assert "SUGARLOOP_CRM_DEADLINE_S (20) must be less than SUGARLOOP_LEASE_S (15)" in report
    assert "SUGARLOOP_DEFAULT_ZONE: 'Paris' is not an IANA time zone" in report
    assert "REDIS_URL: must begin with redis://" in report


def test_secrets_are_in_no_error_and_in_no_listing(tmp_path):
    environ = {"SUGARLOOP_HOME": str(tmp_path), "REDIS_URL": "redis://:canary-1@h/0"}

    with pytest.raises(SettingsError) as caught:
        load(environ | {"SUGARLOOP_KEY": "canary-2", "REDIS_URL": "canary-3"})

    assert "canary" not in str(caught.value)
    listing = shown(load(environ | {"SUGARLOOP_KEY": KEY}))
    assert "canary" not in str(listing)
    assert KEY not in str(listing)
    assert listing["REDIS_URL"] == "redis://***@h/0"


@pytest.mark.parametrize(
    ("url", "listed"),
    [
        pytest.param("redis://h/0?password=canary", "redis://h/0?password=***", id="an option"),
        pytest.param(
            "rediss://h/0?db=1&p%61ssword=canary&socket_timeout=5",
            "rediss://h/0?db=1&p%61ssword=***&socket_timeout=5",
            id="an option that is spelled otherwise, among others",
        ),
        pytest.param("unix:///s?password=canary", "unix:///s?password=***", id="a socket"),
        pytest.param(
            "redis://u:canary@h/0?ssl_password=canary",
            "redis://***@h/0?ssl_password=***",
            id="both",
        ),
        pytest.param("redis://h/0?password=a@canary", "redis://***", id="with @ in it"),
        pytest.param("redis://:canary?canary@h/0", "redis://***", id="with ? in it"),
        pytest.param("redis://h/0?canary", "redis://h/0?***", id="nothing that is known"),
        pytest.param("redis://h:7/0?db=1", "redis://h:7/0?db=1", id="none"),
        pytest.param("unix:///s", "unix:///s", id="none, and a socket"),
    ],
)
def test_a_password_of_redis_is_masked_wherever_it_stands(tmp_path, url, listed):
    settings = load({"SUGARLOOP_HOME": str(tmp_path), "REDIS_URL": url})

    assert shown(settings)["REDIS_URL"] == listed


@pytest.mark.parametrize(
    ("file", "named"),
    [
        pytest.param("keys", "SUGARLOOP_KEY_FILE", id="a key file"),
        pytest.param("key", "SUGARLOOP_HOME", id="the key of a local installation"),
        pytest.param("redis.url", "SUGARLOOP_HOME", id="the address of one"),
    ],
)
def test_a_file_that_is_no_text_is_named_by_its_variable(tmp_path, file, named):
    (tmp_path / file).write_bytes(b"\xff\xfe canary")
    environ = {"SUGARLOOP_HOME": str(tmp_path)}
    if file == "keys":
        environ["SUGARLOOP_KEY_FILE"] = str(tmp_path / file)

    with pytest.raises(SettingsError, match=f"^{named}.*cannot be read, as it is not text"):
        load(environ)


def test_a_key_file_is_read_and_a_missing_one_is_an_error(tmp_path):
    (tmp_path / "keys").write_text(f"{KEY}\n{KEY}\n")
    environ = {"SUGARLOOP_HOME": str(tmp_path)}

    assert load(environ | {"SUGARLOOP_KEY_FILE": str(tmp_path / "keys")}).keys == (KEY, KEY)
    with pytest.raises(SettingsError, match="SUGARLOOP_KEY_FILE: cannot be read"):
        load(environ | {"SUGARLOOP_KEY_FILE": str(tmp_path / "none")})


def test_a_local_installation_fills_the_gaps_only(tmp_path):
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "redis.url").write_text("redis://127.0.0.1:7777/0\n")
    environ = {"SUGARLOOP_HOME": str(tmp_path)}

    assert load(environ).redis_url == "redis://127.0.0.1:7777/0"
    assert load(environ).keys == (KEY,)
    assert load(environ | {"REDIS_URL": "redis://other/0"}).redis_url == "redis://other/0"
