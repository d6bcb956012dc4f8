"""The names that sample people are made of; every script and sign that has made trouble."""

_FIRST_NAMES = """
Ada Ana André Asha Björn Carla Chloé Dmitri Eilidh Emeka Fatima François Giulia Hana
Hiro Ines Ivan Jürgen Kofi Lars Lena Li Luz Mateo Mia Miguel Nadia Noor Olga Omar Paolo
Priya Quinn Rosa Sami Sofia Søren Tariq Tomás Uma Vera Wei Xenia Yara Zoë
"""
FIRST_NAMES = _FIRST_NAMES.split()
_LAST_NAMES = """
Abara Andersson Bakker Bauer Berg Bianchi Brown Costa Dubois Eriksen Fernández Fischer
Garcia Gómez Haddad Hansen Hernández Ito Jansen Johnson Kaya Khan Kim Kowalski Larsen
Laurent López Martin Meyer Moreau Müller Nakamura Nguyen Novák Okafor Oliveira Owusu
Patel Petrov Quispe Rossi Santos Schmidt Silva Singh Smith Sørensen Suzuki Takahashi
Tanaka Torres Van Vargas Wagner Walker Wang Weber Yılmaz Young Zhang
"""
LAST_NAMES = _LAST_NAMES.split()
AWKWARD_LAST_NAMES = (
    "O'Brien",
    "D'Angelo-O'Neill",
    'Stone "Rocky" Hill',
    "Müller & Söhne",
    "Fish &amp; Chips",
    "Lee <Lee>",
    "5 > 3 < 7",
    "Party 🎉 Person",
    "山田",
    "عبد الله",
    "Ørsted Łukasz ß",
    "van der Berg",
    "100% _Sure_",
    "Back\\slash",
    "NULL",
    "X" * 99,
)
COMPANIES = (
    "Acme Engines",
    "Bright & Co",
    "Café Nord",
    "Delta Works",
    "Evergreen Labs",
    "Fjord Shipping",
    "Globex",
    "Hill, Dale & Sons",
    "Initech",
    'Jo\'s "Diner"',
)
TITLES = ("", "CTO", "Head of R&D", "Buyer", "Marketing Manager", "Managing Director", "Intern")
CITIES = ("", "Springfield", "Århus", "São Paulo", "Kraków", "Lyon", "Osaka", "Zürich")
NOTES = (
    "",
    "",
    "Met at the fair.",
    "Asked for a quote: 1 < 2 & 3 > 2.",
    "Two lines\nof text",
    'Says "call me back"',
    "Prefers <b>email</b>, not phone",
)
DOMAINS = ("example.com", "example.org", "example.net")
