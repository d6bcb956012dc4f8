"""What survives a restart: every Redis key, in one table.

| key                        | type   | content                                         | life        |
|----------------------------|--------|-------------------------------------------------|-------------|
| connector                  | string | address, user, encrypted password, findings     | for ever    |
| connector:state            | string | whether it may be used, and nothing else        | for ever    |
| crm:slots                  | zset   | call under way -> when its place comes back     | the call    |
| crm:pace                   | hash   | next_ms, not_before_ms, pause_ms: when to call  | for ever    |
| crm:counts                 | hash   | calls:{outcome}, logins:{outcome} -> count      | for ever    |
| connector:token            | string | encrypted token of rest/v11                     | for ever    |
| connector:hook             | string | where SugarCRM calls us: hash of the secret part | for ever    |
| hint:{module}:{id}         | string | set while a record waits to be looked at        | 60 s        |
| hints:{what}:{list}        | string | how many records hints buried, changed, ...     | 1 hour      |
| catalogue                  | hash   | module -> fields of SugarCRM, as last read      | for ever    |
| standard_fields            | hash   | field name -> type, source, system usage        | for ever    |
| lists                      | hash   | list id -> MarketingList                        | for ever    |
| list:{id}:records          | hash   | record id -> schema, version, columns, bases    | for ever    |
| list:{id}:by_email         | zset   | "address NUL record id", all scores 0           | for ever    |
| list:{id}:by_crm_id        | hash   | SugarCRM id -> record id                        | for ever    |
| list:{id}:dirty            | zset   | record id -> number of its last change here     | for ever    |
| list:{id}:intents          | hash   | record id -> values about to be, or just, sent  | for ever    |
| list:{id}:creating         | hash   | SugarCRM id about to be created -> record id    | till it is  |
| list:{id}:asked, :refused  | set    | ids of records with a question, or refused      | till settled|
| list:{id}:deleted          | set    | ids of records deleted in SugarCRM, not merged  | as the list |
| list:{id}:following        | set    | ids of records who may go on as another         | till looked |
| list:{id}:history          | stream | each commit: by whom                            | 90 days     |
| list:{id}:history_moved    | hash   | commit -> what it changed, packed               | 90 days     |
| list:{id}:history_by_record| zset   | "record id NUL entry id", all scores 0          | 90 days     |
| list:{id}:state            | hash   | changes, live (counts), cursor_at, synced_at,   | for ever    |
|                            |        | filled, filled_by:{column} (a run)              |             |
| list:{id}:runs             | zset   | run id -> start, the newest 200                 | for ever    |
| list:{id}:plans            | list   | ids of its plans, the newest 20                 | for ever    |
| plan:{id}                  | hash   | list, made_at, complete, sums over its items    | 7 days      |
| plan:{id}:items            | hash   | record id -> what would happen to it            | 7 days      |
| plan:{id}:order            | list   | record ids, as they were planned                | 7 days      |
| list:{id}:active_run       | string | id of the run that is going on                  | the run     |
| list:{id}:waits:{kind}     | string | id of the run that waits until it may begin     | 60 s        |
| run:{id}:woken             | string | its step was sent again not long ago            | 2 minutes   |
| run:{id}:drifted, :missing, :vanished | set | SugarCRM ids found otherwise, or not at all | 2 days |
| run:{id}                   | hash   | phase, places reached, counts, reasons          | 90 days     |
| runs:ended                 | hash   | kind:outcome -> how many runs                   | for ever    |
| programs, program_runs     | hash   | program id -> Program, its last run             | for ever    |
| forms, messages            | hash   | name -> setting                                 | for ever    |
| schedules                  | hash   | schedule id -> what to start, when              | for ever    |
| lease:{name}               | string | fencing token of the holder                     | the lease   |
| leases:token               | string | last fencing token given out                    | for ever    |
| suppressed                 | set    | keyed hashes of people who were forgotten       | for ever    |
| suppressed:MARK            | set    | hashes of the SugarCRM ids that one of them had | for ever    |
| erasing                    | set    | records that are being erased, by list and id   | till done   |
| suppressed:pepper          | string | the key of those hashes, encrypted              | for ever    |
| suppressed:changes         | string | how often one was forgotten, or put into a list | for ever    |
| journal:unpacked, behaviour:unpacked | string | it holds bytes of deleted events      | till packed |
| people                     | hash   | address -> tallies of behaviour                 | for ever    |
| people:place               | string | how far the behaviour stream is added up        | for ever    |
| outcomes:{day}             | hash   | journal id -> what became of the event          | 31 days     |
| journal, behaviour         | stream | accepted events, in order                       | 30 days     |
| packing:{id}               | stream | a copy of one of them, on its way to its place  | 10 minutes  |
| journal:last               | string | the id given out last, for both streams         | for ever    |
| intake:refused             | stream | status, field, rule of what a source was refused | the newest  |
| journal:waits              | string | written before waiting for the disk              | for ever    |
| journal:seen:{day}         | hash   | fingerprint -> journal id; day: since 1970      | 96 hours    |
| behaviour:draining         | string | set while a drain message waits                 | 60 s        |
| sources                    | hash   | name -> hash of token, encrypted signing secret | for ever    |
| rq:scheduler:*, rq:job:*   | zset.. | next slot of each schedule (rq-scheduler)       | for ever    |
| dramatiq:*                 | ..     | messages: see the table in store/queues.py      | until done  |
"""
