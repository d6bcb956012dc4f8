"""The process: reads its fixtures, makes the sample people, listens on loopback."""

import functools
from zoneinfo import ZoneInfo

import msgspec

from sugarcrm.emulator.database import Database
from sugarcrm.emulator.faults import inside
from sugarcrm.emulator.faults.board import FaultBoard
from sugarcrm.emulator.faults.layer import FaultLayer
from sugarcrm.emulator.faults.people import OtherPeople
from sugarcrm.emulator.faults.studio import Studio
from sugarcrm.emulator.journal import Journal
from sugarcrm.emulator.queries import Queries
from sugarcrm.emulator.rest11.app import RestApi, make_app
from sugarcrm.emulator.rest11.deliveries import Deliveries
from sugarcrm.emulator.rest11.editing import edit_a_record
from sugarcrm.emulator.rest11.modules import load_lists, load_modules, make_tables
from sugarcrm.emulator.rest11.profiles import PROFILES, Profile
from sugarcrm.emulator.rest11.site import Site
from sugarcrm.emulator.rest11.tokens import Tokens
from sugarcrm.emulator.seeding import seed_people
from sugarcrm.emulator.server import Options, listen
from sugarcrm.emulator.service import Service
from sugarcrm.emulator.sessions import Sessions
from sugarcrm.emulator.users import Users

NO_CUSTOM_FIELDS: dict[str, dict[str, object]] = {"fields": {}}


def build_site(options: Options, journal: Journal) -> Site:
    """Open the database, with the fixtures and the sample people in it."""
    profile = PROFILES[options.profile]
    fixtures = msgspec.json.decode(options.fixtures.read_bytes())
    schema = load_modules(fixtures.get("custom_fields", NO_CUSTOM_FIELDS))
    database = Database(options.database, schema)
    make_tables(database)
    users = Users(database, fixtures["users"], full_names=True)
    lists = load_lists()
    # the sample people are those of the older protocol, made in its tables
    board = FaultBoard(options.all_faults)
    expires = functools.partial(inside.expires, board)
    service = Service(database, schema, lists, Queries(schema), users, Sessions(expires))
    seed_people(service, options.leads, options.contacts, options.seed)
    return Site(
        profile=profile,
        database=database,
        schema=schema,
        lists=lists,
        users=users,
        zones=user_zones(fixtures["users"], profile),
        tokens=Tokens(profile.access_token_s, expires),
        faults=board,
        deliveries=Deliveries(profile.hook_delay_s, journal.write),
    )


def user_zones(users: dict[str, dict[str, str]], profile: Profile) -> dict[str, ZoneInfo]:
    """Give the time zone of each user, by user name."""
    zones = {u["user_name"]: u.get("timezone", profile.zone) for u in users.values()}
    return {name: ZoneInfo(zone) for name, zone in zones.items()}


def serve(options: Options) -> None:
    """Answer for a product from Sugar 7 on until told to stop."""
    journal = Journal(options.journal)
    site = build_site(options, journal)
    app = make_app(RestApi(site, journal, options.latency_ms / 1000))
    others = OtherPeople(functools.partial(edit_a_record, site, journal))
    site.faults.listen(others.follow)
    site.faults.listen(Studio(site.schema).follow)
    listen(FaultLayer(app, site.faults, journal), options.port)
    others.rest()
    site.database.close()
