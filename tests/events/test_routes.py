from events import DRAIN, QUEUES, TYPES
from events.routes import To


def test_type_of_an_event_is_the_name_of_its_class():
    assert all(kind.__name__ == name for name, kind in TYPES.items())


def test_queues_are_those_that_routes_lead_to():
    assert QUEUES == ("realtime", "score", "sync")
    assert To("score", "drain_behaviour") == DRAIN
