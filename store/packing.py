"""Streams written afresh, so that what was deleted from them is gone.

XDEL and XTRIM only mark an entry: its bytes stay in memory, and in the file that the server
writes, until all of the hundred or so entries beside it go, too.
"""

from uuid import uuid4

import redis

_PAGE, _TRIES, _BEGINNING = 1000, 5, "-"
_ABANDONED_S = 600  # a copy that nobody went on with

# Copy a page; after the last one put the copy in the stream's place, unless the stream lost
# entries since they were copied: those would be back. Answers where to go on, "" at the end.
_COPY = """
local page = redis.call('xrange', KEYS[1], ARGV[1], '+', 'count', ARGV[2])
for _, entry in ipairs(page) do redis.call('xadd', KEYS[2], entry[1], unpack(entry[2])) end
redis.call('expire', KEYS[2], ARGV[3])
if #page == tonumber(ARGV[2]) then return '(' .. page[#page][1] end
if redis.call('xlen', KEYS[2]) ~= redis.call('xlen', KEYS[1]) then
  redis.call('del', KEYS[2])
  return '-'
end
if redis.call('exists', KEYS[2]) == 0 then
  redis.call('del', KEYS[1])
else
  redis.call('persist', KEYS[2])
  redis.call('rename', KEYS[2], KEYS[1])
end
return ''
"""


def pack(client: redis.Redis, stream: str) -> bool:
    """Write a stream afresh, a page at a time; entries keep their ids, and may be added meanwhile.

    It needs the room of a second copy while it goes on. False, and the stream is as it was, when
    others deleted from it each time.
    """
    copy = client.register_script(_COPY)
    for _ in range(_TRIES):
        fresh, edge = f"packing:{uuid4()}", _BEGINNING
        while edge:
            edge = copy(keys=[stream, fresh], args=[edge, _PAGE, _ABANDONED_S]).decode()
            if edge == _BEGINNING:
                break
        else:
            return True
    return False


def write_files_afresh(client: redis.Redis) -> bool:
    """Ask the server to write its file anew, without what was deleted; False if it may not."""
    try:
        client.bgrewriteaof()
    except redis.ResponseError:
        return False
    return True
