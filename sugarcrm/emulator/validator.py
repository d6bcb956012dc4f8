"""The server's own check of `query` and `order_by`, before the database sees them.

It reads SQL word by word and knows little of it: a bracket is one word, strings and numbers
are constants, and everything else is an operator or taken for the name of a column. What it
lets through, the database may still refuse.
"""

import re
from collections.abc import Iterator

WORD = re.compile(
    r"[@A-Za-z0-9_.`-]+(?:\(\s*\))?|!=|>=|<=|<>|&&|\|\||[-+*/><=^]|\("
    r"|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[^ ,(][^ ,]*|,"
)
SUBQUERY = re.compile(r"(?i)\(\s*select")
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
COLUMN_PART = re.compile(r"[a-z0-9_#]*")
_OPERATORS = """
AND && BETWEEN BINARY & ~ | ^ CASE WHEN END DIV / <=> = >= > IS NOT NULL << <= < LIKE - % != <>
REGEXP ! || OR + >> RLIKE SOUNDS * XOR IN
"""
OPERATORS = frozenset(_OPERATORS.split())
_PASSED_OVER = "BY ALL SHARE MODE TO ;"
PASSED_OVER = frozenset(_PASSED_OVER.split())
_OPTIONS = """
DISTINCT DISTINCTROW HIGH_PRIORITY LOW_PRIORITY DELAYED IGNORE FORCE STRAIGHT_JOIN
SQL_SMALL_RESULT SQL_BIG_RESULT QUICK SQL_BUFFER_RESULT SQL_CACHE SQL_NO_CACHE
SQL_CALC_FOUND_ROWS FOR LOCK
"""
OPTIONS = frozenset(_OPTIONS.split())
_SECTIONS = """
SELECT ORDER LIMIT SET DUPLICATE VALUES GROUP HAVING INTO WHERE RENAME CALL PROCEDURE FUNCTION
DATABASE SERVER LOGFILE DEFINER RETURNS EVENT TABLESPACE VIEW TRIGGER DATA DO PASSWORD USER
PLUGIN FROM FLUSH KILL RESET START STOP PURGE EXECUTE PREPARE DEALLOCATE DELETE ALTER INSERT
REPLACE TRUNCATE CREATE OPTIMIZE GRANT REVOKE SHOW HANDLER LOAD ROLLBACK SAVEPOINT UNLOCK
INSTALL UNINSTALL BACKUP CHECK CHECKSUM REPAIR RESTORE CACHE DESCRIBE EXPLAIN USE HELP DROP UNION
"""
SECTIONS = frozenset(_SECTIONS.split())
REFUSED_FUNCTIONS = frozenset({"BENCHMARK", "ENCODE", "LOAD_FILE"})
JOINING = frozenset({"JOIN", "INNER", "OUTER", "LEFT", "RIGHT", "NATURAL", "CROSS"})
ALLOWED_IN_SUBQUERIES = frozenset(
    {
        "email_addr_bean_rel",
        "email_addresses",
        "emails",
        "emails_beans",
        "emails_text",
        "teams",
        "team_sets_teams",
    }
)
Sections = dict[str, list[str]]


def allowed(where: str, order_by: str = "") -> bool:
    """Tell whether the server lets a condition and an order pass."""
    text = f"SELECT dummy FROM dummytable WHERE {where or 'deleted=0'}"  # noqa: S608 only read
    found = sections(text + (f" ORDER BY {order_by}" if order_by else ""))
    if found is None or set(found) != {"SELECT", "FROM", "WHERE", *(["ORDER"] * bool(order_by))}:
        return False
    if found["SELECT"] != ["dummy"] or found["FROM"] != ["dummytable"]:
        return False
    order = found.get("ORDER", [])
    return conditions_allowed(found["WHERE"], True) and all(map(term_allowed, listed(order)))


def words(text: str) -> Iterator[str]:
    """Yield the words of a text; what stands in brackets is one word."""
    text = text.replace("\\'", "''").replace('\\"', '""').replace("\r\n", " ").replace("\n", " ")
    text = text.replace("()", " ")
    place = 0
    while match := WORD.search(text, place):
        place = match.end()
        word = match[0]
        if word == "(":
            place = closing(text, match.start())
            word = text[match.start() : place]
        elif word.endswith(")"):
            word = word.partition("(")[0]
        if word:
            yield word


def closing(text: str, start: int) -> int:
    """Give the place after the bracket that closes the one at *start*; quotes do not count."""
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place + 1
    return len(text)


def sections(text: str) -> Sections | None:
    """Split a statement into its sections; None if it is more than one query."""
    found: Sections = {}
    current = ""
    for word in words(text):
        upper = word.upper()
        if upper == "UNION":
            return None
        if upper in OPTIONS:
            found.setdefault("OPTIONS", [])
        elif upper in SECTIONS:
            current = upper
            found.setdefault(current, [])
        elif upper not in PASSED_OVER:
            found.setdefault(current, []).append(word)
    return found


def conditions_allowed(found: list[str], subqueries: bool) -> bool:
    """Check the words of a condition, and those in its brackets."""
    previous = ""
    for word in found:
        upper = word.upper()
        if SUBQUERY.match(word):
            if not subqueries or not subquery_allowed(word):
                return False
        elif upper[0] == "(" and upper[-1] == ")":
            inner = previous not in {"IN", "AGAINST"}
            if inner and not conditions_allowed(list(words(word[1:-1])), subqueries):
                return False
        elif not word_allowed(word):
            return False
        previous = upper
    return True


def word_allowed(word: str) -> bool:
    """Check a single word: an operator, a constant, a function, or a column."""
    upper = word.upper()
    if upper in OPERATORS or word[0] in "'\"" or word == "," or NUMBER.fullmatch(word):
        return True
    if upper in REFUSED_FUNCTIONS:
        return False
    parts = word.lower().split(".")
    bare = [p[1:-1] if len(p) > 2 and p[0] == p[-1] == "`" else p for p in parts]
    known = "user_hash" not in parts and all(map(COLUMN_PART.fullmatch, bare))
    return known and len(parts) <= 2


def subquery_allowed(word: str) -> bool:
    """Check a subquery: plain columns of the tables about email addresses, and a condition."""
    text = word
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    found = sections(text)
    if found is None or not all(found.get(name) for name in ("SELECT", "FROM", "WHERE")):
        return False
    plain = all(column_chosen(item) for item in listed(found["SELECT"]))
    return plain and tables_allowed(found["FROM"]) and conditions_allowed(found["WHERE"], False)


def listed(found: list[str]) -> list[list[str]]:
    """Split words at the commas."""
    items: list[list[str]] = [[]]
    for word in found:
        if word == ",":
            items.append([])
        else:
            items[-1].append(word)
    return items


def column_chosen(item: list[str]) -> bool:
    """Tell whether an item of a SELECT is a column, or a star; it may have another name."""
    plain = [word for word in item if word.upper() != "AS"]
    if not plain or plain == ["*"]:
        return bool(plain)
    named = len(plain) == 1 or (len(plain) == 2 and is_name(plain[1]))
    return named and is_name(plain[0])


def is_name(word: str) -> bool:
    """Tell whether a word is taken for the name of a column."""
    constant = word[0] in "'\"" or NUMBER.fullmatch(word)
    return not constant and word[0] != "(" and word.upper() not in OPERATORS


def tables_allowed(found: list[str]) -> bool:
    """Check the tables of a FROM and the conditions of its joins."""
    for item in joined(found):
        names = [word.upper() for word in item]
        place = next((names.index(word) for word in ("ON", "USING") if word in names), len(item))
        if not item[:place] or item[0] not in ALLOWED_IN_SUBQUERIES:
            return False
        condition = " ".join(item[place + 1 :])
        while condition.startswith("(") and condition.endswith(")"):
            condition = condition[1:-1]
        if condition and not allowed(condition):
            return False
    return True


def joined(found: list[str]) -> list[list[str]]:
    """Split the words of a FROM into its tables, each with the condition that joins it."""
    items: list[list[str]] = [[]]
    for word in found:
        if word == "," or word.upper() == "JOIN":
            items.append([])
        elif word.upper() not in JOINING:
            items[-1].append(word)
    return items


def term_allowed(term: list[str]) -> bool:
    """Check one term of an ORDER BY: no subquery, and no name after the column but a direction."""
    plain = [word for word in term if word.upper() not in {"ASC", "DESC"}]
    if len(plain) > 1 and is_name(plain[-1]) and is_name(plain[-2]):
        return False
    return conditions_allowed(plain, False)
